#!/usr/bin/env bash
# suite: what a running Debezium says of real changes in JSON and in Avro is read as what our own reader says of them
# seconds: 64
# needs: kafka registry postgres clients debezium
# by name only
set -uo pipefail
exec .deps/venv-clients/bin/python tests/live/check_debezium.py "$@"
