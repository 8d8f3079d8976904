"""Several workers of one consumer group over one Iceberg lake, while a world is told into Kafka: one is killed and comes back, one
falls asleep in the middle of a transaction and wakes when others own its partitions, and one dies while it curates for all. All the
while each 25th answer to a commit is lost on its way. In the end every record is in once, and every table equals that of one engine
which reads the same facts from files into a lake of its own.

    check_workers.py [SHIPMENTS]      (150)

A worker that sleeps is one that FLEETFLOW_CRASH_AT stops: it has read its marks, written its rows and not committed.
"""
import copy
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import duckdb
from confluent_kafka import KafkaException, Producer

root = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(root / "scripts/stack"), str(root / "tests/iceberg"), str(root / "tests/workers")]
from check_iceberg import Catalog, compare  # noqa: E402
from lossy import Gateway  # noqa: E402
from server import free_ports  # noqa: E402
from servers import Kafka  # noqa: E402

program = os.environ.get("FLEETFLOW", str(root / "build/release/bin/fleetflow"))
feeds = {"orders": "shipment_id", "events": "shipment_id", "assignments": "shipment_id", "drivers": "driver_id", "gps": "driver_id"}
partitions, acts, act_s, patience_s, takeover_s_max, lose_every = 6, 5, 12, 150, 60, 25


def make_world(folder, shipments):
    faults = [f"{f}=0" for f in ("corrupt_line", "corrupt_driver", "cut_file", "empty_file")]  # a broken line is heard of when it is read
    subprocess.run([program, "simulate", "--shipments", str(shipments), "--seed", "11", *(w for f in faults for w in ("--fault", f)), "--out", folder], check=True, stdout=subprocess.DEVNULL)
    lines = []
    for feed, key in feeds.items():
        for file in sorted(folder.glob(f"{feed}*.ndjson")):
            for line in file.read_text().splitlines():
                record = json.loads(line)
                lines.append((record["ingest_time"], feed, record.get(key) or "", line))
    return sorted(lines, key=lambda x: x[0])


def make_contracts(folder):
    """The product's contracts, each read from a topic of its feed's name."""
    folder.mkdir()
    for feed in feeds:
        text = (root / f"contracts/{feed}.yaml").read_text()
        server = f"servers:\n  - server: kafka\n    type: kafka\n    host: 127.0.0.1:9092\n    format: json\n    customProperties:\n      - {{property: topic, value: {feed}}}\n"
        text, replaced = re.subn(r"servers:\n(?:  .*\n)+", server, text, count=1)
        assert replaced == 1, feed
        (folder / f"{feed}.yaml").write_text(text)


class Teller(threading.Thread):
    """Produces the lines, keyed as workers need them, in acts; each begins when it is asked for and the one before is over."""

    def __init__(self, kafka, lines):
        super().__init__(daemon=True)
        self.producer, self.lines, self.ends = Producer({"bootstrap.servers": kafka.bootstrap, "partitioner": "murmur2_random"}), lines, {}
        self.asked = threading.Semaphore(0)
        self.start()

    def next_act(self):
        self.asked.release()

    def run(self):
        for act in range(acts):
            self.asked.acquire()
            start, lines = time.monotonic(), self.lines[act * len(self.lines) // acts:(act + 1) * len(self.lines) // acts]
            for i, (_, feed, key, line) in enumerate(lines):
                time.sleep(max(0, start + act_s * i / len(lines) - time.monotonic()))
                self.producer.produce(feed, key=key, value=line, on_delivery=self.delivered)
                self.producer.poll(0)
        self.producer.flush(30)

    def delivered(self, error, message):
        assert error is None, error
        name = f"kafka:{message.topic()}/{message.partition()}"
        self.ends[name] = max(self.ends.get(name, 0), message.offset() + 1)


class Worker:
    def __init__(self, folder, name, kafka, catalog, contracts, crash_at=None):
        self.name, self.lake, self.config, self.log = name, folder / name, folder / f"{name}.yaml", folder / f"{name}.log"
        self.config.write_text("\n".join([
            f"lake: {self.lake}", f"contracts: {contracts}", f"lake_attach: {json.dumps(catalog.attach())}", "lake_prepare:", *(f"  - {json.dumps(s)}" for s in catalog.prepare()),
            "curate_every_s: 5", "clock_interval_s: 15", "http:", f"  listen: 127.0.0.1:{free_ports(1)[0]}",
            "sources:", "  - type: kafka", "    name: topics", f"    brokers: {kafka.bootstrap}", "    group: workers", f"    properties: {{client.id: {name}}}", ""]))
        self.start(crash_at)

    def start(self, crash_at=None):
        environment = {**os.environ, **({"FLEETFLOW_CRASH_AT": crash_at} if crash_at else {})}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program, "run", "--quiet", "--config", self.config], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def is_stopped(self):
        return pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"

    def has_died(self):
        assert self.process.wait(patience_s) == -signal.SIGKILL, f"{self.name} was to be killed and ended with {self.process.returncode}: {self.log.read_text()[-2000:]}"

    def has_stopped(self):
        assert self.process.wait(patience_s) == 0, f"{self.name} was told to stop and ended with {self.process.returncode}: {self.log.read_text()[-2000:]}"


