#!/usr/bin/env bash
# suite: our contracts are documents of the Open Data Contract Standard, and the guide shows what mistakes really print
# needs: contracts
set -uo pipefail
python=.deps/venv-contracts/bin/python
[[ -x $python ]] || { echo "20-contracts: $python is missing; ./ff test sets it up"; echo "0 passed, 1 failed"; exit 1; }
exec "$python" tests/contracts/check.py
