#!/usr/bin/env bash
# suite: the service follows Kafka and Postgres, is killed again and again, and the lake holds what the sources say: nothing lost, nothing twice
# needs: kafka postgres clients
set -uo pipefail
exec .deps/venv-clients/bin/python tests/live/check_live.py
