"""Freshness while a company plays at a rate: from a record's timestamp (when it was given to Kafka's client) to the first answer that shows it.

A reader asks the running engine over its SQL socket ten times a second (in a soak once, which has no percentiles) how far the lake is, in one read-only statement: the marks, which
are written in the transaction of the data, and whether curated has everything that core has. Afterwards each record of the
lake is held against those answers, so percentiles are exact but for the reader's tenth of a second. Orders, drivers and dispatch
commands go through Postgres meanwhile, as many as the world has beside its events: told before their time they would be promises to come,
whose moments the engine has to look at, and told after it every scan would be an orphan.
"""
import contextlib
import csv
import json
import subprocess
import sys
import threading
import time

import duckdb

from machine import cpu_s, root, rss_mb
from stream import simulate

sys.path[:0] = [str(root / "tests/live")]
from service import Service, configuration, ends_of, player  # noqa: E402

topics = ["shipment_events", "gps_locations"]
progress_sql = """select partition, position, (select count(*) from ops.touched where kind = 'shipment'), (select max(publish_seq) from ops.commits),
                  (select publish_seq from ops.driver_clock) from ops.marks where partition like 'kafka:%'"""


def of_pings(positions):
    return {name: position for name, position in positions.items() if "gps_locations" in name}


class Reader(threading.Thread):
    """Writes a row for each mark that moved: seen at (microseconds), partition, position in core, position in curated."""

    def __init__(self, service, path, every_s):
        super().__init__(daemon=True)
        self.every_s, self.service, self.path, self.ends, self.core, self.curated = every_s, service, path, threading.Event(), {}, {}
        self.pings = {}  # by commit that tables of drivers do not show yet: how far it is in topics of pings
        self.answers = self.silences = 0

    def run(self):
        with open(self.path, "w", newline="") as out:
            rows = csv.writer(out)
            while not self.ends.is_set():
                found = self.service.ask(progress_sql)
                if found is None:
                    self.silences += 1
                elif found:  # nothing yet, else
                    self.answers += 1
                    self.note(rows, int(time.time() * 1e6), found)
                self.ends.wait(self.every_s)

    def note(self, rows, at, found):
        before = {name: (self.core.get(name), self.curated.get(name, 0)) for name, *_ in found}
        self.core |= {name: int(position) for name, position, *_ in found}
        shipments_left, commit, of_drivers = found[0][2], int(found[0][3]), int(found[0][4] or 0)
        # Events are curated once their shipments are, though tables of drivers may lag; pings concern drivers only.
        if shipments_left == "0":
            self.curated |= {name: position for name, position in self.core.items() if "gps_locations" not in name}
        self.pings[commit] = of_pings(self.core)
        for shown in sorted(c for c in self.pings if c <= of_drivers):
            self.curated |= self.pings.pop(shown)
        for name, were in before.items():
            if were != (self.core[name], self.curated.get(name, 0)):
                rows.writerow([at, name, self.core[name], self.curated.get(name, 0)])

    def behind(self, ends):
        return sum(end - self.curated.get(name, 0) for name, end in ends.items())


def freshness(lake, answers):
    """Exact percentiles in seconds of every record of the topics, to core and to curated."""
    con = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
    con.execute(f"attach '{lake / 'lake.duckdb'}' as lake (read_only)")
    con.execute("create table answers as from read_csv(?, header = false, columns = {seen: 'bigint', partition: 'varchar', core: 'bigint', curated: 'bigint'})", [str(answers)])
    found = {}
    for table in topics:
        for where in ("core", "curated"):
            # The first answer at which the position was reached: positions of a partition only grow.
            con.execute(f"create or replace table reached as select partition, {where} as position, min(seen) as seen from answers where {where} > 0 group by all")
            found[table, where] = con.execute(f"""
                select count(*), quantile_cont(age, 0.5), quantile_cont(age, 0.99), max(age), count(*) filter (age is null)
                from (select (a.seen - epoch_us(r.ingest_time)) / 1e6 as age from lake.raw.{table} r asof left join reached a on r.partition = a.partition and r.position <= a.position)""").fetchone()
    return found


def slope(samples):
    """Least squares through (seconds, MB): MB an hour."""
    n = len(samples)
    mean_t, mean_m = sum(t for t, _ in samples) / n, sum(m for _, m in samples) / n
    spread = sum((t - mean_t) ** 2 for t, _ in samples)
    return 3600 * sum((t - mean_t) * (m - mean_m) for t, m in samples) / spread if spread else 0.0


