# Everything the engine stands on that is not ours, as imported targets; a
# folder links what it needs by these names and nothing else:
#   duckdb::duckdb  simdjson::simdjson  RocksDB::rocksdb-shared  yaml-cpp
#   PostgreSQL::PostgreSQL (libpq)
#   CLI11::CLI11  fmt::fmt  OpenSSL::Crypto  Threads::Threads  ff::allocator
#   prometheus-cpp::core  httplib  CURL::libcurl  rdkafka::rdkafka
#   xxHash is header-only and needs no target.
# Debian's packages come from scripts/setup/engine.packages; the pinned three (DuckDB,
# simdjson and librdkafka, not in Debian in the versions wanted) from scripts/setup/engine.sh.
# Third-party headers are SYSTEM includes, so our warnings stay ours.
set(deps ${CMAKE_SOURCE_DIR}/.deps)
set(duckdb_iceberg ${deps}/duckdb/iceberg/lib) # where src/cli/iceberg_library.cpp finds the other libduckdb.so
if(NOT EXISTS ${deps}/duckdb/lib/libduckdb.so OR NOT EXISTS ${duckdb_iceberg}/libduckdb.so OR NOT EXISTS ${deps}/simdjson/simdjson.cpp OR NOT EXISTS ${deps}/librdkafka/lib/librdkafka.a)
  message(FATAL_ERROR "DuckDB, simdjson or librdkafka is missing; run ./ff build, which fetches them once.")
endif()

add_library(duckdb::duckdb SHARED IMPORTED)
set_target_properties(duckdb::duckdb PROPERTIES
  IMPORTED_LOCATION ${deps}/duckdb/lib/libduckdb.so
  IMPORTED_SONAME libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${deps}/duckdb/include)

add_library(simdjson STATIC ${deps}/simdjson/simdjson.cpp)
target_include_directories(simdjson SYSTEM PUBLIC ${deps}/simdjson)
# Its checked build differs from the fast one in layout: every user must agree.
target_compile_definitions(simdjson PUBLIC SIMDJSON_DEVELOPMENT_CHECKS=0)
target_compile_options(simdjson PRIVATE -w)
add_library(simdjson::simdjson ALIAS simdjson)

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(RocksDB REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
find_package(prometheus-cpp REQUIRED)

# Its classes differ in layout with these: every user must agree with the library (cpp-httplib.pc).
find_library(httplib_library cpp-httplib REQUIRED)
add_library(httplib SHARED IMPORTED)
set_target_properties(httplib PROPERTIES
  IMPORTED_LOCATION ${httplib_library}
  INTERFACE_COMPILE_DEFINITIONS "CPPHTTPLIB_OPENSSL_SUPPORT;CPPHTTPLIB_ZLIB_SUPPORT;CPPHTTPLIB_BROTLI_SUPPORT")

# The program's malloc; a sanitizer brings its own.
add_library(ff_allocator INTERFACE)
if(NOT FF_SANITIZE)
  find_library(jemalloc jemalloc REQUIRED)
  target_link_libraries(ff_allocator INTERFACE ${jemalloc})
endif()
add_library(ff::allocator ALIAS ff_allocator)

# Compressed batches, TLS and SCRAM come from Debian's libraries.
find_library(zstd_library zstd REQUIRED)
find_library(lz4_library lz4 REQUIRED)
add_library(rdkafka::rdkafka STATIC IMPORTED)
set_target_properties(rdkafka::rdkafka PROPERTIES
  IMPORTED_LOCATION ${deps}/librdkafka/lib/librdkafka.a
  INTERFACE_INCLUDE_DIRECTORIES ${deps}/librdkafka/include
  INTERFACE_LINK_LIBRARIES "OpenSSL::SSL;OpenSSL::Crypto;ZLIB::ZLIB;${zstd_library};${lz4_library};Threads::Threads;${CMAKE_DL_LIBS};m")
