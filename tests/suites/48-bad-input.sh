#!/usr/bin/env bash
# suite: each kind of bad input or setting has its word and names its thing; nothing is lost
# seconds: 12
# needs: dbt
set -uo pipefail
exec "${FF_VENV_DBT:-.deps/venv-dbt}/bin/python" tests/law/bad_input.py "$@"
