#!/usr/bin/env bash
# Puts Apache Kafka's broker (KRaft: no ZooKeeper) into .deps/kafka/*.jar.
source "$(dirname "${BASH_SOURCE[0]}")/../maven_lib.sh"

jars_with_dependencies "$work/kafka" org.apache.kafka:kafka_2.13:4.4.0 org.slf4j:slf4j-simple:1.7.36
checked_exactly kafka kafka
put_in_deps kafka
