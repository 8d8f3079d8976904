#!/usr/bin/env bash
# ./ff demo: FleetFlow shown to a stranger, in a few minutes, on one machine.
#
#   ./ff demo [--shipments N]   a simulated company whose every fault is known
#   ./ff demo flights           a year of real flights       (demo_flights.sh)
#   ./ff demo live              real Kafka and Postgres      (demo_live.sh)
#   ./ff demo FOLDER            data files and their contracts (demo_folder.sh)
#
# Everything is made again on every run and lies in build/demo. Ends with exit
# code 1 if anything that is shown is not as it is said to be.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
source "$root/scripts/demo_lib.sh"

shipments=20000 small=2000
case ${1:-} in
  flights) exec bash "$root/scripts/demo_flights.sh" ;;
  --shipments)
    shipments=${2:?"--shipments N"}
    ((small < shipments)) || small=$shipments
    ;;
  '') ;;
  *) exec bash "$root/scripts/demo_folder.sh" "$@" ;;
esac

demo=$root/build/demo
world=$demo/world lake=$demo/lake
faults=0
rm -rf "$demo"
mkdir -p "$demo"

simulated() { # FOLDER SHIPMENTS: makes a world; its end is the moment as of which we look.
  "$FLEETFLOW" simulate --out "$1" --shipments "$2" --days 5 --seed 11 --contracts contracts >&2
  as_of=$(sed -n 's/.*"as_of": "\(.*\)".*/\1/p' "$1/truth/summary.json")
}

chapter "A company's week: $shipments shipments, told by five systems"
say "Orders, drivers, dispatch commands, scans and GPS pings, as their systems would send them:
some twice, some late, some wrong and corrected later, some broken. What really happened is
written beside it, in world/truth, where FleetFlow does not look."
simulated "$world" "$shipments"

chapter "From raw facts to curated tables"
say "Decode, judge by contract, fold in keyed state, commit to the lake, run the SQL models:"
timed "$FLEETFLOW" run --input "$world" --lake "$lake" --as-of "$as_of"

chapter "The report"
"$FLEETFLOW" report --lake "$lake"
"$FLEETFLOW" report --lake "$lake" --html "$demo/report.html"
say "The same as a page with charts: ${demo#"$PWD/"}/report.html"

chapter "Is it right? Every fault that was put in, and every one that was found"
"$FLEETFLOW" query --lake "$lake" "$(against_the_truth checks.sql)"
mistakes=$("$FLEETFLOW" query --lake "$lake" --format csv "select sum(missed) + sum(\"false\") from ($(against_the_truth checks.sql))" | tail -1)
"$FLEETFLOW" query --lake "$lake" "$(against_the_truth tables.sql)"
unlike=$("$FLEETFLOW" query --lake "$lake" --format csv "select sum(different) from ($(against_the_truth tables.sql))" | tail -1)
expect "nothing missed, nothing false, every row as it happened" "$((mistakes + unlike))" 0

chapter "The law: same facts, same tables"
say "A smaller world ($small shipments), read three times: as it came; with every feed shuffled
from end to end and every fifth line doubled; and in small commits, killed with kill -9 in
the middle of three of them and started again."
law=$demo/law
simulated "$law/in-order" "$small" 2>/dev/null
timed "$FLEETFLOW" run --quiet --input "$law/in-order" --lake "$law/lake" --as-of "$as_of"
shuffled_and_doubled "$law/in-order" "$law/shuffled"
say; say "Shuffled and doubled ($(cat "$law"/in-order/*.ndjson | wc -l) lines became $(cat "$law"/shuffled/*.ndjson | wc -l)):"
"$FLEETFLOW" run --quiet --input "$law/shuffled" --lake "$law/lake-shuffled" --as-of "$as_of"
status=0; "$FLEETFLOW" compare "$law/lake" "$law/lake-shuffled" || status=$?
expect "shuffled and doubled: the same tables" "$status" 0
say; say "Killed three times:"
for point in core_written:3 lake_committed:2 state_written:2; do
  status=$(killed_at "$point" --input "$law/in-order" --lake "$law/lake-killed" --as-of "$as_of" --batch-records 8000)
  say "  kill -9 at the $(sed 's/_/ /; s/\(.*\):\(.*\)/point "\1", commit \2/' <<<"$point"): exit code $status, $(commits "$law/lake-killed") commits are in"
done
"$FLEETFLOW" run --quiet --input "$law/in-order" --lake "$law/lake-killed" --as-of "$as_of" --batch-records 8000
status=0; "$FLEETFLOW" compare "$law/lake" "$law/lake-killed" | tail -1 || status=$?
expect "killed and started again: the same tables" "$status" 0

chapter "One shipment's story"
id=$("$FLEETFLOW" query --lake "$lake" --format csv "$(cat "$root/scripts/demo/interesting.sql")" | tail -1)
"$FLEETFLOW" show shipment "$id" --lake "$lake"
say; say "Another one: ./ff show shipment ID"

chapter "A deadline passes in silence"
later=$(date -u -d "$as_of + 24 hours" +%Y-%m-%dT%H:%M:%SZ)
states="select sla_status, count(*) as shipments from curated.shipment_sla group by 1 order by 1"
say "Of the smaller world, as of $as_of:"
"$FLEETFLOW" query --lake "$law/lake" "$states"
say; say "Nothing more is heard. The same lake, looked at as of $later (run --as-of):"
"$FLEETFLOW" run --quiet --input "$law/in-order" --lake "$law/lake" --as-of "$later"
"$FLEETFLOW" query --lake "$law/lake" "$states"

chapter "Three questions in SQL"
for question in late-and-why who-had-it-when open-now; do
  say "$(sed -n 's/^-- //p' "$root/docs/questions/$question.sql")   [docs/questions/$question.sql]"
  "$FLEETFLOW" query --lake "$lake" "$(cat "$root/docs/questions/$question.sql")"
  say
done

chapter "Yours to look at"
"$FLEETFLOW" export --lake "$lake" --out "$demo/export"
cat <<TEXT
  the page      $demo/report.html
  the lake      $lake/lake.duckdb       DBeaver: new connection, DuckDB, this file
  as Parquet    $demo/export/curated/*.parquet
                notebook: duckdb.sql("from '$demo/export/curated/shipment_sla.parquet'").df()
  the input     $world

  ./ff query "select * from curated.driver_utilization limit 5"
  ./ff show shipment $id
  ./ff report --html my-report.html
  ./ff demo flights              a year of real flights, by a contract only
  ./ff demo FOLDER               your own files and a contract: docs/contracts.md
  ./ff test                      all of this, proven

TEXT
finish
