"""Random worlds: the models equal the oracle, and the clock changes nothing that was not announced.

    python tests/models/check_worlds.py [SEEDS]                default 10 worlds

For each world and two moments, every model equals the oracle's table over all columns that both have. Then the clock
alone moves on by some hours: a shipment whose rows change must have had a deadline between, in ops.shipment_deadlines; a
driver whose rows change must have held a shipment between. That is what lets the engine leave all others alone.
"""
import sys
import tempfile

import oracle_lake
import project
import random_world
from check_models import differences

import oracle

FEEDS = {"bolt": {"late_after_min": 1440}}
WATCHED = {"events": {"silent_after_min": 45, "records_per_day": [20, 40]}, "bolt-events": {"silent_after_min": 90}, "gps": {"records_per_day": [50, 200]}}
MOMENTS = [("2026-03-03T10:00:00Z", "2026-03-03T19:00:00Z"), ("2026-03-07T12:00:00Z", "2026-03-07T20:30:00Z")]


def changed(con, models, kind, key):
    """Keys whose rows of any model of this kind differ between `curated`, `ops` and their copies before_*."""
    for m in models:
        if m.meta.get("touched") == kind:
            now, then = f"select * from {m.schema}.{m.name}", f"select * from before_{m.name}"
            for a, b in ((now, then), (then, now)):
                yield from ((m.name, k) for (k,) in con.execute(f"select distinct {key} from ({a} except all {b})").fetchall())


def check_clock(con, models, later):
    for m in models:
        con.execute(f"create or replace temp table before_{m.name} as from {m.schema}.{m.name}")
    con.execute("create or replace temp table before_clock as from ops.clock")
    con.execute("update ops.clock set as_of = ?", [later])
    project.build_in_duckdb(con, models)
    due = {k for (k,) in con.execute(
        "select shipment_id from before_shipment_deadlines, ops.clock n, before_clock t where due_at > t.as_of and due_at <= n.as_of").fetchall()}
    holding = {k for (k,) in con.execute(
        "select driver_key from core.driver_assignments, ops.clock n, before_clock t "
        "where valid_from <= n.as_of and coalesce(valid_to, counts_to_at_most) > t.as_of").fetchall()}
    yield from (("no deadline", *c) for c in changed(con, models, "shipments", "shipment_id") if c[1] not in due)
    yield from (("no holding", *c) for c in changed(con, models, "drivers", "driver_key") if c[1] not in holding)


def check(con, models, seed):
    with tempfile.TemporaryDirectory() as folder:
        random_world.write(random_world.world(seed), folder)
        oracle.load(con, folder, FEEDS, WATCHED)
    for n, (as_of, later) in enumerate(MOMENTS):
        zone = ("UTC", "America/New_York")[(seed + n) % 2]
        oracle.compute(con, as_of, zone)
        oracle_lake.fill(con, as_of, zone)
        project.build_in_duckdb(con, models)
        yield from ((as_of, zone, *d) for d in differences(con, models))
        yield from ((as_of, zone, *c) for c in check_clock(con, models, later))


def main(seeds):
    con, models, failed = oracle.connect(), project.read_models(), 0
    for seed in range(seeds):
        wrong = list(check(con, models, seed))
        failed += bool(wrong)
        for w in wrong[:10]:
            print(f"world {seed}:", *w, sep="\n  ")
    print(f"{seeds - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 10))
