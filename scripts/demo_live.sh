#!/usr/bin/env bash
# ./ff demo live: a simulated company plays into real Kafka and Postgres, and FleetFlow follows it while you look.
#
# Everything is its own and lies in build/demo-live: servers, world, lake. In the end the servers stop, and a verifier that
# reads topics and tables itself says whether the lake holds what they hold.
# needs: kafka postgres clients dbt
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
source "$root/scripts/demo_lib.sh"
rate=2000 seconds=60
while (($#)); do
  case $1 in
    --rate) rate=${2:?"--rate RECORDS_A_SECOND"}; shift 2 ;;
    --seconds) seconds=${2:?"--seconds N"}; shift 2 ;;
    *) echo "ff demo live: no option '$1'; there are --rate N (2000) and --seconds N (60)" >&2; exit 2 ;;
  esac
done
demo=$root/build/demo-live
export FLEETFLOW_STACK=$demo/stack
python=$root/.deps/venv-clients/bin/python player=$(dirname "$FLEETFLOW")/live_player
faults=0 service=

stop_all() {
  [[ -z $service ]] || kill "$service" 2>/dev/null || true
  "$python" "$root/scripts/stack/up.py" down >/dev/null 2>&1 || true
}
trap stop_all EXIT
[[ ! -e $FLEETFLOW_STACK ]] || "$python" "$root/scripts/stack/up.py" down --purge >/dev/null 2>&1
rm -rf "$demo"
mkdir -p "$demo"

chapter "Real servers: Kafka for scans and pings, Postgres for orders, drivers and dispatch"
"$python" "$root/scripts/stack/up.py" up --without-registry
config=$FLEETFLOW_STACK/fleetflow.yaml lake=$FLEETFLOW_STACK/lake
listen=$(sed -n 's/^ *listen: *//p' "$config")

chapter "A company to play: $((rate * seconds)) records, $rate a second"
# A shipment is told in about 30 records; a few more of them than time, so that the play ends with the time.
"$FLEETFLOW" simulate --out "$demo/world" --shipments $((rate * seconds / 25 + 50)) --seed 7

chapter "FleetFlow follows: fleetflow run --config ${config#"$root/"}"
"$FLEETFLOW" run --quiet --config "$config" >"$demo/service.log" 2>&1 &
service=$!
bootstrap=$(sed -n 's/^ *brokers: *//p' "$config") postgres=$(sed -n 's/^ *conninfo: *//p' "$config")
"$player" "$demo/world" --bootstrap "$bootstrap" --postgres "$postgres" --rate "$rate" --seconds "$seconds" --quiet >"$demo/player.log" 2>&1 &
playing=$!
"$python" "$root/scripts/demo/live_screen.py" --metrics "http://$listen/metrics" --lake "$lake" --seconds $((seconds + 5))
wait "$playing" || { cat "$demo/player.log"; exit 1; }

chapter "The end of the play: what the sources hold, and what the lake holds"
sleep 5
expect "the service lived through it" "$(kill -0 "$service" 2>/dev/null && echo alive)" alive
kill -TERM "$service"
wait "$service" || faults=$((faults + 1))
service=
"$python" "$root/tests/live/verify.py" --lake "$lake" --bootstrap "$bootstrap" --postgres "$postgres" || faults=$((faults + 1))
say
say "The lake stays in ${lake#"$root/"}: FLEETFLOW_LAKE=$lake ./ff query \"select * from curated.on_time_delivery limit 5\""
finish
