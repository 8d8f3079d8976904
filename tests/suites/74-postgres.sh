#!/usr/bin/env bash
# suite: Postgres by snapshot and logical replication: killed, cut, failed over, refused where something would be lost (15 and 18)
# seconds: 80
# needs: postgres
set -uo pipefail
[[ -x build/release/bin/postgres_live ]] || { echo "74-postgres: build/release/bin/postgres_live is missing; ./ff test builds it"; echo "0 passed, 1 failed"; exit 1; }
exec .deps/venv-postgres/bin/python tests/live/check_postgres.py "$@"
