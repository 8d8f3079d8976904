#!/usr/bin/env bash
# suite: kill -9 at every crash point and anywhere, again and again; the lake ends as if nothing had happened
# seconds: 111
# needs: dbt
# CRASHES=n kills in all (default 200); a number names a seed.
set -uo pipefail
exec "${FF_VENV_DBT:-.deps/venv-dbt}/bin/python" tests/law/crash.py "$@"
