"""Compares what was computed from a simulated world with the truth that the simulator wrote beside it.

    python tests/sim/check_truth.py WORLD --oracle            # computed by the oracle, here and now
    python tests/sim/check_truth.py WORLD --lake lake.duckdb  # computed by the engine (a closed lake file, or an export of one)
                                   [--key HEX] [--driver-namespace acme] [--driver-generation 0]

Precision and recall of every check must be 1, and every shipment, delivery group and driver-day of the truth must stand as
the world knows it. Prints a line per check and per table; exit code 1 if anything differs. Needs duckdb 1.5.5.

Findings are compared by (check, subject, anchor). Refused lines are compared by (check, anchor) alone, since their subject
is whatever could be read; only the engine has a door, so the oracle is not asked for them.
"""
import argparse
import glob
import hashlib
import hmac
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "oracle"))
import duckdb  # noqa: E402

DOOR = ["contract_violation", "unmapped_status", "coordinate_out_of_range", "schema_drift"]
PARTNER = "falcon"


def load_partner(con, world):
    """The partner's rows as the contract would map them, for the oracle, which reads native facts only."""
    con.execute(f"""
        insert into facts.shipment_events by name
        select '{PARTNER}' as namespace, scan_id as event_id, shipment_ref as shipment_id, status,
          strptime(scan_local_time, '%Y-%m-%d %H:%M:%S') + interval 7 hours as event_time, nullif(driver_ref, '') as driver_id,
          nullif(depot, '') as facility, nullif(remark, '') as reason, 0 as version, false as retracted, received_at::timestamp as ingest_time
        from read_csv('{world}/partner-*.csv', header = true, all_varchar = true)
        join read_csv('{HERE}/partner_codes.csv', header = true) using (scan_code)
        where received_at::timestamp <= event_time + interval 180 days""")


def watched(world):
    """Contract -> how much it tells when all is well."""
    return json.loads(pathlib.Path(world, "truth", "summary.json").read_text()).get("feeds")


def from_oracle(world, as_of):
    import oracle
    con = oracle.connect()
    oracle.load(con, world, {PARTNER: {"late_after_min": 24 * 60}}, watched(world))
    if glob.glob(f"{world}/partner-*.csv"):
        load_partner(con, world)
    oracle.compute(con, as_of)
    con.execute("""
        create view found as select check_name, subject, anchor from oracle_ops.findings;
        create view sla as select * from oracle_curated.shipment_sla;
        create view on_time as select * from oracle_curated.on_time_delivery;
        create view utilization as select * from oracle_curated.driver_utilization;""")
    return con


def from_lake(lake, world, key, namespace, generation):
    con = duckdb.connect(lake, read_only=True)
    ids = {row[0] for row in con.execute(f"""
        select driver_id from read_csv('{world}/truth/driver_days.csv') union
        select driver from read_csv('{world}/truth/findings.csv', all_varchar = true) where driver <> ''""").fetchall()}
    separator = "\x1f"
    keys = [(i, hmac.new(key, separator.join([namespace, i, generation]).encode(), hashlib.sha256).hexdigest()[:32]) for i in ids]
    con.execute("create temp table driver_keys (driver_id varchar, driver_key varchar)")
    if keys:
        con.executemany("insert into driver_keys values (?, ?)", keys)
    con.execute("""
        create temp view found as
          select check_name, coalesce(driver_id, subject) as subject, anchor from ops.findings f left join driver_keys k on k.driver_key = f.subject;
        create temp view sla as select * from curated.shipment_sla;
        create temp view on_time as select * from curated.on_time_delivery;
        create temp view utilization as select u.* replace (coalesce(driver_id, u.driver_key) as driver_key)
          from curated.driver_utilization u left join driver_keys k using (driver_key);""")
    return con


def differences(con, name, truth, computed):
    """Prints how many rows of each side the other lacks, and the first few; returns how many in all."""
    missing = con.execute(f"({truth}) except all ({computed})").fetchall()
    false = con.execute(f"({computed}) except all ({truth})").fetchall()
    total = con.execute(f"select count(*) from ({truth})").fetchone()[0]
    print(f"{name:24} {'ok' if not missing and not false else 'DIFFERS':8} truth {total:8,}  missing {len(missing):6,}  false {len(false):6,}")
    for label, rows in (("missing", missing), ("false", false)):
        for row in sorted(rows, key=str)[:5]:
            print(f"    {label}: {', '.join(str(v) for v in row)}")
    return len(missing) + len(false)


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("world")
    which = parse.add_mutually_exclusive_group(required=True)
    which.add_argument("--oracle", action="store_true")
    which.add_argument("--lake")
    parse.add_argument("--key", default=bytes(range(32)).hex(), help="the pseudonym key, hex (default: the demo key)")
    parse.add_argument("--driver-namespace", default="acme")
    parse.add_argument("--driver-generation", default="0")
    args = parse.parse_args()
    truth = f"{args.world}/truth"
    summary = json.loads(pathlib.Path(truth, "summary.json").read_text())
    if args.oracle:
        con = from_oracle(args.world, summary["as_of"])
    else:
        con = from_lake(args.lake, args.world, bytes.fromhex(args.key), args.driver_namespace, args.driver_generation)

    # A ping's anchor is its time, in whatever form.
    form = "coalesce(cast(try_cast(anchor as timestamp) as varchar), anchor) as anchor"
    con.execute(f"""
        create temp view planted as select check_name, subject, {form}
          from read_csv('{truth}/findings.csv', header = true, all_varchar = true, nullstr = '-');
        create temp view computed as select check_name, subject, {form} from found""")
    checks = [r[0] for r in con.execute("select distinct check_name from planted union select distinct check_name from computed order by 1").fetchall()]
    wrong = 0
    for check in checks:
        if check in DOOR and args.oracle:
            continue
        columns = "anchor" if check in DOOR else "subject, anchor"
        wrong += differences(con, check, f"select {columns} from planted where check_name = '{check}'",
                             f"select distinct {columns} from computed where check_name = '{check}'")

    print()
    wrong += differences(
        con, "shipments",
        f"""select shipment_id, state, current_status, delivered_at, attempts, sla_status, carrier_id, service_level
            from read_csv('{truth}/shipments.csv', header = true,
                          types = {{'delivered_at': 'timestamp', 'carrier_id': 'varchar', 'service_level': 'varchar'}})""",
        "select shipment_id, state, current_status, delivered_at, attempts, sla_status, carrier_id, service_level from sla")
    wrong += differences(
        con, "on_time",
        f"select delivery_date, carrier_id, delivered, on_time, late, early, first_attempt from read_csv('{truth}/on_time.csv', header = true)",
        """select delivery_date, carrier_id, sum(delivered)::bigint, sum(on_time)::bigint, sum(late)::bigint, sum(early)::bigint,
             sum(first_attempt)::bigint from on_time group by all""")
    wrong += differences(
        con, "driver_days",
        f"select driver_id, date, deliveries, attempts, assigned_s from read_csv('{truth}/driver_days.csv', header = true)",
        f"""select driver_key, date, deliveries, attempts, assigned_s from utilization
            where driver_key in (select driver_id from read_csv('{truth}/driver_days.csv', header = true))
              and (deliveries > 0 or attempts > 0 or assigned_s > 0)""")
    print(f"\n{'the truth, the whole truth' if wrong == 0 else f'{wrong} rows differ'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
