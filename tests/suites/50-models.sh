#!/usr/bin/env bash
# suite: the SQL models: lint, docs, equal to the oracle in random worlds, built by dbt equal to the engine
# seconds: 36
# needs: dbt
set -uo pipefail
source tests/models/suite.sh
python=${FF_VENV_DBT:-.deps/venv-dbt}/bin/python
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

step "$python" tests/models/lint.py
step "$python" tests/models/docs.py --check
step "$python" tests/models/check_worlds.py 3
if exported_lake "$scratch"; then step "$python" tests/models/dbt_build.py "$scratch/export"; else failed=$((failed + 1)); fi
verdict
