#!/usr/bin/env bash
# suite: planted personal data: no byte of it in anything the program writes, crashed or not
# seconds: 17
# needs: dbt
set -uo pipefail
exec "${FF_VENV_DBT:-.deps/venv-dbt}/bin/python" tests/law/privacy.py "$@"
