"""Tells stories to the real engine: facts become files, each moment one run of the program, each expectation a query.

    python tests/stories/tell.py FOLDER... [--worlds a,b] [--only WORD] [--sample N] [--workers N] [--program PATH]

A story passes when it passes in every world asked for. Worlds are ways in which the same facts may come (S1.1):
  told      one file a feed and moment, in the order of the story
  stormy    every fact twice, shuffled, over several files, one record a commit
  killed    as told, but the program is killed at a random crash point of its commits until it gets through
The file names come from the shared story format; tests/oracle/check_stories.py reads it.
"""
import argparse
import concurrent.futures
import functools
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests" / "oracle"))
import check_stories  # noqa: E402
import duckdb  # noqa: E402
import oracle  # noqa: E402

WORLDS = ("told", "stormy", "killed")
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # a story fits in memory, and no power is cut here


@functools.cache
def crash_points(program):
    return subprocess.run([program, "crash-points"], capture_output=True, text=True, check=True).stdout.split()


class Telling:
    """One story in one world: a folder that fills up moment by moment, and a lake beside it."""

    def __init__(self, story, world, program, folder):
        self.story, self.world, self.program, self.folder = story, world, program, pathlib.Path(folder)
        self.random = random.Random(f"{story.name}/{world}")
        self.told, self.files = set(), 0
        (self.folder / "in" / "contracts").mkdir(parents=True)
        self.write_contracts()

    def write_contracts(self):
        """The product's own contracts; a namespace with settings of its own is a feed of its own, which differs by those alone."""
        target = self.folder / "in" / "contracts"
        for stem in check_stories.FILES.values():
            text = (root / "contracts" / f"{stem}.yaml").read_text()
            (target / f"{stem}.yaml").write_text(watched(text, self.story.config.get("watched", {}).get(stem)))
            for namespace, feed in self.story.config.get("feeds", {}).items():
                late = "property: historical\n    value: true" if feed.get("historical") else f"property: lateAfterMin\n    value: {feed.get('late_after_min', 15)}"
                own = re.sub(r"(?m)^id: .*", f"id: {namespace}-{stem}", text)
                own = own.replace(f"path: {stem}*", f"path: {namespace}-{stem}*").replace("value: acme", f"value: {namespace}", 1)
                own = re.sub(r"property: lateAfterMin\n\s+value: .*", late, own)
                (target / f"{namespace}-{stem}.yaml").write_text(watched(own, self.story.config.get("watched", {}).get(f"{namespace}-{stem}")))

    def tell_until(self, as_of):
        """Writes the facts heard of by `as_of` that are not written yet."""
        moment = oracle_time(as_of)
        for stem, records in self.story.facts.items():
            lines = {}
            for i, record in enumerate(records):
                if (stem, i) in self.told or oracle_time(record["ingest_time"]) > moment:
                    continue
                self.told.add((stem, i))
                prefix = record.get("namespace") + "-" if record.get("namespace") in self.story.config.get("feeds", {}) else ""
                lines.setdefault(prefix + stem, []).append(json.dumps(record))
            for name, batch in lines.items():
                if self.world != "stormy":
                    self.write(name, batch)
                    continue
                batch = batch * 2
                self.random.shuffle(batch)
                cut = self.random.randint(0, len(batch))
                for part in (batch[:cut], batch[cut:]):
                    self.write(name, part)

    def write(self, name, lines):
        if lines:
            self.files += 1
            (self.folder / "in" / f"{name}-{self.files:04}.ndjson").write_text("\n".join(lines) + "\n")

    def run(self, as_of):
        command = [self.program, "run", "--quiet", "--input", self.folder / "in", "--lake", self.folder / "lake", "--as-of", as_of,
                   "--reporting-zone", self.story.config.get("reporting_zone", "UTC"), "--threads", "1"]
        if self.world != "told":
            command += ["--batch-records", "1"]
        if self.world == "killed":
            for _ in range(3):
                place = f"{self.random.choice(crash_points(self.program))}:{self.random.randint(1, 4)}"
                subprocess.run(command, env={**os.environ, "FLEETFLOW_CRASH_AT": place}, capture_output=True)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"fleetflow run: exit {done.returncode}\n{done.stderr}")

    def driver_ids(self):
        """driver_key -> raw id, for every driver the story names."""
        ids = {r["driver_id"] for records in self.story.facts.values() for r in records if r.get("driver_id")}
        return {oracle.driver_key(driver_id): driver_id for driver_id in ids}


