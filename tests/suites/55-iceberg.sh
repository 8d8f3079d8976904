#!/usr/bin/env bash
# suite: the same facts through an Iceberg REST catalog on S3 give the same tables as the embedded file
# seconds: 17
# needs: dbt seaweed
set -uo pipefail
exec "${FF_VENV_DBT:-.deps/venv-dbt}/bin/python" tests/iceberg/check_iceberg.py
