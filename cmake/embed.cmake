# ff_embed(target file symbol): the bytes of `file` become part of the program as
#   ff::embedded::symbol, a std::string_view, declared in "embedded/symbol.h".
# The program then needs no file beside it, and cannot meet one of another
# version. Rewritten whenever the file changes.
function(ff_embed target file symbol)
  set(folder ${CMAKE_BINARY_DIR}/embedded/${target})
  set(header ${folder}/embedded/${symbol}.h)
  set(source ${folder}/embedded/${symbol}.cpp)
  add_custom_command(
    OUTPUT ${header} ${source}
    COMMAND ${CMAKE_COMMAND} -D file=${file} -D symbol=${symbol} -D header=${header} -D source=${source}
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
    DEPENDS ${file} ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
    COMMENT "Embedding ${file}" VERBATIM)
  target_sources(${target} PRIVATE ${header} ${source})
  target_include_directories(${target} PUBLIC ${folder})
endfunction()
