#!/usr/bin/env bash
# suite: the unit tests under ASan + UBSan, then under TSan; builds both first
# by name only
set -uo pipefail
passed=0 failed=0
for preset in asan tsan; do
  echo "== $preset"
  if cmake --preset "$preset" && cmake --build "build/$preset" --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" --target unit_tests &&
    "build/$preset/bin/unit_tests" --gtest_brief=1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