def stop(workers):
    for w in workers:
        w.process.terminate()
    for w in workers:
        w.has_stopped()


class Lake:
    """The catalog, read by an engine that is not ours."""

    def __init__(self, catalog):
        self.catalog = catalog
        self.connect()

    def connect(self):
        self.con = duckdb.connect()
        for statement in [*self.catalog.prepare(), self.catalog.attach()]:
            self.con.execute(statement)

    def ask(self, sql):
        return self.con.execute(sql).fetchall()

    def marks(self):
        """partition -> (position, epoch)"""
        try:
            return {p: (position, epoch) for p, position, epoch in self.ask("select partition, position, epoch from lake.ops.marks")}
        except duckdb.CatalogException:
            self.connect()  # it remembers that a schema was not there
            return {}


def wait_until(what, condition, workers=(), seconds=patience_s):
    started, until = time.monotonic(), time.monotonic() + seconds
    while not condition():
        for w in workers:
            assert w.process.poll() is None, f"{w.name} ended by itself, exit {w.process.returncode}: {w.log.read_text()[-2000:]}"
        assert time.monotonic() < until, f"not within {seconds} s: {what}\n" + "\n".join(f"{w.name}: {w.log.read_text()[-600:]}" for w in workers)
        time.sleep(0.2)
    print(f"       {what}: {time.monotonic() - started:.1f} s", flush=True)


def shares(kafka, workers):
    """worker's name -> the numbers of partitions that the group has given it; empty while not each has its share."""
    admin = kafka.admin()
    try:
        members = admin.describe_consumer_groups(["workers"], request_timeout=5)["workers"].result(20).members
    except KafkaException:  # there is no such group yet, or nobody coordinates it, or who does answers too late
        return {}
    held = {m.client_id: {p.partition for p in m.assignment.topic_partitions} for m in members}
    is_whole = sorted(n for numbers in held.values() for n in numbers) == list(range(partitions))
    return held if is_whole and held.keys() == {w.name for w in workers} and all(held.values()) else {}


def settle(what, kafka, workers, also=lambda: True):
    found = []

    def is_settled():
        found[:] = [shares(kafka, workers)]
        return found[0] and also()
    wait_until(what, is_settled, workers)
    return found[0]


def of(numbers, marks):
    return {p: m for p, m in marks.items() if int(p.rsplit("/", 1)[1]) in numbers}


def have_committed(held, marks):
    return all(any(position > 0 for position, _ in of(numbers, marks).values()) for numbers in held.values())


def advanced(before, now):
    """Whether all of it has new owners, and each of these has gone on with some of it."""
    taken = {p for p in before if now[p][1] > before[p][1]}
    return taken == before.keys() and {now[p][1] for p in taken if now[p][0] > before[p][0]} == {now[p][1] for p in taken}


def judge_takeover(what, gone, lake, teller, workers, check, happens=lambda: None):
    """`gone`: the numbers of the worker that it happens to. Facts come meanwhile."""
    before, start = lake.marks(), time.monotonic()
    happens()
    teller.next_act()
    wait_until(f"first commits after {what}", lambda: advanced(of(gone, before), lake.marks()), workers)
    seconds = time.monotonic() - start
    check(f"first commit of each partition's new owner {seconds:.1f} s after {what} (at most {takeover_s_max})", seconds <= takeover_s_max)
    now = lake.marks()
    stays = {p: epoch for p, (_, epoch) in before.items() if p not in of(gone, before)}
    check(f"what is not touched by {what} keeps its epoch ({len(stays)} of {len(before)} partitions)", stays and stays == {p: now[p][1] for p in stays})


