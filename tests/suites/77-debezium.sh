#!/usr/bin/env bash
# suite: what a running Debezium says of real changes is read as what our own reader says of them
# needs: kafka postgres clients
# by name only
# Skipped where Debezium's jars are not set up (./ff setup debezium).
set -uo pipefail
exec .deps/venv-clients/bin/python tests/live/check_debezium.py "$@"
