#!/usr/bin/env bash
# suite: Kafka and Postgres into the running service while it is killed, Postgres is killed and the wire is cut: nothing lost, nothing twice, by a verifier that reads the sources
# seconds: 54
# needs: kafka postgres clients dbt
# LIVE_KILLS=n for more kills; words are seeds.
set -uo pipefail
exec .deps/venv-clients/bin/python tests/live/check_live.py "$@"