def story(folder, shipments):
    lines = make_world(folder / "world", shipments)
    make_contracts(folder / "contracts")
    (folder / "s3").mkdir()
    workers, results = [], []

    def check(what, ok):
        results.append(bool(ok))
        print(f"{'ok     ' if ok else 'FAILED '} {what}", flush=True)

    catalog = Catalog(folder / "s3")
    try:
        with Kafka(folder / "kafka") as kafka:
            for feed in feeds:
                kafka.make_topic(feed, partitions=partitions)
            catalog.wait()
            lossy, store = Gateway(catalog.iceberg, lose_every=lose_every), Gateway(catalog.s3, may_delete=False)
            seen = copy.copy(catalog)  # by the workers
            seen.iceberg, seen.s3 = lossy.port, store.port
            a, b = (Worker(folder, n, kafka, seen, folder / "contracts") for n in "ab")
            workers += [a, b]
            lake, teller = Lake(catalog), Teller(kafka, lines)
            held = settle("both own partitions", kafka, [a, b], lambda: len(lake.marks()) == partitions * len(feeds))
            teller.next_act()
            wait_until("both have committed", lambda: have_committed(held, lake.marks()), workers)
            judge_takeover("a kill", held["a"], lake, teller, [b], check, a.kill)

            a.start()
            settle("who was killed is back", kafka, [a, b])
            c = Worker(folder, "c", kafka, seen, folder / "contracts", crash_at="marks_written:1:stop")
            workers.append(c)
            held = settle("a third has joined", kafka, workers)
            teller.next_act()
            wait_until("the third worker sleeps in a transaction", c.is_stopped, [a, b])
            judge_takeover("a sleep", held["c"], lake, teller, [a, b], check)
            c.process.send_signal(signal.SIGCONT)
            wait_until("the sleeper notices", lambda: "fenced" in c.log.read_text(), workers)
            check("the sleeper is fenced when it wakes", True)

            stop(workers)
            a.start(crash_at="curated_written")
            a.has_died()
            check("who curates for all dies in a cycle, with the lease", lake.ask("select count(*) from lake.ops.leases where name = 'curator'") == [(1,)])
            b.start()
            c.start()
            teller.next_act()
            teller.join()
            started = time.monotonic()
            wait_until("all that was told is in", lambda: {p: m[0] for p, m in lake.marks().items() if m[0]} == teller.ends, [b, c])
            wait_until("curated has followed", lambda: lake.ask("select count(*) from lake.ops.touched") == [(0,)], [b, c])
            check(f"{lossy.lost} of {lossy.commits} answers to commits were lost, {store.refused} deletions refused, and no worker minded", lossy.lost and store.refused)
            print(f"       {len(lines)} records told in {acts} acts of {act_s} s; all in and curated {time.monotonic() - started:.1f} s after the last")
            stop([b, c])
        judge(folder, lake, teller, check)
        passed, failed = compare(lake.con, "file", "lake")
        return sum(results) + passed, results.count(False) + failed
    finally:
        for w in workers:
            w.process.send_signal(signal.SIGCONT)
            w.kill()
        catalog.process.terminate()
        catalog.process.wait()


def judge(folder, lake, teller, check):
    told = lake.ask(" union all ".join(f"select partition, count(*), count(distinct position), max(position) from lake.raw.{t} group by 1" for t in
                                       ("shipments", "drivers", "shipment_events", "driver_assignments", "gps_locations")))
    check("each record is in raw once", {p: (end, end, end) for p, end in teller.ends.items()} == {p: tuple(n) for p, *n in told})
    check("no two commits have one number", lake.ask("select count(*) - count(distinct publish_seq) from lake.ops.commits") == [(0,)])
    disorder = lake.ask("select count(*) from (select epoch, publish_seq, lag(epoch) over (order by publish_seq) as before from lake.ops.commits) where before > epoch")
    check("numbers rise with epochs", disorder == [(0,)])
    as_of = lake.ask("select strftime(as_of, '%Y-%m-%dT%H:%M:%S.%fZ') from lake.ops.clock")[0][0]
    subprocess.run([program, "run", "--quiet", "--input", folder / "world", "--lake", folder / "file", "--contracts", root / "contracts", "--as-of", as_of], check=True)
    lake.con.execute(f"attach '{folder / 'file' / 'lake.duckdb'}' as file (read_only)")


def main(shipments):
    with tempfile.TemporaryDirectory(prefix="fleetflow-workers-", ignore_cleanup_errors=True) as folder:
        passed = failed = 0
        try:
            passed, failed = story(pathlib.Path(folder), shipments)
        except (AssertionError, OSError, duckdb.Error, subprocess.SubprocessError) as e:
            traceback.print_exc(file=sys.stdout)
            print(f"FAILED  {type(e).__name__}: {e}")
            failed = 1
        if failed and os.environ.get("WORKERS_KEEP"):
            subprocess.run(["cp", "-r", folder, os.environ["WORKERS_KEEP"]])
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 150))
