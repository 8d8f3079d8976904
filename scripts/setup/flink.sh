#!/usr/bin/env bash
# Puts Apache Flink, as one embeds it, into .deps/flink/*.jar: 2.2, the newest line that has a Kafka connector.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/scripts/lib.sh"
source "$root/scripts/setup.sh"
source "$root/scripts/maven_lib.sh"

version=2.2.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

jars_with_dependencies "$work/flink" \
  org.apache.flink:flink-{clients,table-api-java-bridge,table-planner-loader,table-runtime,json,statebackend-rocksdb,connector-base}:$version \
  org.apache.flink:flink-connector-kafka:5.0.0-2.2 org.slf4j:slf4j-simple:1.7.36
checked_exactly flink flink
rm -rf "$root/.deps/flink"
mv flink "$root/.deps/flink"
