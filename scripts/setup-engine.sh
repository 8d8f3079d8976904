#!/usr/bin/env bash
# Puts the C++ engine's pinned third-party files into .deps/: DuckDB's library,
# header and extensions (all of one version: a library refuses another's
# extensions) and the single-file simdjson.
#
# Every archive is checked against scripts/pins.sha256 before it is unpacked;
# a folder appears under .deps/ only when it is complete.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=$root/.deps
source "$root/scripts/lib.sh"

duckdb=1.5.5
work=$(mktemp -d "${TMPDIR:-/tmp}/fleetflow-setup.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

checked() { # ARCHIVE: stop unless it is the pinned one.
  grep -F "  $1" "$root/scripts/pins.sha256" | sha256sum --quiet --check - ||
    give_up "$1 is not the file that scripts/pins.sha256 names"
}
sdist() { # NAME VERSION: a source archive; its other dependencies are not wanted.
  pip_download --no-binary "$1" "$1==$2"
  checked "$1-$2.tar.gz"
}
npm_pack() {
  if command -v npm >/dev/null; then npm pack --silent "$1"
  else "$(tool_venv)/bin/npm" pack --silent "$1"; fi
}
pip_download() {
  "$(tool_venv)/bin/pip" download --quiet --disable-pip-version-check --no-deps "$@"
}

fetch_duckdb() {
  npm_pack "@duckdb/node-bindings-linux-x64@$duckdb-r.5" >/dev/null
  checked "duckdb-node-bindings-linux-x64-$duckdb-r.5.tgz"
  tar xzf "duckdb-node-bindings-linux-x64-$duckdb-r.5.tgz" package/libduckdb.so
  sdist duckdb "$duckdb"
  tar xzf "duckdb-$duckdb.tar.gz" --strip-components=5 "duckdb-$duckdb/external/duckdb/src/include/duckdb.h"
  install -D -m 755 package/libduckdb.so new/lib/libduckdb.so
  install -D -m 644 duckdb.h new/include/duckdb.h
  for extension in httpfs avro iceberg aws; do
    pip_download "duckdb-extension-$extension==$duckdb"
    local wheel=duckdb_extension_$extension-$duckdb-py3-none-manylinux2014_x86_64.whl
    checked "$wheel"
    "$(tool_venv)/bin/python" -m zipfile -e "$wheel" unpacked
    install -D -m 644 "unpacked/duckdb_extension_$extension/extensions/v$duckdb/$extension.duckdb_extension" \
      "new/extensions/v$duckdb/linux_amd64/$extension.duckdb_extension"
  done
  replace new "$deps/duckdb"
}
fetch_simdjson() {
  sdist pysimdjson 7.0.2
  tar xzf pysimdjson-7.0.2.tar.gz --strip-components=1 pysimdjson-7.0.2/simdjson
  install -D -m 644 -t new simdjson/simdjson.h simdjson/simdjson.cpp
  replace new "$deps/simdjson"
}
replace() { # FOLDER DESTINATION
  rm -rf "$2" && mkdir -p "$(dirname "$2")" && mv "$1" "$2"
}

fetch_duckdb
fetch_simdjson
