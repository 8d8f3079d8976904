#!/usr/bin/env bash
# suite: every decoder and the contract reader against random bytes under ASan + UBSan, FUZZ_SECONDS each (default 30)
# needs: fuzz
# by name only
# alone
set -uo pipefail
passed=0 failed=0
cmake --preset fuzz && cmake --build build/fuzz --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" || { echo "0 passed, 1 failed"; exit 1; }
for source in src/*/*_fuzz.cpp; do
  name=$(basename "$source" .cpp)
  found=build/fuzz/found/$name
  mkdir -p "$found"
  seeds=tests/corpus/${name%_fuzz}
  [[ -d $seeds ]] || seeds=
  echo "== $name"
  if (set -o pipefail; "build/fuzz/bin/$name" -max_total_time="${FUZZ_SECONDS:-30}" -max_len=65536 -timeout=10 -artifact_prefix="$found/crash-" "$found" $seeds 2>&1 | tail -5); then
    passed=$((passed + 1))
  else
    echo "a crash is kept in $found; make it a case of tests/corpus/"
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
