#!/usr/bin/env bash
# Puts the C++ engine's pinned third-party files into .deps/: DuckDB's library
# and header, an older one with its extensions for a lake in the Iceberg format
# (a library refuses another version's extensions, and these are published
# later), simdjson as a single file, and librdkafka.
#
# Every archive is checked against engine.sha256 before it is unpacked, and a
# folder appears under .deps/ only when it is complete. Of these only librdkafka
# is compiled here (about 75 s of one core, and once: ccache keeps it).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/scripts/lib.sh"
source "$root/scripts/setup.sh"

duckdb=1.5.6
duckdb_build=1 # of @duckdb/node-bindings-linux-x64
duckdb_iceberg=1.5.5
duckdb_iceberg_build=5
simdjson=7.0.2 # of pysimdjson, which carries simdjson 3.12.3
kafka_javascript=1.10.1 # of @confluentinc/kafka-javascript, which carries librdkafka's source, 2.15.1
deps=$root/.deps
tools=$(tools_venv)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

checked() { # ARCHIVE
  grep -F "  $1" "$(setup_file engine).sha256" | sha256sum --quiet --check - ||
    give_up "$1 is not the file that scripts/setup/engine.sha256 names"
}
pip_download() { # NAME VERSION ARCHIVE OPTION...
  echo "fetching $1 $2"
  "$tools/bin/pip" download --quiet --disable-pip-version-check --no-deps "${@:4}" "$1==$2" ||
    give_up "$1 $2 could not be had from PyPI; is the network there?"
  checked "$3"
}
npm_pack() { # PACKAGE ARCHIVE
  echo "fetching $1"
  PATH=$PATH:$tools/bin npm pack --silent "$1" || give_up "$1 could not be had from npm; is the network there?"
  checked "$2"
}
replace() { # FOLDER: the one under .deps/ of that name
  rm -rf "${deps:?}/$1" && mv "$1" "$deps/$1"
}

libduckdb() { # VERSION BUILD FOLDER
  npm_pack "@duckdb/node-bindings-linux-x64@$1-r.$2" "duckdb-node-bindings-linux-x64-$1-r.$2.tgz"
  tar xzf "duckdb-node-bindings-linux-x64-$1-r.$2.tgz" package/libduckdb.so
  install -D -m 755 -t "$3" package/libduckdb.so
}
libduckdb "$duckdb" "$duckdb_build" duckdb/lib
libduckdb "$duckdb_iceberg" "$duckdb_iceberg_build" duckdb/iceberg/lib
for extension in httpfs avro iceberg aws; do
  wheel=duckdb_extension_$extension-$duckdb_iceberg-py3-none-manylinux2014_x86_64.whl
  pip_download "duckdb-extension-$extension" "$duckdb_iceberg" "$wheel"
  "$tools/bin/python" -m zipfile -e "$wheel" unpacked
  install -D -m 644 -t "duckdb/iceberg/extensions/v$duckdb_iceberg/linux_amd64" \
    "unpacked/duckdb_extension_$extension/extensions/v$duckdb_iceberg/$extension.duckdb_extension"
done
# The older one's header: what is compiled against it, both libraries have.
pip_download duckdb "$duckdb_iceberg" "duckdb-$duckdb_iceberg.tar.gz" --no-binary duckdb
tar xzf "duckdb-$duckdb_iceberg.tar.gz" --strip-components=5 "duckdb-$duckdb_iceberg/external/duckdb/src/include/duckdb.h"
install -D -m 644 -t duckdb/include duckdb.h
replace duckdb

pip_download pysimdjson "$simdjson" "pysimdjson-$simdjson.tar.gz" --no-binary pysimdjson
mkdir simdjson
tar xzf "pysimdjson-$simdjson.tar.gz" --strip-components=2 -C simdjson \
  "pysimdjson-$simdjson/simdjson/simdjson.h" "pysimdjson-$simdjson/simdjson/simdjson.cpp"
replace simdjson

# Against Debian's OpenSSL, zstd, lz4 and zlib, so that their fixes reach us; no Kerberos, no OIDC over curl.
# Its threads by pthread_create: ThreadSanitizer does not see those of C11, and crashes in them.
npm_pack "@confluentinc/kafka-javascript@$kafka_javascript" "confluentinc-kafka-javascript-$kafka_javascript.tgz"
tar xzf "confluentinc-kafka-javascript-$kafka_javascript.tgz" package/deps/librdkafka
echo "compiling librdkafka"
(
  cd package/deps/librdkafka
  { ./configure --cc="ccache gcc" --CFLAGS=-O2 --enable-ssl --enable-zstd --enable-lz4-ext --enable-zlib --disable-gssapi --disable-curl --disable-debug-symbols --disable-c11threads &&
    make -C src -j"$(nproc)" librdkafka.a; } >"$work/librdkafka.log" 2>&1 || {
    tail -n 20 "$work/librdkafka.log" >&2
    give_up "librdkafka could not be compiled"
  }
)
install -D -m 644 package/deps/librdkafka/src/librdkafka.a librdkafka/lib/librdkafka.a
install -D -m 644 package/deps/librdkafka/src/rdkafka.h librdkafka/include/librdkafka/rdkafka.h
install -D -m 644 package/deps/librdkafka/LICENSES.txt librdkafka/LICENSES.txt
replace librdkafka
