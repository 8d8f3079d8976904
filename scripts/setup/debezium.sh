#!/usr/bin/env bash
# Puts Debezium's embedded engine and its Postgres connector into .deps/debezium/*.jar.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/scripts/lib.sh"
source "$root/scripts/setup.sh"
source "$root/scripts/maven_lib.sh"

version=3.6.1.Final
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

jars_with_dependencies "$work/debezium" io.debezium:debezium-{embedded,connector-postgres}:$version org.slf4j:slf4j-simple:1.7.36
checked_exactly debezium debezium
rm -rf "$root/.deps/debezium"
mv debezium "$root/.deps/debezium"
