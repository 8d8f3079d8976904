"""Holds an engine's lake against the oracle: every table that both have, row for row (S1.1, S1.2).

    python tests/law/compare_oracle.py WORLD LAKE [--as-of TIME]     WORLD: a folder of facts; LAKE: of `fleetflow run`

Compared are all columns that both sides have but the audit ones, which lie outside the law. The oracle names drivers by
their own ids and unnumbered events by another hash; both are translated first. What only the door sees is left to
tests/sim/check_truth.py. Exit code 1 and the first rows of each difference if anything differs.
"""
import argparse
import glob
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/oracle"), str(ROOT / "tests/sim")]
import check_truth  # noqa: E402
import oracle  # noqa: E402

AUDIT = {"source", "partition", "position", "publish_seq", "contract", "contract_version"}
NAMES_A_DRIVER = {"driver_key", "named_driver_key", "holder_driver_key", "delivered_by", "subject", "anchor"}
NAMES_AN_EVENT = {"event_id", "closed_by", "anchor"}
TABLES_THE_ORACLE_HAS = {"core": "oracle_core", "curated": "oracle_curated", "ops": "oracle_ops"}


class World:
    """The oracle's tables of one folder of facts, as of a moment, ready to be held against lakes."""

    def __init__(self, folder, as_of, zone="UTC"):
        self.con = oracle.connect(threads=1)
        summary = pathlib.Path(folder, "truth", "summary.json")
        oracle.load(self.con, str(folder), {check_truth.PARTNER: {"late_after_min": 24 * 60}}, check_truth.watched(folder) if summary.exists() else None)
        if glob.glob(f"{folder}/partner-*.csv"):
            check_truth.load_partner(self.con, str(folder))
            oracle.know_drivers(self.con)
        self.move_to(as_of, zone)

    def move_to(self, as_of, zone="UTC"):
        oracle.compute(self.con, as_of, zone)

    def differences(self, lake_file):
        """(table, only the engine has, only the oracle has) of every table that differs."""
        con = self.con
        con.execute(f"attach '{lake_file}' as lake (read_only)")
        try:
            con.execute("""
                create or replace temp table event_names as
                select o.event_id as theirs, any_value(e.event_id) as ours
                from oracle_core.shipment_events o join lake.core.shipment_events e using (shipment_id, namespace, event_time)
                where o.event_id like 'h:%' and e.event_id like 'h:%' and o.status::varchar = e.status and o.facility is not distinct from e.facility
                group by o.event_id""")
            self.compared = list(self.shared())
            return [d for shared in self.compared if (d := self.difference(*shared))]
        finally:
            con.execute("detach lake")

    def shared(self):
        """(schema, table, columns) of what both sides have."""
        has = {}
        for database, schema, table, column in self.con.execute(
                "select table_catalog, table_schema, table_name, column_name from information_schema.columns order by all").fetchall():
            has.setdefault((database == "lake", schema, table), []).append(column)
        for ours, theirs in TABLES_THE_ORACLE_HAS.items():
            for (in_lake, schema, table), columns in has.items():
                if not in_lake and schema == theirs and (True, ours, table) in has:
                    yield ours, table, [c for c in columns if c in has[True, ours, table] and c not in AUDIT]

    def difference(self, schema, table, columns):
        def theirs(column):
            value = f"{column}::varchar" if column in NAMES_A_DRIVER | NAMES_AN_EVENT | {"status", "state", "current_status"} else column
            if column in NAMES_A_DRIVER:
                value = f"coalesce((select any_value(k.driver_key) from oracle.driver_keys k where k.driver_id = o.{column}), {value})"
            if column in NAMES_AN_EVENT:
                value = f"coalesce((select any_value(ours) from event_names n where n.theirs = o.{column}), {value})"
            return f"{value} as {column}"

        seen = f" where check_name not in ({', '.join(repr(c) for c in check_truth.DOOR)})" if table == "findings" else ""
        engine = f"select {', '.join(columns)} from lake.{schema}.{table}{seen}"
        told = f"select {', '.join(map(theirs, columns))} from {TABLES_THE_ORACLE_HAS[schema]}.{table} o"
        false = self.con.execute(f"({engine}) except all ({told})").fetchall()
        missing = self.con.execute(f"({told}) except all ({engine})").fetchall()
        return (f"{schema}.{table} ({', '.join(columns)})", sorted(map(str, false)), sorted(map(str, missing))) if false or missing else None


def report(differences, rows_max=5):
    """The differences as text, one line a row."""
    lines = []
    for table, false, missing in differences:
        lines.append(f"{table}: {len(false)} rows only in the lake, {len(missing)} only in the oracle")
        lines += [f"    lake:   {row}" for row in false[:rows_max]] + [f"    oracle: {row}" for row in missing[:rows_max]]
    return "\n".join(lines)


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("world", type=pathlib.Path)
    parse.add_argument("lake", type=pathlib.Path)
    parse.add_argument("--as-of", help="default: the lake's own clock")
    args = parse.parse_args()
    lake_file = args.lake / "lake.duckdb"
    with oracle.duckdb.connect(str(lake_file), read_only=True) as con:
        as_of, zone = con.execute("select as_of, reporting_zone from ops.clock").fetchone()
    world = World(args.world, args.as_of or as_of, zone)
    wrong = world.differences(lake_file)
    print(report(wrong) or f"equal: {', '.join(f'{schema}.{table}' for schema, table, _ in world.compared)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
