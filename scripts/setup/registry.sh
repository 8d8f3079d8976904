#!/usr/bin/env bash
# Puts the schema registry Apicurio, which speaks Confluent's API, into .deps/registry; its Java comes with registry.requirements.
source "$(dirname "${BASH_SOURCE[0]}")/../maven_lib.sh"

one_artifact "$work/archive" io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all
checked_exactly registry archive
mkdir registry
tar xzf archive/*.tar.gz -C registry
put_in_deps registry
