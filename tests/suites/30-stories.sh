#!/usr/bin/env bash
# suite: the rules, told by example to the real program; a folder of stories may follow, as in ./ff test stories FOLDER
# seconds: 88
# needs: dbt
# WORLDS=all tells every story in every world (stormy, killed), not a seeded dozen.
set -uo pipefail
python=${FF_VENV_DBT:-.deps/venv-dbt}/bin/python
log=$(mktemp)
trap 'rm -f "$log"' EXIT
tell() { "$python" tests/stories/tell.py "$@" | tee -a "$log"; }
if (($#)); then
  tell "$@"
else
  folders=(tests/stories)
  if [[ -d ${FLEETFLOW_SAMPLES:-../shared/data}/stories ]]; then folders+=("${FLEETFLOW_SAMPLES:-../shared/data}/stories"); else echo "SKIPPED: the sample stories (FLEETFLOW_SAMPLES is not set)"; fi
  "$python" tests/stories/check_rules.py "${folders[@]}" | tee -a "$log"
  if [[ ${WORLDS:-} == all ]]; then
    tell "${folders[@]}" --worlds told,stormy,killed
  else
    tell "${folders[@]}"
    echo "== a dozen of them stormy and killed"
    tell "${folders[@]}" --worlds stormy,killed --sample 12
  fi
fi
awk '/^[0-9]+ passed, [0-9]+ failed$/ {p += $1; f += $3} END {print p + 0 " passed, " f + 0 " failed"; exit f > 0 || p == 0}' "$log"
