#!/usr/bin/env bash
# Small worlds with many faults, computed by the oracle, compared with their truth: whatever ends with a difference, either
# the simulator or the oracle misreads the rules. Needs the built simulator; PYTHON is one with duckdb 1.5.5.
set -uo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-.deps/venv-dbt/bin/python}
simulate=${SIMULATE:-build/release/bin/sim_tool}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
many=()
for fault in $("$simulate" --help | awk '/ of each shipment/ {print $1}'); do many+=(--fault "$fault=0.045"); done
for fault in $("$simulate" --help | awk '/ of each (ping|driver)/ {print $1}'); do many+=(--fault "$fault=0.004"); done
passed=0 failed=0
# Cut off in full flight, and with most lives at their end.
for world in "--seed 101 --drain-hours 0 --partner" "--seed 102 --drain-hours 72" "--seed 103 --drain-hours 240 --partner --events-per-shipment 12"; do
  echo "== $world"
  # shellcheck disable=SC2086
  if "$simulate" --out "$work/world" --shipments 1000 --days 1 "${many[@]}" $world && "$python" tests/sim/check_truth.py "$work/world" --oracle; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
