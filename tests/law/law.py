"""The law (S1.1, S1.2): whatever way the same facts come, the tables are the oracle's, and the truth's where there is one;
and the models' tables, recomputed part by part, are what one full build of them gives.

    python tests/law/law.py [KIND:SEED...]       KIND: lifelike or dense; default: LAW_SEEDS of each (2), from LAW_FIRST_SEED (1)

Each world is told in several storms, each into a lake of its own:
  as_is      its files as they are, one commit
  scattered  shuffled within and across the files of a feed, every fifth record twice, other files
  batches    the same in small commits, curated after each
  killed     the same, killed after every commit, before or after the state has followed; half of the worlds are curated at the end only
  amnesiac   the same, killed twice on the way and bereft of its keyed state, which is rebuilt from raw.*
  forgetful  file by file, each landing before a run of its own that keeps no state: what one needs of the past it reads from raw.*
  stepped    as it is, in four runs that each know a later moment: what is untouched by new facts and clock must stay right
"""
import datetime
import itertools
import os
import random
import shutil
import subprocess
import sys

import compare_oracle
import duckdb
import engine
import full_build
import worlds

BATCH_RECORDS = {"lifelike": 3000, "dense": 1000}


def killed_after_every_commit(world, lake, as_of, batch, calm_lake):
    """As many kills as an undisturbed run has commits, then one run in peace: a file's done-mark comes after its commit."""
    with duckdb.connect(str(calm_lake / "lake.duckdb"), read_only=True) as con:
        commits = con.execute("select count(*) from ops.commits").fetchone()[0]
    for point, _ in zip(itertools.cycle(["lake_committed", "state_written:2"]), range(commits + 1)):
        engine.run(world, lake, "--as-of", as_of, *batch, crash_at=point, ok=(0, engine.KILLED))
    engine.run(world, lake, "--as-of", as_of, *batch)


def amnesiac(world, lake, as_of, batch):
    for _ in range(2):
        engine.run(world, lake, "--as-of", as_of, *batch, crash_at="lake_committed", ok=(engine.KILLED,))
        shutil.rmtree(lake / "state")
    engine.run(world, lake, "--as-of", as_of, *batch)


def forgetful(world, landing, lake, as_of, chance):
    landing.mkdir()
    if (world / "contracts").is_dir():
        (landing / "contracts").symlink_to(world / "contracts")
    files = sorted(path for path in world.iterdir() if path.is_file())
    for path in chance.sample(files, len(files)):
        os.link(path, landing / path.name)
        engine.run(landing, lake, "--as-of", as_of, "--state-days", "0")


def stepped(world, lake, as_of, random):
    end = datetime.datetime.fromisoformat(as_of)
    for hours in sorted(random.sample(range(2, 60), 3), reverse=True):
        moment = end - datetime.timedelta(hours=hours, seconds=random.randrange(3600))
        engine.run(world, lake, "--as-of", moment.isoformat().replace("+00:00", "Z"))
    engine.run(world, lake, "--as-of", as_of)


def cycles_apart(lake_file, batch_records):
    """A commit over a quarter full carries no cycle: what is due then follows in a commit of its own. What is wrong, else nothing."""
    with duckdb.connect(str(lake_file), read_only=True) as con:
        large, alone = con.execute("""select count(*), count(*) filter (next = 0) from (select facts, lead(facts) over (order by publish_seq) as next from ops.commits)
                                      where facts > ? / 4""", [batch_records]).fetchone()
    return "" if large == alone > 0 else f"of {large} large commits {alone} have a cycle of their own behind them\n"


def judge(case, folder):
    kind, _, seed = case.partition(":")
    chance, world = random.Random(case), folder / "world"
    as_of = worlds.dense(world, int(seed)) if kind == "dense" else worlds.lifelike(engine.PROGRAM, world, int(seed), partner=int(seed) % 2 == 0)
    judges, scattered, batch = compare_oracle.World(world, as_of), folder / "scattered", ["--batch-records", str(BATCH_RECORDS[kind]), "--curate-every", "0"]
    worlds.scatter(world, scattered, chance)
    storms = {
        "as_is": lambda lake: engine.run(world, lake, "--as-of", as_of),
        "scattered": lambda lake: engine.run(scattered, lake, "--as-of", as_of),
        "batches": lambda lake: engine.run(scattered, lake, "--as-of", as_of, *batch),
        "killed": lambda lake: killed_after_every_commit(scattered, lake, as_of, batch if int(seed) % 2 else batch[:2], folder / "batches"),
        "amnesiac": lambda lake: amnesiac(scattered, lake, as_of, batch),
        "forgetful": lambda lake: forgetful(scattered, folder / "landing", lake, as_of, chance),
        "stepped": lambda lake: stepped(world, lake, as_of, chance),
    }
    passed, lines = 0, []
    for storm, tell in storms.items():
        tell(folder / storm)
        lake_file = folder / storm / "lake.duckdb"
        wrong = compare_oracle.report(judges.differences(lake_file) + full_build.differences(lake_file))
        if kind == "lifelike" and not wrong:
            truth = subprocess.run([sys.executable, "tests/sim/check_truth.py", world, "--lake", folder / storm / "lake.duckdb"], cwd=engine.ROOT, capture_output=True, text=True)
            wrong = truth.stdout + truth.stderr if truth.returncode else ""
        if storm == "batches":
            wrong += cycles_apart(lake_file, BATCH_RECORDS[kind])
        passed += not wrong
        lines.append(f"{case:12} {storm:10} {'ok' if not wrong else 'DIFFERS; again: FLEETFLOW=' + engine.PROGRAM + ' ' + sys.executable + ' tests/law/law.py ' + case}")
        lines += [wrong] if wrong else []
    return passed, len(storms) - passed, "\n".join(lines)


def main(cases):
    first, count = int(os.environ.get("LAW_FIRST_SEED", 1)), int(os.environ.get("LAW_SEEDS", 2))
    cases = cases or [f"{kind}:{seed}" for seed in range(first, first + count) for kind in ("lifelike", "dense")]
    print("worlds:", *cases, flush=True)
    return engine.each(judge, cases)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
