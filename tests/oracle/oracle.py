"""Runs the oracle: loads a folder of native NDJSON facts and computes every table as of a moment, by SQL alone.

    python tests/oracle/oracle.py FOLDER --as-of 2026-03-09T00:00:00Z [--zone UTC] [--feeds '{"bolt": {"late_after_min": 1440}}']
                                  [--database FILE] [--out FOLDER]

With --out it leaves every oracle table as Parquet, <schema>.<table>.parquet. Needs duckdb 1.5.5, nothing else.
"""
import argparse
import glob
import hashlib
import hmac
import json
import pathlib
import sys
import time

import duckdb

HERE = pathlib.Path(__file__).resolve().parent
REFERENCE = HERE.parent.parent / "reference"
STEPS = ["core.sql", "gps.sql", "curated.sql", "findings.sql", "exceptions.sql"]
FEEDS = {"orders": "orders", "drivers": "drivers", "events": "events", "assignments": "assignments", "gps": "gps"}
DEMO_KEY = bytes(range(32))
SCHEMAS = ["oracle_core", "oracle_curated", "oracle_ops"]


def connect(database=":memory:", **settings):
    """A connection that has the reference tables."""
    con = duckdb.connect(database, config=settings)
    con.execute("set timezone = 'UTC'; set preserve_insertion_order = false")
    for schema in ["facts", "oracle", *SCHEMAS]:
        con.execute(f"create schema if not exists {schema}")
    for name in ["statuses", "transitions", "sla_policy", "exceptions", "exception_owners"]:
        con.execute(f"create or replace table oracle.{name} as from read_csv('{REFERENCE}/{name}.csv', header = true)")
    con.execute("create type if not exists status as enum (select status from oracle.statuses order by rank)")
    con.execute("alter table oracle.statuses alter status type status")
    con.execute("alter table oracle.transitions alter from_status type status")
    con.execute("alter table oracle.transitions alter to_status type status")
    return con


def driver_key(driver_id, key=DEMO_KEY, namespace="acme", generation="0"):
    """The pseudonym under which the product knows a driver."""
    return hmac.new(key, "\x1f".join([namespace, driver_id, generation]).encode(), hashlib.sha256).hexdigest()[:32]


def know_drivers(con):
    """oracle.driver_keys: the pseudonym of every driver that facts.* name."""
    ids = [i for (i,) in con.execute(
        "select driver_id from facts.drivers union select driver_id from facts.shipment_events "
        "union select driver_id from facts.driver_assignments union select driver_id from facts.gps_locations").fetchall() if i]
    con.execute("create or replace table oracle.driver_keys as select unnest(?::varchar[]) as driver_id, unnest(?::varchar[]) as driver_key",
                [ids, [driver_key(i) for i in ids]])


def load(con, folder, feeds=None, watched=None):
    """facts.* from a folder; feeds: namespace -> {late_after_min, historical} (default 15 minutes, not historical);
    watched: contract (orders, drivers, events, assignments or gps) -> {silent_after_min, records_per_day: [min, max]}."""
    con.execute("create or replace table oracle.watched (contract varchar, silent_after_min bigint, per_day_min bigint, per_day_max bigint)")
    for contract, feed in (watched or {}).items():
        con.execute("insert into oracle.watched values (?, ?, ?, ?)", [contract, feed.get("silent_after_min"), *feed.get("records_per_day", [None, None])])
    rows = [(None, 900)]
    for namespace, feed in (feeds or {}).items():
        rows.append((namespace, None if feed.get("historical") else 60 * feed.get("late_after_min", 15)))
    con.execute("create or replace table oracle.feeds (namespace varchar, late_after_s bigint)")
    con.executemany("insert into oracle.feeds values (?, ?)", rows)
    for variable, stem in FEEDS.items():
        files = sorted(glob.glob(f"{folder}/{stem}.ndjson") + glob.glob(f"{folder}/{stem}-*.ndjson"))
        con.execute(f"set variable {variable} = ?", [files or [str(HERE / 'empty.ndjson')]])
    con.execute((HERE / "load.sql").read_text())
    know_drivers(con)


def compute(con, as_of, zone="UTC", steps=None, clock=None):
    """Every table of the oracle, from facts.*, as of a moment."""
    con.execute("create or replace table oracle.params as select ?::timestamp as as_of, ? as reporting_zone", [as_of, zone])
    for step in steps or STEPS:
        start = time.monotonic()
        con.execute((HERE / step).read_text())
        if clock is not None:
            clock[step] = time.monotonic() - start


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("folder")
    parse.add_argument("--as-of", required=True)
    parse.add_argument("--zone", default="UTC")
    parse.add_argument("--feeds", type=json.loads, default={})
    parse.add_argument("--database", default=":memory:")
    parse.add_argument("--memory", default="8GB")
    parse.add_argument("--out")
    args = parse.parse_args()
    con = connect(args.database, memory_limit=args.memory)
    start = time.monotonic()
    load(con, args.folder, args.feeds)
    clock = {"load.sql": time.monotonic() - start}
    compute(con, args.as_of, args.zone, clock=clock)
    for step, seconds in clock.items():
        print(f"{step:16} {seconds:8.1f} s")
    tables = con.execute("select schema_name, table_name from duckdb_tables() "
                         "where schema_name in (select unnest(?)) order by all", [SCHEMAS]).fetchall()
    for schema, table in tables:
        print(f"{schema}.{table:24} {con.execute(f'select count(*) from {schema}.{table}').fetchone()[0]:12,} rows")
        if args.out:
            pathlib.Path(args.out).mkdir(parents=True, exist_ok=True)
            con.execute(f"copy {schema}.{table} to '{args.out}/{schema}.{table}.parquet' (format parquet)")


if __name__ == "__main__":
    sys.exit(main())
