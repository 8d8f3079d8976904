#!/usr/bin/env bash
# suite: Kafka source and publisher on a real broker and registry: kills, rebalances, gaps, poison, cut wires, SASL and TLS
# seconds: 200
# needs: kafka registry clients
set -uo pipefail
python=.deps/venv-clients/bin/python
[[ -x $python ]] || { echo "57-kafka: $python is missing; ./ff test sets it up"; echo "0 passed, 1 failed"; exit 1; }
exec "$python" tests/kafka/check_kafka.py "$@"
