#!/usr/bin/env bash
# suite: the service as an operator sees it: configuration, files that land, readiness, metrics, signals, kills
# seconds: 48
# needs: dbt
set -uo pipefail
exec "${FF_VENV_DBT:-.deps/venv-dbt}/bin/python" tests/service/check_service.py "$@"
