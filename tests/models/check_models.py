"""Tells every story to the models, over the oracle's core tables, and compares each expected table.

    python tests/models/check_models.py [FOLDER [NAME...]]     FOLDER of *.story, default $FLEETFLOW_SAMPLES/stories

The oracle's own curated tables, made from the same core by other hands, must hold the same rows too, at every moment of
every story: a story looks at a few columns, this looks at all that both have. Needs duckdb 1.5.5 and pyyaml.
"""
import os
import pathlib
import sys
import tempfile

import oracle_lake
import project

import check_stories as told  # tests/oracle, on the path by oracle_lake
import oracle

JUDGED = ("core", "curated", "ops")


def differences(con, models):
    """(table, rows only in the model, rows only in the oracle) for each table both have, over the columns both have."""
    for m in models:
        columns = [r[0] for r in con.execute(
            "select column_name from duckdb_columns() where schema_name = ? and table_name = ? intersect "
            "select column_name from duckdb_columns() where schema_name = ? and table_name = ?",
            [m.schema, m.name, f"oracle_{m.schema}", m.name]).fetchall()]
        if columns:
            names = ", ".join(sorted(columns))
            ours, theirs = f"select {names} from {m.schema}.{m.name}", f"select {names} from oracle_{m.schema}.{m.name}"
            only_ours = con.execute(f"{ours} except all {theirs} limit 5").fetchall()
            only_theirs = con.execute(f"{theirs} except all {ours} limit 5").fetchall()
            if only_ours or only_theirs:
                yield f"{m.schema}.{m.name} ({names})", only_ours, only_theirs


def check(con, story, models):
    """What is wrong, as text."""
    with tempfile.TemporaryDirectory() as facts:
        story.write(facts)
        oracle.load(con, facts, story.config.get("feeds"), story.config.get("watched"))
    for as_of, expectations in story.moments:
        zone = story.config.get("reporting_zone", "UTC")
        oracle.compute(con, as_of, zone)
        oracle_lake.fill(con, as_of, zone)
        project.build_in_duckdb(con, models)
        for e in expectations:
            got = e.differs(con)
            if got is not None:
                yield f"as of {as_of}: {e.table} {e.where or ''} {e.columns}\n  expected {sorted(e.rows)}\n  got      {got}"
        for table, only_ours, only_theirs in differences(con, models):
            yield f"as of {as_of}: {table}\n  only in the model  {only_ours}\n  only in the oracle {only_theirs}"


def main(folder, names):
    stories = [told.Story(p) for p in sorted(pathlib.Path(folder).glob("*.story")) if not names or any(n in p.stem for n in names)]
    if not stories:
        print(f"SKIPPED: no stories in {folder}; set FLEETFLOW_SAMPLES")
        return 0
    con, models, failed = oracle.connect(), project.read_models(), 0
    for story in stories:
        wrong = list(check(con, story, models))
        failed += bool(wrong)
        for text in wrong:
            print(f"{story.name}, {text}")
    print(f"{len(stories) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    samples = os.environ.get("FLEETFLOW_SAMPLES", project.ROOT.parent / "shared/data")
    sys.exit(main(*(sys.argv[1:2] or [f"{samples}/stories"]), sys.argv[2:]))
