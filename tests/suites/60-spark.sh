#!/usr/bin/env bash
# suite: the SQL models on Spark, from the same text, give the engine's rows
# seconds: 110
# needs: spark
set -uo pipefail
source tests/models/suite.sh
python=${FF_VENV_SPARK:-.deps/venv-spark}/bin/python
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if exported_lake "$scratch"; then step "$python" tests/models/equal_spark.py "$scratch/export"; else failed=$((failed + 1)); fi
verdict
