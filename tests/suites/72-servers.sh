#!/usr/bin/env bash
# suite: the real servers of the live tests start, answer, and keep what they had over kill -9; the gate hurts as it says
# by name only (the suite `live` stands on the same parts)
# needs: kafka registry postgres clients
set -uo pipefail
exec .deps/venv-clients/bin/python tests/live/check_servers.py "$@"
