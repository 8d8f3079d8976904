"""Holds an engine's lake against itself: every model computed anew and in full from the lake's own core, row for row.

    python tests/law/full_build.py LAKE [NAME...]        LAKE: of `fleetflow run`; NAME: models, default all

What the engine recomputes part by part must equal that, also where the oracle has no such table (deadlines, spells).
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/models"), str(ROOT / "tests/oracle")]
import duckdb  # noqa: E402
import project  # noqa: E402


def differences(lake_file, names=()):
    """(table, rows only in the lake, rows only in the full build) of every model that differs."""
    con = duckdb.connect(config={"threads": 1})
    con.execute(f"set timezone = 'UTC'; attach '{lake_file}' as lake (read_only)")
    con.execute("create macro unix_micros(t) as epoch_us(t); create macro timestamp_micros(u) as make_timestamp(u)")
    wrong = []
    for m in project.read_models():
        con.execute(f"create temp {'view' if m.is_view else 'table'} {m.name} as "
                    + m.render(lambda schema, name: f"lake.{schema}.{name}" if schema else name))
        if m.is_view or names and m.name not in names:
            continue
        kept, fresh = f"select * from lake.{m.schema}.{m.name}", f"select * from {m.name}"
        false, missing = con.execute(f"{kept} except all {fresh}").fetchall(), con.execute(f"{fresh} except all {kept}").fetchall()
        if false or missing:
            wrong.append((f"{m.schema}.{m.name}, built in full", sorted(map(str, false)), sorted(map(str, missing))))
    return wrong


def main(lake, names):
    wrong = differences(pathlib.Path(lake) / "lake.duckdb", names)
    for table, false, missing in wrong:
        print(f"{table}: {len(false)} rows only in the lake, {len(missing)} only in the full build", *false[:5], "--", *missing[:5], sep="\n    ")
    print("equal" if not wrong else f"{len(wrong)} models differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
