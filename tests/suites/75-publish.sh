#!/usr/bin/env bash
# suite: Postgres by way of `fleetflow publish` and Kafka makes the tables that Postgres makes directly, in JSON and in Avro, while the publisher is killed and its wire falls silent
# seconds: 115
# by name only
# needs: kafka registry postgres clients
# PUBLISH_KILLS=n for more kills; words are seeds (even: Avro).
set -uo pipefail
exec .deps/venv-clients/bin/python tests/live/check_publish.py "$@"
