#!/usr/bin/env bash
# ./ff demo FOLDER: your data files, by your contracts: FOLDER/contracts/*.yaml or FOLDER/*.yaml (docs/contracts.md).
# The folder is only read; the lake is made anew in build/demo-NAME.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
source "$root/scripts/demo_lib.sh"

[[ -d ${1:-} ]] || { echo "ff: no folder '${1:-}'. Usage: ./ff demo [--shipments N] | flights | FOLDER" >&2; exit 2; }
folder=$(cd "$1" && pwd)
if compgen -G "$folder/contracts/*.yaml" >/dev/null; then
  contracts=$folder/contracts
elif compgen -G "$folder/*.yaml" >/dev/null; then
  contracts=$folder
else
  echo "ff: $folder has no contract: neither contracts/*.yaml nor *.yaml. How to write one: docs/contracts.md" >&2
  exit 2
fi
demo=$root/build/demo-$(basename "$folder")
lake=$demo/lake
rm -rf "$demo"
mkdir -p "$demo"
faults=0

chapter "What is in $folder, by the contracts in $contracts"
timed "$FLEETFLOW" run --input "$folder" --contracts "$contracts" --lake "$lake"
"$FLEETFLOW" report --lake "$lake"
"$FLEETFLOW" report --lake "$lake" --html "$demo/report.html"
refused="from ops.quarantine group by all order by count(*) desc"
if [[ $("$FLEETFLOW" query --lake "$lake" "select reason $refused" | wc -l) -gt 2 ]]; then
  chapter "What was refused, and why"
  "$FLEETFLOW" query --lake "$lake" "select contract, reason, field, count(*) as records, any_value(detail) as for_example $refused"
fi
cat <<TEXT

  the page   $demo/report.html
  the lake   $lake/lake.duckdb
  ./ff query --lake $lake "select * from ops.quarantine limit 5"

TEXT
finish
