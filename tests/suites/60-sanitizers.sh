#!/usr/bin/env bash
# suite: under ASan + UBSan, then TSan: unit tests, runs, a killed run and the run after it, questions to a running engine, the service
# needs: dbt
# by name only
# alone
# Builds both first; PRESETS="asan" does one of them. What is not our code is excused in tests/sanitizers, with the reason; under
# TSan nothing is, as long as DuckDB has one thread (it takes half the cores, if nobody says otherwise).
set -uo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export ASAN_OPTIONS=detect_stack_use_after_return=1:check_initialization_order=1:strict_string_checks=1
export LSAN_OPTIONS=suppressions=$PWD/tests/sanitizers/lsan.txt:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
strict=halt_on_error=0:exitcode=66:second_deadlock_stack=1
excused=$strict:suppressions=$PWD/tests/sanitizers/tsan.txt
export TSAN_OPTIONS=$strict
(($(nproc --all) < 4)) || TSAN_OPTIONS=$excused
passed=0 failed=0 killed=137

check() { # WHAT EXPECTED-EXIT COMMAND...
  local what=$1 expected=$2 status=0 started=$SECONDS
  shift 2
  "$@" >"$folder/log" 2>&1 || status=$?
  if ((status == expected)) && ! grep -Eq 'Sanitizer|runtime error:' "$folder/log"; then
    passed=$((passed + 1))
    echo "ok      $what ($((SECONDS - started)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED  $what: exit $status, expected $expected"
    tail -n "${LINES_SHOWN:-120}" "$folder/log"
  fi
}

# One run after the other while somebody asks; every question finds an engine or a lake.
asked_while_it_runs() { # PROGRAM WORLD LAKE
  rm -f "$3/sql.sock" # of the engine that was killed; who asks before the new one listens would hold the file
  TSAN_OPTIONS=$strict "$1" run --quiet --threads 1 --input "$2" --lake "$3" --batch-records 200 --as-of "$as_of" &
  local engine=$! answers=0
  until [[ -S $3/sql.sock ]] || ! kill -0 "$engine" 2>/dev/null; do sleep 0.05; done
  while kill -0 "$engine" 2>/dev/null; do
    "$1" query --lake "$3" "select count(*) from core.shipments" && answers=$((answers + 1))
  done
  wait "$engine" || return
  echo "$answers answers"
  ((answers > 0))
}

"$FLEETFLOW" simulate --out "$folder/world" --seed 7 --shipments 60 --days 1 --pings-per-shipment 8 >/dev/null || exit
as_of=$(python3 -c "import json; print(json.load(open('$folder/world/truth/summary.json'))['as_of'])")
for preset in ${PRESETS:-asan tsan}; do
  echo "== $preset"
  if ! { cmake --preset "$preset" && cmake --build "build/$preset" --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" --target unit_tests fleetflow; } >"$folder/build" 2>&1; then
    tail -n 30 "$folder/build"
    failed=$((failed + 1))
    continue
  fi
  program=build/$preset/bin/fleetflow
  lakes=$folder/$preset
  run=("$program" run --quiet --input "$folder/world" --as-of "$as_of")
  check "unit tests" 0 env RC_PARAMS=max_success=20 "build/$preset/bin/unit_tests" --gtest_brief=1
  TSAN_OPTIONS=$strict check "a run" 0 "${run[@]}" --threads 1 --lake "$lakes/calm"
  TSAN_OPTIONS=$excused check "a run with four threads of DuckDB" 0 "${run[@]}" --threads 4 --batch-records 200 --lake "$lakes/wide"
  for point in raw_written lake_committed state_written; do
    TSAN_OPTIONS=$strict FLEETFLOW_CRASH_AT=$point check "killed at $point" "$killed" "${run[@]}" --threads 1 --batch-records 200 --lake "$lakes/killed"
  done
  check "the run after it, asked meanwhile" 0 asked_while_it_runs "$program" "$folder/world" "$lakes/killed"
  for lake in wide killed; do
    check "says the same as the calm one: $lake" 0 "$program" compare "$lakes/calm" "$lakes/$lake"
  done
  check "the service, scraped and asked" 0 env FLEETFLOW="$PWD/$program" "${FF_VENV_DBT:-.deps/venv-dbt}/bin/python" tests/service/check_service.py metrics_say_what_happened
done
echo "$passed passed, $failed failed"
((failed == 0))
