#!/usr/bin/env bash
# suite: as live, while Postgres is killed and the connection to Kafka is cut as well
# by name only
# needs: kafka postgres clients
set -uo pipefail
exec .deps/venv-clients/bin/python tests/live/check_outages.py
