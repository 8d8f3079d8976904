#!/usr/bin/env bash
# Puts the schema registry Apicurio, which speaks Confluent's API, into .deps/registry; its Java comes with registry.requirements.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/scripts/lib.sh"
source "$root/scripts/setup.sh"
source "$root/scripts/maven_lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

one_artifact "$work/archive" io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all
checked_exactly registry archive
mkdir registry
tar xzf archive/*.tar.gz -C registry
rm -rf "$root/.deps/registry"
mv registry "$root/.deps/registry"