def watched(contract, feed):
    """The contract, with how much its feed tells when all is well."""
    if feed is None:
        return contract
    silent, (least, most) = feed.get("silent_after_min"), feed.get("records_per_day", [None, None])
    lines = [f"  - {{property: silentAfterMin, value: {silent}}}\n"] if silent is not None else []
    lines += [f"  - {{property: recordsPerDay, value: {{min: {least}, max: {most}}}}}\n"] if least is not None else []
    return contract.replace("\ncustomProperties:\n", "\ncustomProperties:\n" + "".join(lines), 1)


def oracle_time(text):
    """Comparable text: RFC 3339 UTC with six digits of fraction."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    return f"{seconds}.{fraction:<06}"


class Named:
    """A connection in whose answers driver_keys are the story's own ids again."""

    def __init__(self, con, keys):
        self.con, self.keys = con, keys

    def execute(self, sql):
        for key, driver_id in self.keys.items():
            sql = sql.replace(f"'{driver_id}'", f"'{key}'")
        self.rows = [tuple(self.keys.get(v, v) if isinstance(v, str) else v for v in row) for row in self.con.execute(sql).fetchall()]
        return self

    def fetchall(self):
        return self.rows


def tell(story, world, program):
    """The texts of what went wrong."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="fleetflow-story-", dir=SCRATCH) as folder:
        telling = Telling(story, world, program, folder)
        for as_of, expectations in story.moments:
            try:
                telling.tell_until(as_of)
                telling.run(as_of)
            except RuntimeError as e:
                return [f"  {e}"]
            with duckdb.connect(str(telling.folder / "lake" / "lake.duckdb"), read_only=True) as con:
                named = Named(con, telling.driver_ids())
                for e in expectations:
                    got = e.differs(named)
                    if got is not None:
                        wrong.append("\n".join([f"  as of {as_of}: {e.table} {e.where or ''}", f"    columns  {' | '.join(e.columns)}"]
                                               + [f"    expected {' | '.join(row)}" for row in e.rows] + [f"    got      {' | '.join(row)}" for row in got]))
    return wrong


def tell_in(worlds, program, path):
    """(name, what went wrong by world)"""
    story = check_stories.Story(path)
    wrong = {world: tell(story, world, program) for world in worlds}
    return story.name, {world: texts for world, texts in wrong.items() if texts}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, nargs="+")
    parser.add_argument("--worlds", default="told", help="comma-separated: " + ", ".join(WORLDS))
    parser.add_argument("--only", default="", help="stories whose name contains this")
    parser.add_argument("--sample", type=int, help="so many stories of all, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="stories told at once")
    parser.add_argument("--program", default=os.environ.get("FLEETFLOW", root / "build" / "release" / "bin" / "fleetflow"))
    args = parser.parse_args()
    paths = sorted(p for folder in args.folder for p in folder.glob("*.story") if args.only in p.stem)
    if args.sample is not None:
        paths = sorted(random.Random(args.seed).sample(paths, min(args.sample, len(paths))))
    passed = failed = 0
    with concurrent.futures.ProcessPoolExecutor(args.workers) as pool:
        for name, wrong in pool.map(functools.partial(tell_in, args.worlds.split(","), args.program), paths):
            passed, failed = passed + (not wrong), failed + bool(wrong)
            for world, texts in wrong.items():
                print(f"{name} ({world} world)\n" + "\n".join(texts), flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
