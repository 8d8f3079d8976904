#!/usr/bin/env bash
# Small worlds with many faults, computed by the oracle and by the engine, compared with their truth: precision and recall
# of every check are 1 (S6.8). Where the oracle differs too, the simulator or the oracle misreads a rule; else the engine.
# Needs the built program; PYTHON is one with duckdb 1.5.5.
set -uo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-.deps/venv-dbt/bin/python}
fleetflow=${FLEETFLOW:-build/release/bin/fleetflow}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
many=()
for fault in $("$fleetflow" simulate --help | awk '/ of each shipment/ {print $1}'); do many+=(--fault "$fault=0.045"); done
for fault in $("$fleetflow" simulate --help | awk '/ of each (ping|driver)/ {print $1}'); do many+=(--fault "$fault=0.004"); done
passed=0 failed=0
count() { if (($1 == 0)); then passed=$((passed + 1)); else failed=$((failed + 1)); fi; }
# Cut off in full flight, and with most lives at their end.
for world in "--seed 101 --days 1 --drain-hours 0 --partner" \
  "--seed 102 --days 3 --drain-hours 72" \
  "--seed 103 --days 2 --drain-hours 240 --partner --events-per-shipment 12"; do
  echo "== $world"
  rm -rf "$work/world" "$work/lake"
  # shellcheck disable=SC2086
  "$fleetflow" simulate --out "$work/world" --shipments 1000 --contracts contracts "${many[@]}" $world || exit 1
  as_of=$(grep -o '"as_of": "[^"]*' "$work/world/truth/summary.json" | cut -d'"' -f4)
  echo "-- the oracle"
  "$python" tests/sim/check_truth.py "$work/world" --oracle
  count $?
  echo "-- the engine"
  "$fleetflow" run --quiet --input "$work/world" --lake "$work/lake" --as-of "$as_of" &&
    "$python" tests/sim/check_truth.py "$work/world" --lake "$work/lake/lake.duckdb"
  count $?
done
echo "$passed passed, $failed failed"
((failed == 0))
