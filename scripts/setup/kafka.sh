#!/usr/bin/env bash
# Puts Apache Kafka's broker (KRaft: no ZooKeeper) into .deps/kafka/*.jar.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/scripts/lib.sh"
source "$root/scripts/setup.sh"
source "$root/scripts/maven_lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

jars_with_dependencies "$work/kafka" org.apache.kafka:kafka_2.13:4.4.0 org.slf4j:slf4j-simple:1.7.36
checked_exactly kafka kafka
rm -rf "$root/.deps/kafka"
mv kafka "$root/.deps/kafka"
