#!/usr/bin/env bash
# suite: unit and property tests, beside the code they test
# seconds: 19
set -uo pipefail
results=build/logs/unit.json
rm -f "$results"
build/release/bin/unit_tests --gtest_brief=1 --gtest_output="json:$results"
status=$?
python3 - "$results" <<'PYTHON' || echo "unit_tests did not end (exit $status)"
import json, sys
cases = [case for suite in json.load(open(sys.argv[1]))["testsuites"] for case in suite["testsuite"]]
skipped = sum(case["result"] != "COMPLETED" for case in cases)
failed = sum("failures" in case for case in cases)
print(f"{len(cases) - failed - skipped} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
PYTHON
exit "$status"
