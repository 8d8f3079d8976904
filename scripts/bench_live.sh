#!/usr/bin/env bash
# ./ff bench live: Kafka to curated, freshness, snapshot and changes, beside Flink and Debezium (bench/live).
# needs: kafka postgres clients flink debezium
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cmake --build build/release --target postgres_bench >/dev/null
exec .deps/venv-clients/bin/python bench/live/live.py "$@"
