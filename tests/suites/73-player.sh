#!/usr/bin/env bash
# suite: a world played into Kafka and Postgres that are hurt meanwhile: topics and tables hold exactly what its files say
# by name only (the suite `live` stands on the same parts)
# needs: kafka postgres clients
set -uo pipefail
exec .deps/venv-clients/bin/python tests/live/check_player.py "$@"
