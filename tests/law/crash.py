"""Kills without warning: whenever the engine dies, the next run goes on, and in the end nothing is lost and nothing is twice.

    python tests/law/crash.py [SEED...]       CRASHES=n kills in all (200), a quarter of them at no particular place

A world's facts lie in many files, each a commit (one commit in all for the undisturbed run), in half of the worlds curated on the way, in half at the end. The engine is killed (SIGKILL
by itself at a named crash point, or from outside after a random while), started again, killed again, until it gets through; then its lake must equal that of a run
nobody disturbed, raw records and quarantine included. Every place that `fleetflow crash-points` lists is visited, most at
their first, second and third passing. Only kills that really happened are counted. A seed repeats everything but the
moments of the kills from outside, which are the machine's.
"""
import collections
import os
import random
import subprocess
import sys

import duckdb
import engine
import worlds

SHIPMENTS, FILES_MAX = 40, 10
# Where a run seldom comes by: one commit in sixteen; drivers on their own, who follow only in a lake that has had a cycle.
RARE = ("state_flushed", "drivers_written", "drivers_committed")
AUDIT = {"contract", "contract_version", "source", "partition", "position", "publish_seq"}  # which of two copies counts may differ
# Outside the law: history of belief, log of what was noticed when, the commits themselves, ages.
APART = {"ops.driver_assignment_history", "ops.finding_log", "ops.commits", "ops.marks", "curated.pipeline_freshness", "curated.data_quality_daily"}
# A record that does not say when it was heard of has the arrival of its file, and each lake saw its file arrive at a time of its own.
ARRIVAL = {"ops.files": {"ingest_time"}, "ops.quarantine": {"ingest_time"}, "ops.schema_drift": {"first_ingest_time", "source"}}
DOOR = "('contract_violation', 'unmapped_status', 'coordinate_out_of_range', 'schema_drift')"


def differences(calm_file, stormy_file):
    con = duckdb.connect(config={"threads": 1})
    con.execute(f"attach '{calm_file}' as calm (read_only); attach '{stormy_file}' as stormy (read_only)")
    tables = con.execute("select table_schema || '.' || table_name, list(column_name order by ordinal_position) from information_schema.columns "
                         "where table_catalog = 'calm' and table_schema in ('raw', 'core', 'curated', 'ops') group by 1 order by 1").fetchall()
    wrong = []
    for table, columns in tables:
        if table in APART:
            continue
        apart = (set() if table.startswith("raw.") or table == "ops.quarantine" else AUDIT) | ARRIVAL.get(table, {"ingest_time"} if table.startswith("raw.") else set())
        shown = ", ".join(f"if(check_name in {DOOR}, null, {c}) as {c}" if table.startswith("ops.findings") and c in ("opened_at", "resolved_at") else c
                          for c in columns if c not in apart)
        calm, stormy = (f"select {shown} from {lake}.{table}" for lake in ("calm", "stormy"))
        for what, sql in (("lost", f"{calm} except all {stormy}"), ("too many", f"{stormy} except all {calm}")):
            rows = con.execute(sql).fetchall()
            wrong += [f"{table}: {len(rows)} rows {what}"] + [f"    {row}" for row in rows[:3]] if rows else []
    undone = con.execute("select path from stormy.ops.files where not done").fetchall()
    return wrong + [f"not done: {path}" for (path,) in undone]


def killed_from_outside(world, lake, as_of, after_s):
    """Whether it was still alive to be killed."""
    process = subprocess.Popen([engine.PROGRAM, "run", "--quiet", "--threads", "1", "--batch-records", "1", "--input", world, "--lake", lake, "--as-of", as_of],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() == engine.KILLED


def judge(case, folder):
    seed, kills_wanted = case
    chance, points = random.Random(seed), engine.crash_points()
    appointments = [(p, n) for p in points for n in ((1,) if p in ("files_noted", *RARE) else (1, 2, 3))]
    kept, passed, failed, lines = collections.Counter(), 0, 0, []
    waiting = []
    while sum(kept.values()) < kills_wanted or not all(kept[p] for p in RARE):
        seed_now = f"{seed}.{passed + failed}"
        base, world = folder / seed_now, folder / seed_now / "world"
        as_of = worlds.lifelike(engine.PROGRAM, base / "whole", int(seed * 1000 + passed + failed), shipments=SHIPMENTS)
        worlds.scatter(base / "whole", world, chance, files_max=FILES_MAX)
        rare, curate_every, before = list(RARE if not all(kept[p] for p in RARE) else ()), chance.choice("03"), sum(kept.values())
        words = ["--as-of", as_of, "--batch-records", "1", "--curate-every", "3" if rare else curate_every]
        engine.run(world, base / "calm", "--as-of", as_of)
        done = False
        while not done:
            if rare:
                point = rare.pop(0)
                done = engine.run(world, base / "lake", *words, crash_at=f"{point}:1", ok=(0, engine.KILLED)).returncode == 0
                kept[point] += not done
                continue
            if chance.random() < 0.25:
                was_killed = killed_from_outside(world, base / "lake", as_of, chance.uniform(0, 0.8))
                kept["(anywhere)"] += was_killed
                done = not was_killed
                continue
            if not waiting:
                waiting = chance.sample(appointments, len(appointments))
            point, passing = waiting.pop()
            done = engine.run(world, base / "lake", *words, crash_at=f"{point}:{passing}", ok=(0, engine.KILLED)).returncode == 0
            kept[point] += not done
        wrong = differences(base / "calm" / "lake.duckdb", base / "lake" / "lake.duckdb")
        passed, failed = passed + (not wrong), failed + bool(wrong)
        lines.append(f"world {seed_now}: {sum(kept.values()) - before:4} kills, then {'equal' if not wrong else 'DIFFERS; again: CRASHES=' + str(kills_wanted) + ' tests/law/crash.py ' + str(seed)}")
        lines += wrong[:20]
    lines.append(f"worker {seed}: " + ", ".join(f"{point} {count}" for point, count in sorted(kept.items())))
    never = [p for p in points if not kept[p]]
    if never:
        failed, lines = failed + 1, lines + [f"never killed at: {', '.join(never)}"]
    return passed, failed, "\n".join([*lines, f"kills: {sum(kept.values())}"])


def main(seeds):
    kills = int(os.environ.get("CRASHES", 200))
    seeds = [int(s) for s in seeds] or [1, 2]
    return engine.each(judge, [(seed, -(-kills // len(seeds))) for seed in seeds])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
