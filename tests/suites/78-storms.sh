#!/usr/bin/env bash
# suite: short seeded storms over Kafka, Postgres and the service: wires, brokers, databases, kills, stops, rebalances; nothing lost, nothing twice, and the law holds
# seconds: 79
# needs: kafka postgres clients dbt
# STORMS=n runs (4) from SEED=s (1) on, up to 20 minutes of them; for more: tests/live/storms.py --runs N
set -uo pipefail
exec .deps/venv-clients/bin/python tests/live/storms.py --seconds 1200 "$@"
