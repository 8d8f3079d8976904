#!/usr/bin/env bash
# suite: random worlds × shuffled, copied, split, killed after every commit, in steps: always the oracle's tables and the truth
# seconds: 92
# needs: dbt
# LAW_SEEDS=n for more worlds; a word 'lifelike:7' or 'dense:7' tells that one again.
set -uo pipefail
exec "${FF_VENV_DBT:-.deps/venv-dbt}/bin/python" tests/law/law.py "$@"
