#!/usr/bin/env bash
# suite: the map of the house is true: folder arrows, ARCHITECTURE.md, documented commands
set -uo pipefail
exec python3 tests/house/check_house.py
