"""Builds the project with dbt on DuckDB, from an exported lake, with all its tests, and compares each row with the export.

    python tests/models/dbt_build.py EXPORT        EXPORT/<schema>/<table>.parquet, as `fleetflow export` writes it

A fresh DuckDB file gets the export's core and ops tables; dbt makes the rest beside them. Needs dbt-core 1.11, dbt-duckdb.
"""
import os
import pathlib
import sys
import tempfile

import duckdb
from dbt.cli.main import dbtRunner

import project


def fill(database, export, tables):
    with duckdb.connect(database) as con:
        for schema in ("core", "curated", "ops"):
            con.execute(f"create schema {schema}")
        for schema, table in tables:
            con.execute(f"create table {schema}.{table} as from '{export}/{schema}/{table}.parquet'")


def build(database, scratch):
    """Names of dbt's nodes that passed, and of those that did not."""
    os.environ["FLEETFLOW_LAKE"] = str(database)
    folder = str(project.ROOT / "models")
    result = dbtRunner().invoke(["--quiet", "--no-version-check", "build", "--project-dir", folder, "--profiles-dir", folder,
                                 "--target-path", f"{scratch}/target", "--log-path", f"{scratch}/logs"])
    if result.exception:
        raise result.exception
    nodes = [(r.node.name, str(r.status)) for r in result.result]
    return [n for n, s in nodes if s in ("success", "pass")], [n for n, s in nodes if s not in ("success", "pass")]


def differences(database, export, models):
    with duckdb.connect(database) as con:
        for m in models:
            names = ", ".join(c["name"] for c in m.doc["columns"])
            ours, theirs = f"select {names} from {m.schema}.{m.name}", f"select {names} from '{export}/{m.schema}/{m.name}.parquet'"
            for name, sql in (("dbt", f"{ours} except all {theirs}"), ("the export", f"{theirs} except all {ours}")):
                rows = con.execute(f"{sql} limit 3").fetchall()
                if rows:
                    yield f"{m.schema}.{m.name}: only in {name}: {rows}"


def main(export):
    models = project.read_models()
    with tempfile.TemporaryDirectory() as scratch:
        database = pathlib.Path(scratch) / "lake.duckdb"
        fill(database, export, sorted({s for m in models for s in m.sources}))
        passed, failed = build(database, scratch)
        different = list(differences(database, export, models))
    print("".join(f"dbt: {name} failed\n" for name in failed) + "".join(f"{d}\n" for d in different), end="")
    print(f"dbt: {len(passed)} models and tests done; {len(models)} models compared")
    wrong = len(failed) + len({d.split(":")[0] for d in different})
    print(f"{len(passed) + len(models) - wrong + len(failed)} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