def play(folder, kafka, postgres, rate, seconds, say, burst=None, retention_ms=-1, days=1, memory_limit=None, diary=None):
    """Plays `rate` events a second for `seconds`; burst: (events a second, seconds, of every so many seconds); orders come on so many
    days of the world, and live for three on average. `diary` is told of each sample (soak.py). What was seen."""
    average = rate if not burst else (rate * (burst[2] - burst[1]) + burst[0] * burst[1]) / burst[2]
    rows = simulate(folder / "world", int(average * seconds / 20 * 1.03) + 100, "--days", str(days))
    records = sum(rows.values())
    factor, in_tables = records / rows["events"], records - rows["events"] - rows["pings"]
    say(f"a world of {records:,} records: beside {rate:,} events a second {rate * rows['pings'] / rows['events']:,.0f} pings and {rate * in_tables / rows['events']:,.0f} rows of orders, drivers, commands")
    for topic in topics:
        kafka.make_topic(topic, partitions=64, retention_ms=retention_ms, **({} if retention_ms < 0 else {"segment_ms": 60_000}))
    postgres.sql((root / "deploy/local/orders.sql").read_text())
    settings = configuration(folder, [{"type": "kafka", "name": "topics", "brokers": kafka.bootstrap, "group": "fleetflow"},
                                      {"type": "postgres", "name": "orders", "conninfo": postgres.dsn, "slot": "fleetflow", "publication": "fleetflow"}],
                             **({"memory_limit": memory_limit} if memory_limit else {}))
    words = [player, folder / "world", "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn, "--rate", str(rate * factor), "--seconds", str(seconds), "--quiet"]
    if burst:
        words += ["--burst", str(burst[0] * factor), "--burst-seconds", str(burst[1]), "--period", str(burst[2])]
    service, playing = Service(folder, settings), None
    reader = Reader(service, folder / "answers.csv", 1 if diary else 0.1)  # each question is work of the service's, too
    try:
        wait_for_lake(service)
        playing = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        reader.start()
        processes = {"service": service.process.pid, "Kafka": kafka.pid(), "Postgres": postgres.pid(), "player": playing.pid}
        used, began = {name: cpu_s(pid) for name, pid in processes.items()}, time.monotonic()
        samples = watch(playing, service, processes, used, began, seconds, say, diary)
        told = json.loads(playing.stdout.read())
        ends = ends_of(kafka, topics)
        left, caught_up_s = catch_up(service, reader, ends, say)
        stages = service.stage_cpu_s()
        say("CPU seconds by stage: " + ", ".join(f"{stage} {s:.1f}" for stage, s in stages.items()))
        commits = service.ask("select count(*), avg(facts) from ops.commits where facts > 0")
        say(f"{commits[0][0]} commits of {float(commits[0][1]):,.0f} facts on average")
        peak = rss_mb(service.process.pid, "VmHWM")
        service.stop(600)
    finally:
        reader.ends.set()
        service.kill()
        if playing:
            playing.kill()
    reader.join()
    return {"told": told, "seconds": told["seconds"], "samples": samples, "behind_at_end": left, "caught_up_s": caught_up_s, "peak_rss_mb": peak, "slope_mb_h": slope([(t, m) for t, m, _ in samples[len(samples) // 2:]]),
            "cores": {name: cpu / samples[-1][0] for name, cpu in samples[-1][2].items()}, "answers": reader.answers, "freshness": freshness(service.lake, reader.path) if retention_ms < 0 else None}


def wait_for_lake(service):
    until = time.monotonic() + 60
    while service.ask("select 1") is None:
        assert not service.died_within(0.2) and time.monotonic() < until, service.end_of_log()


def watch(playing, service, processes, used, began, seconds, say, diary=None):
    """(seconds, MB, CPU seconds by process) each second, said now and then, until the player ends."""
    samples, told, pause = [], 0.0, max(10.0, seconds / 60)
    while playing.poll() is None:
        assert not service.died_within(1), "the service died"
        with contextlib.suppress(OSError):
            samples.append((time.monotonic() - began, rss_mb(service.process.pid), {name: cpu_s(pid) - used[name] for name, pid in processes.items()}))
            if diary:
                diary.note(service, *samples[-1][:2], samples[-1][2]["service"])
        if samples and samples[-1][0] - told >= pause:
            told, memory, cpu = samples[-1]
            say(f"{told:.0f} s: " + ", ".join(f"{name} {s / told:.2f}" for name, s in cpu.items()) + f" of a core; {memory:.0f} MB")
    assert playing.returncode == 0, f"the player ended with {playing.returncode}: {playing.stderr.read()}"
    return samples


def catch_up(service, reader, ends, say):
    """Records that were not in curated when the player ended, and how long they took; None: more than ten minutes."""
    left, started = reader.behind(ends), time.monotonic()
    say(f"the player has ended; {left:,} records are not in curated yet, {reader.behind(of_pings(ends)):,} of them pings")
    while reader.behind(ends) > 0:
        assert not service.died_within(0.2), "the service died"
        if time.monotonic() - started > 600:
            say(f"{reader.behind(ends):,} are not after ten minutes either; that is as long as this waits")
            return left, None
    return left, time.monotonic() - started
