#!/usr/bin/env bash
# suite: Postgres by way of `fleetflow publish` and Kafka makes the tables that Postgres makes directly, while the publisher is killed and its wire falls silent
# seconds: 43
# by name only
# needs: kafka postgres clients
# PUBLISH_KILLS=n for more kills; words are seeds.
set -uo pipefail
exec .deps/venv-clients/bin/python tests/live/check_publish.py "$@"
