# What the demos share. Sourced, never run; expects $root, and $FLEETFLOW (the program).
# The words of a demo go to stdout; progress goes to stderr.

FLEETFLOW=${FLEETFLOW:-$root/build/release/bin/fleetflow}
unset FLEETFLOW_LAKE
demo_started=$SECONDS
chapters=0

say() { printf '%s\n' "$*"; }
chapter() {
  chapters=$((chapters + 1))
  printf '\n\n%d  %s\n%s\n' "$chapters" "$1" "$(printf '%.0s-' {1..100})"
}

timed() {
  local started=$SECONDS
  "$@"
  say "  done in $((SECONDS - started)) s"
}

# expect WHAT GOT WANTED: says whether it is so; the demo goes on, and remembers.
expect() {
  if [[ $2 == "$3" ]]; then
    say; say "  ✔ $1"
  else
    say; say "  ✘ NOT SO: $1 (got $2, expected $3)"
    faults=$((faults + 1))
  fi
}

finish() {
  say "$((SECONDS - demo_started)) s. $( ((faults)) && echo "$faults things were NOT as they should be." || echo "Everything was as it should be.")"
  ((faults == 0))
}

# A question that compares the lake with the simulated world's truth.
against_the_truth() { # FILE in scripts/demo
  [[ -e $demo/driver_keys.csv ]] || driver_keys >"$demo/driver_keys.csv"
  sed "s|{truth}|$world/truth|g; s|{keys}|$demo/driver_keys.csv|g" "$root/scripts/demo/$1"
}
# The lake knows drivers by pseudonym only; whoever has the key can make them.
driver_keys() {
  local ids
  mapfile -t ids < <(cut -d, -f4 "$world/truth/findings.csv" | tail -n +2 | sort -u | grep .)
  echo driver_id,driver_key
  ((${#ids[@]} == 0)) || paste -d, <(printf '%s\n' "${ids[@]}") <("$FLEETFLOW" driver-key acme "${ids[@]}")
}

# Each feed as one heap: shuffled from end to end, every fifth line told twice, in other files than before.
shuffled_and_doubled() { # FROM TO
  local feed
  mkdir -p "$2"
  cp -r "$1/contracts" "$2/"
  for feed in orders drivers events assignments gps; do
    awk 'BEGIN { srand(7) } { printf "%.9f\t%s\n", rand(), $0 } rand() < 0.2 { printf "%.9f\t%s\n", rand(), $0 }' "$1/$feed"-*.ndjson |
      LC_ALL=C sort | cut -f2- | split -n r/3 --numeric-suffixes=1 -a 4 --additional-suffix=.ndjson - "$2/$feed-"
  done
  find "$1" -name '*.ndjson' -empty -exec cp -t "$2" {} + # that a file is empty is told too
}

# A run that kills itself at a point of its commit; its exit code.
killed_at() { # POINT ARG...
  local status=0
  (FLEETFLOW_CRASH_AT=$1 "$FLEETFLOW" run --quiet "${@:2}"; exit "$?") >/dev/null 2>&1 || status=$?
  echo "$status"
}
commits() { "$FLEETFLOW" query --lake "$1" --format csv "select count(*) from ops.commits" | tail -1; }
