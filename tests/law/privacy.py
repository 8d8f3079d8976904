"""No personal data behind the door (S7.1, S7.2): searches every byte that the program writes for what the simulator planted.

    python tests/law/privacy.py [SEED]

Planted are names, phones, e-mails, licence numbers, home addresses and dates of birth (truth/pii.txt), in good records and
in broken ones; raw driver ids must not get through either. Searched are the lake file and its WAL, keyed state, temporary
files, the Parquet export and all output, after a crash and after a full run, as bytes and decompressed: every text of every
table and of every entry of the state. The search must be able to fail: a copy with one planted string has to be found out.
"""
import pathlib
import random
import re
import shutil
import subprocess
import sys

import duckdb
import engine
import worlds

DRIVER_ID = re.compile(rb"\bD\d{6}\b")


def forbidden(world):
    """A search for every planted string, and for raw driver ids."""
    planted = [line.split("\t")[-1].strip() for line in (world / "truth" / "pii.txt").read_text().splitlines() if line.strip()]
    assert len(planted) > 50, "the world has hardly any personal data"
    patterns = sorted({p.encode() for p in planted})
    return planted, lambda data: {p.decode() for p in patterns if p in data} | {m.decode() for m in DRIVER_ID.findall(data)}


def texts_of(lake_file):
    """(table.column, all its texts) of every text column."""
    with duckdb.connect(str(lake_file), read_only=True) as con:
        for schema, table, column in con.execute("select table_schema, table_name, column_name from information_schema.columns where data_type = 'VARCHAR' "
                                                 "and table_schema in ('raw', 'core', 'curated', 'ops')").fetchall():
            yield f"{schema}.{table}.{column}", "\n".join(v for (v,) in con.execute(f'select distinct "{column}" from {schema}.{table} where "{column}" is not null').fetchall()).encode()


def hits(folder, found_in):
    """(where, what) for every forbidden string below a folder, in files and in tables."""
    wrong = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        wrong += [(str(path.relative_to(folder)), what) for what in found_in(path.read_bytes())]
        if path.name == "lake.duckdb":
            wrong += [(where, what) for where, text in texts_of(path) for what in found_in(text)]
        if path.suffix == ".parquet":
            rows = duckdb.connect().execute(f"select * from '{path}'").fetchall()
            wrong += [(f"{path.relative_to(folder)} (rows)", what) for what in found_in(repr(rows).encode())]
    return wrong


def judge(seed, folder):
    world, written, lines = folder / "world", folder / "written", []
    as_of = worlds.lifelike(engine.PROGRAM, world, seed, partner=True, shipments=150)
    planted, found_in = forbidden(world)
    written.mkdir()
    passed = failed = 0

    def check(name, wrong):
        nonlocal passed, failed
        passed, failed = passed + (not wrong), failed + bool(wrong)
        lines.append(f"{name:58} {'ok' if not wrong else 'FAILED'}")
        lines.extend(f"    {w}" for w in wrong[:8])

    def run(name, **how):
        done = engine.run(world, written / "lake", "--as-of", as_of, "--batch-records", "500", "--profile", ok=(0, engine.KILLED), **how)
        (written / f"{name}.output").write_text(done.stdout + done.stderr)

    source = b"".join(p.read_bytes() for p in world.glob("*.*"))
    check("the facts do carry what was planted, and raw driver ids", [] if len(found_in(source)) > len(set(planted)) // 2 and DRIVER_ID.search(source) else ["too little"])
    run("crashed", crash_at="marks_written:3")
    check("after a crash inside a commit: no byte of it", hits(written, found_in))
    run("ended")
    done = subprocess.run([engine.PROGRAM, "export", "--lake", written / "lake", "--out", written / "export"], capture_output=True, text=True)
    (written / "export.output").write_text(done.stdout + done.stderr)
    check("after the run, in lake, state, temporary files, export", hits(written, found_in))
    check("an export was written", [] if list((written / "export").rglob("*.parquet")) else [done.stderr])

    control = folder / "control"
    shutil.copytree(written / "lake", control / "lake")
    shutil.rmtree(control / "lake" / "tmp", ignore_errors=True)
    secret = random.Random(seed).choice(planted)
    with duckdb.connect(str(control / "lake" / "lake.duckdb")) as con:
        con.execute("insert into ops.quarantine (raw) values (?)", [f"driver {secret} left"])
    check("control: one string planted in a table is found", [] if hits(control, found_in) else ["not found"])
    (written / "state.log").write_text(f"...{secret}...")
    check("control: one string planted in a file is found", [] if hits(written, found_in) else ["not found"])
    return passed, failed, "\n".join(lines)


if __name__ == "__main__":
    sys.exit(engine.each(judge, [int(sys.argv[1]) if sys.argv[1:] else 1], workers=1))
