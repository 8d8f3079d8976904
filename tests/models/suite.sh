# Helpers of the suites 50-models and 60-spark; sourced from the repository's root.

passed=0 failed=0

# step COMMAND...: runs it; its last line says 'N passed, N failed', else it counts as one failure.
step() {
  local output last
  echo "== ${*##*/}"
  output=$("$@" 2>&1)
  echo "$output"
  last=${output##*$'\n'}
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  elif [[ $last != SKIPPED:* ]]; then
    failed=$((failed + 1))
  fi
}

# exported_lake FOLDER: a small, dense world (random_world.py), told to the engine and exported as Parquet into FOLDER/export.
exported_lake() {
  mkdir -p "$1/facts" &&
    "$python" tests/models/random_world.py "$1/facts" &&
    "${FLEETFLOW:-build/release/bin/fleetflow}" run --quiet --input "$1/facts" --lake "$1/lake" --as-of 2026-03-07T12:00:00Z --reporting-zone America/New_York &&
    "${FLEETFLOW:-build/release/bin/fleetflow}" export --lake "$1/lake" --out "$1/export"
}

verdict() {
  echo "$passed passed, $failed failed"
  ((failed == 0))
}
