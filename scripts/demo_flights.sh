#!/usr/bin/env bash
# ./ff demo flights: 336,776 real flights, brought in by a contract and nothing else.
#
# A leg is a shipment, its schedule the promise, the aircraft the driver. The figures are compared with independently
# computed ones (FLEETFLOW_SAMPLES/flights-nyc13/expected.json) where these are at hand.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
source "$root/scripts/demo_lib.sh"
samples=${FLEETFLOW_SAMPLES:-$root/../shared/data}
demo=$root/build/demo-flights
lake=$demo/lake
faults=0

"$root/ff" setup flights
rm -rf "$demo"
mkdir -p "$demo/in"
ln "$root/.deps/flights/flights.csv" "$demo/in/" 2>/dev/null || cp "$root/.deps/flights/flights.csv" "$demo/in/"

chapter "A year of flights from New York, as a world of shipments"
say "One CSV file of the US Bureau of Transportation Statistics, 2013; one contract: examples/flights/contract.yaml.
A leg is a shipment, its schedule the promise with 14 minutes' grace, its aircraft the driver, its time
in the air the driving. Cancelled and diverted legs are exceptions. Days are days of New York."
timed "$FLEETFLOW" run --batch-records 600000 --input "$demo/in" --contracts "$root/examples/flights" --lake "$lake"

{ echo tailnum; "$FLEETFLOW" query --lake "$lake" --format csv "select distinct tailnum from read_csv('$demo/in/flights.csv', all_varchar = true) where tailnum <> 'NA' order by 1" | tail -n +2; } >"$demo/tails"
# shellcheck disable=SC2046 # one word an id is what is wanted
paste -d, "$demo/tails" <(echo driver_key; "$FLEETFLOW" driver-key bts $(tail -n +2 "$demo/tails")) >"$demo/tails.csv"
figures=$(sed "s|{tails}|$demo/tails.csv|" "$root/scripts/demo/flights_figures.sql")
table() { # WHAT SELECT-LIST: one part of the figures, a row per key
  "$FLEETFLOW" query --lake "$lake" "$2 from (pivot ($figures) on figure using first(value)) where what = '$1' $3"
}

chapter "On time by carrier"
table carrier "select key as carrier, rows::int as legs, cancelled::int as cancelled, diverted::int as diverted, on_time0::int as on_schedule, on_time15::int as on_time, round(100 * on_time15 / (rows - cancelled - diverted), 1) as pct_of_arrived, round(100 * rate_all_15, 1) as pct_of_all, avg_arr_delay as avg_delay_min" "order by key"
say
say "Two rates, because a leg that never arrived has no delay: 'pct_of_arrived' leaves cancelled and diverted legs
out, as curated.on_time_delivery does; 'pct_of_all' (rate_all in the published figures) counts them as not on
time, as a passenger would. What lies between them:"
"$FLEETFLOW" query --lake "$lake" "select current_status as ended_as, sla_status, count(*) as legs, case when current_status = 'delivered' then 'in both rates' else 'not on time in pct_of_all, not there in pct_of_arrived' end as counted from curated.shipment_sla group by all order by legs desc"

chapter "On time by month"
table month "select key::int as month, rows::int as legs, cancelled::int as cancelled, on_time15::int as on_time, round(100 * on_time15 / rows, 1) as pct_of_all" "order by key::int"

chapter "The 20 aircraft longest in the air"
table aircraft "select key as tail, legs::int as legs, air_minutes::int as air_minutes, active_days::int as days" "order by air_minutes desc, key"

if [[ -e $samples/flights-nyc13/expected.json ]]; then
  expected=$(sed "s|{expected}|$samples/flights-nyc13/expected.json|" "$root/scripts/demo/flights_expected.sql")
  chapter "Beside the figures that others computed"
  "$FLEETFLOW" query --lake "$lake" "select what, key, figure, e.value as expected, f.value as ours from ($expected) e full join ($figures) f using (what, key, figure) where e.value is distinct from f.value order by all" >"$demo/differences"
  [[ $(wc -l <"$demo/differences") -le 2 ]] || cat "$demo/differences"
  equal=$("$FLEETFLOW" query --lake "$lake" --format csv "select count(*) from ($expected) e join ($figures) f using (what, key, figure, value)" | tail -1)
  expect "equal to expected: $equal figures, $(($(wc -l <"$demo/differences") - 2)) different" "$(wc -l <"$demo/differences")" 2
else
  say; say "No expected figures to compare with (FLEETFLOW_SAMPLES/flights-nyc13/expected.json)."
fi

chapter "Yours to look at"
"$FLEETFLOW" report --lake "$lake" --html "$demo/report.html"
cat <<TEXT
  the page   $demo/report.html
  the lake   $lake/lake.duckdb
  ./ff query --lake ${lake#"$PWD/"} "select * from curated.carrier_scorecard order by month, carrier_id limit 20"

TEXT
finish
