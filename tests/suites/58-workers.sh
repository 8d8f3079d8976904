#!/usr/bin/env bash
# suite: three workers of one consumer group over one Iceberg lake: one is killed, one sleeps in a transaction and is fenced when it wakes, one dies while it curates, answers to commits are lost; the tables equal one engine's
# seconds: 200
# by name only
# alone
# needs: kafka seaweed clients
set -uo pipefail
python=.deps/venv-clients/bin/python
[[ -x $python ]] || { echo "58-workers: $python is missing; ./ff test sets it up"; echo "0 passed, 1 failed"; exit 1; }
exec "$python" tests/workers/check_workers.py "$@"
