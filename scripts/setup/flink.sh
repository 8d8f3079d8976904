#!/usr/bin/env bash
# Puts Apache Flink, as one embeds it, into .deps/flink/*.jar: 2.2, the newest line that has a Kafka connector.
source "$(dirname "${BASH_SOURCE[0]}")/../maven_lib.sh"

version=2.2.1
jars_with_dependencies "$work/flink" \
  org.apache.flink:flink-{clients,table-api-java-bridge,table-planner-loader,table-runtime,json,statebackend-rocksdb,connector-base}:$version \
  org.apache.flink:flink-connector-kafka:5.0.0-2.2 org.slf4j:slf4j-simple:1.7.36
checked_exactly flink flink
put_in_deps flink
