#!/usr/bin/env bash
# Measures the engine end to end, beside what it is measured against, in one run:
#   a  the engine: NDJSON files -> raw, core, curated committed (fsync per commit)
#   b  plain SQL in DuckDB with the same outputs: the oracle of tests/oracle, as a SQL person would write it
#   c  reading and judging only, nothing kept: the floor
# Says what it ran on. Nothing here is a test: no time fails anything.
# needs: dbt
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
usage() {
  cat <<'TEXT'
./ff bench engine [--shipments N] [--batch-records N] [--memory-limit SIZE] [--no-oracle] [--keep]
  --shipments N      of about 20 events and 15 pings each (default 50000)
  --batch-records N  records in one commit (default 200000, as of `fleetflow run`)
  --memory-limit S   DuckDB's share in the engine (default 512MB, as of `fleetflow run`)
  --no-oracle        leave out the plain SQL, which takes longest
  --keep             leave world and lakes in build/bench for a look
TEXT
}
what=${1:-}
[[ $what == engine ]] || { usage; exit 2; }
shift
shipments=50000 batch=200000 memory=512MB oracle=yes keep=no
while (($#)); do
  case $1 in
    --shipments) shipments=$2; shift 2 ;;
    --batch-records) batch=$2; shift 2 ;;
    --memory-limit) memory=$2; shift 2 ;;
    --no-oracle) oracle=no; shift ;;
    --keep) keep=yes; shift ;;
    *) usage >&2; exit 2 ;;
  esac
done
program=${FLEETFLOW:-build/release/bin/fleetflow}
python=.deps/venv-dbt/bin/python
dir=build/bench
rm -rf "$dir"
mkdir -p "$dir"

# measured NAME COMMAND...: user+system seconds, wall seconds and peak KB of a command into NAME.*
measured() {
  local name=$1
  shift
  "$python" - "$dir/$name" "$@" <<'PY'
import json, resource, subprocess, sys, time
name, command = sys.argv[1], sys.argv[2:]
start = time.monotonic()
with open(name + ".log", "w") as log:
    code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
json.dump({"wall": time.monotonic() - start, "cpu": used.ru_utime + used.ru_stime, "rss_mb": used.ru_maxrss / 1024}, open(name + ".json", "w"))
if code:
    sys.exit(f"{' '.join(command)}: exit {code}\n" + open(name + ".log").read()[-2000:])
PY
}

echo "making the world: $shipments shipments"
"$program" simulate --profile bench --shipments "$shipments" --out "$dir/world" >"$dir/world.log"
cat "$dir/world.log"
cat "$dir"/world/*.ndjson >/dev/null # into the page cache, for all alike
echo "c  reading and judging only"
measured parse "$program" check --input "$dir/world"
echo "a  the engine"
measured engine "$program" run --quiet --profile --input "$dir/world" --lake "$dir/lake" --batch-records "$batch" --memory-limit "$memory"
as_of=$("$program" query --lake "$dir/lake" --format csv "select strftime(as_of, '%Y-%m-%dT%H:%M:%S.%fZ') from ops.clock" | tail -1)
echo "   restart, to a first commit after it"
measured restart "$program" run --quiet --input "$dir/world" --lake "$dir/lake" --as-of "$(date -u -d "${as_of%.*}Z + 1 minute" +%Y-%m-%dT%H:%M:%SZ)"
if [[ $oracle == yes ]]; then
  echo "b  plain SQL"
  measured oracle "$python" tests/oracle/oracle.py "$dir/world" --as-of "$as_of" --database "$dir/plain_sql.duckdb"
fi

counts=$("$program" query --lake "$dir/lake" --format csv "select (select count(*) from raw.shipment_events), (select count(*) from raw.gps_locations), (select count(*) from raw.shipments) + (select count(*) from raw.drivers) + (select count(*) from raw.driver_assignments), (select count(*) from core.shipments), (select count(*) from ops.commits)" | tail -1)
state_kb=$(du -sk "$dir/lake/state" | cut -f1)
lake_kb=$(du -sk "$dir/lake/lake.duckdb" | cut -f1)
"$python" - "$dir" "$counts" "$state_kb" "$lake_kb" <<'PY'
import json, os, platform, subprocess, sys
folder, counts, state_kb, lake_kb = sys.argv[1], [int(c) for c in sys.argv[2].split(",")], int(sys.argv[3]), int(sys.argv[4])
events, pings, others, shipments, commits = counts
facts = events + pings + others
commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
print(f"\ncommit {commit}, {cpu}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {events:,} events, {pings:,} pings, {others:,} other facts; {commits} commits, each durable (fsync) before the next")
print(f"{'':28}{'wall s':>9}{'CPU s':>9}{'facts/s':>11}{'events/s':>11}{'CPU us/fact':>13}{'peak MB':>9}")
for name, title in (("engine", "a  engine, all tables"), ("oracle", "b  plain SQL, all tables"), ("parse", "c  reading and judging only")):
    path = f"{folder}/{name}.json"
    if os.path.exists(path):
        m = json.load(open(path))
        print(f"{title:28}{m['wall']:9.1f}{m['cpu']:9.1f}{facts / m['wall']:11,.0f}{events / m['wall']:11,.0f}{m['cpu'] / facts * 1e6:13.2f}{m['rss_mb']:9.0f}")
print(f"\nrestart to first commit: {json.load(open(folder + '/restart.json'))['wall']:.2f} s; state {state_kb * 1024 / shipments:.0f} B a shipment on disk; lake {lake_kb * 1024 / facts:.0f} B a fact")
print("\nwhere the engine's thread spent its time:")
print(open(folder + "/engine.log").read())
PY
[[ $keep == yes ]] || rm -rf "$dir/world" "$dir/lake" "$dir/plain_sql.duckdb"
