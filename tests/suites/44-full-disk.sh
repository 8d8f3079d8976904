#!/usr/bin/env bash
# suite: the disk fills up, is enlarged, fills up again: it stops with one clear word, loses nothing and ends right
# seconds: 10
# needs: dbt
set -uo pipefail
exec "${FF_VENV_DBT:-.deps/venv-dbt}/bin/python" tests/law/full_disk.py "$@"
