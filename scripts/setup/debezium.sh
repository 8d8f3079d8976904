#!/usr/bin/env bash
# Puts Debezium's embedded engine, its Postgres connector and Apicurio's Avro converter into .deps/debezium/*.jar.
source "$(dirname "${BASH_SOURCE[0]}")/../maven_lib.sh"

version=3.6.1.Final
jars_with_dependencies "$work/debezium" io.debezium:debezium-{embedded,connector-postgres}:$version io.apicurio:apicurio-registry-utils-converter:2.6.13.Final org.slf4j:slf4j-simple:1.7.36
checked_exactly debezium debezium
put_in_deps debezium
