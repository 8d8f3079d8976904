"""`fleetflow run --config` as tests and benches hold it: started, killed and started again, asked in SQL.

    service = Service(folder, config)        # config: a mapping or YAML text; the lake is folder/lake
    service.ask("select count(*) from core.shipments")      -> [("12",)]; None if it does not answer
    wait_until_caught_up(service, ends_of(kafka, topics), postgres, 60)
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from confluent_kafka import Consumer, KafkaException, TopicPartition

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "scripts/stack"))
from server import free_ports  # noqa: E402

program = os.environ.get("FLEETFLOW", str(root / "build/release/bin/fleetflow"))
player = str(pathlib.Path(program).parent / "live_player")
looks_long_s = 20  # for a stop: then it is asked what it is at


def configuration(folder, sources, **settings):
    """For the local stack's contracts and a lake in `folder`."""
    return {"lake": str(folder / "lake"), "contracts": str(root / "deploy/local/contracts"), "http": {"listen": f"127.0.0.1:{free_ports(1)[0]}"}, "sources": sources, **settings}


class Service:
    """`restarts` counts how often it ended with 5, try again (docs/configuration.md), and was started again, as a supervisor does."""

    restarts = 0

    def __init__(self, folder, config):
        self.lake, self.config, self.log = folder / "lake", folder / "fleetflow.yaml", folder / "service.log"
        text = config if isinstance(config, str) else json.dumps(config)
        self.config.write_text(text)
        self.url = f"http://{re.search(r'listen.*?([0-9.]+:[0-9]+)', text)[1]}"
        self.start()

    def start(self, crash_at=None):
        environment = {**os.environ, **({"FLEETFLOW_CRASH_AT": crash_at} if crash_at else {})}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", program, "run", "--quiet", "--config", self.config], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def died_within(self, seconds):
        """Whether it killed itself, as a crash point asks; any other end is a fault, but for 5."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        if status == 5:
            self.restarts += 1
            self.start()
            return False
        assert status == -signal.SIGKILL, f"the service ended by itself, exit {status}\n" + self.end_of_log()
        return True

    def stop(self, seconds=180):
        self.process.terminate()
        patient_s = min(seconds, looks_long_s)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patient_s)
        if self.process.returncode is None:
            print(f"a service was told to stop {patient_s} s ago\n{self.stacks()}", file=sys.stderr, flush=True)
        try:
            status = self.process.wait(seconds - patient_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the service was told to stop and goes on after {seconds} s\n{self.end_of_log()}{self.stacks()}") from None
        assert status == 0, f"the service was told to stop and ended with {status}\n" + self.end_of_log()

    def stacks(self):
        """Where its threads are, where there is a gdb to ask."""
        if not shutil.which("gdb"):
            return "(with gdb installed, the stacks of its threads would stand here)"
        asked = subprocess.run(["gdb", "-p", str(self.process.pid), "-batch", "-ex", "thread apply all backtrace 14"], capture_output=True, text=True)
        return "\n".join(line[:200] for line in asked.stdout.splitlines() if line.startswith(("Thread", "#")))

    def end_of_log(self):
        return self.log.read_text(errors="replace")[-3000:]

    def ask(self, sql):
        """Rows of texts, None for null; None if the engine does not answer, or says no (a table is not there yet)."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(60)
                s.connect(os.path.relpath(self.lake / "sql.sock"))  # a socket's name has to be short
                s.sendall(struct.pack("<I", len(sql.encode())) + sql.encode())
                return _answer(s.makefile("rb"))
        except OSError:
            return None

    def get(self, path):
        """What the door for monitoring answers: status and text."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def metric(self, name, **labels):
        """Its value, summed over all series that have these labels; None: there is none."""
        found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", self.get("/metrics")[1], re.M)
        values = [float(value) for of, value in found if all(f'{label}="{word}"' in of.split(",") for label, word in labels.items())]
        return sum(values) if values else None

    def metrics_missing(self):
        """Metrics of live sources that docs/metrics.md tells of and the page does not show. Those of a publisher are its own, and where the
        server keeps its log without limit there is no safe rest of it."""
        shown = set(re.findall(r"^# TYPE (\w+)", self.get("/metrics")[1], re.M))
        documented = set(re.findall(r"^\| `(fleetflow_(?:kafka|cdc|pg)_\w+)`", (root / "docs/metrics.md").read_text(), re.M))
        of_publishers = {m for m in documented if m.startswith("fleetflow_cdc_published_") or m == "fleetflow_kafka_produce_errors_total"}
        return documented - shown - of_publishers - {"fleetflow_pg_slot_safe_wal_bytes"}

    def stage_cpu_s(self):
        """CPU seconds of the engine's two threads by stage of a commit, the dearest first."""
        found = re.findall(r'^fleetflow_stage_latency_seconds_sum\{stage="([^"]*)"\} (\S+)$', self.get("/metrics")[1], re.M)
        return dict(sorted(((stage, float(seconds)) for stage, seconds in found), key=lambda each: -each[1]))


def _answer(stream):
    """src/lake/sql_socket.h has the words."""
    def number():
        data = stream.read(4)
        if len(data) < 4:
            raise ConnectionError("the engine went away")
        return struct.unpack("<I", data)[0]

    def text():
        size = number()
        return None if size == 0xFFFFFFFF else stream.read(size).decode()

    if stream.read(1) != b"\0":
        return None
    columns = [text() for _ in range(number())]
    return [tuple(text() for _ in columns) for _ in range(number())]


def ends_of(kafka, topics):
    """Topic partition, as the lake names it -> the offset behind its last record."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "check", "log_level": 0})
    ends, until = {}, time.monotonic() + 60
    while True:
        try:
            for topic in topics:
                for partition in consumer.list_topics(topic, timeout=30).topics[topic].partitions:
                    ends[f"kafka:{topic}/{partition}"] = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)[1]
            consumer.close()
            return ends
        except KafkaException:  # A broker that was killed has answered for a moment that it leads nothing.
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def behind(service, ends):
    """Records of the topics that are not in the lake; None: nobody says."""
    marks = service.ask("select partition, position from ops.marks where partition like 'kafka:%'")
    if marks is None:
        return None
    marks = dict(marks)
    return sum(end - int(marks.get(name, 0)) for name, end in ends.items())


def wait_until_caught_up(service, ends, postgres, patience_s, database="app"):
    """The end of each topic is marked as in, and a row written last is there."""
    until = time.monotonic() + patience_s
    postgres.sql("insert into drivers (driver_id, home_hub) values ('LAST', 'END')", database=database)
    while True:
        assert not service.died_within(0.2), "the service died without being told to"
        left, is_told = behind(service, ends), service.ask("select count(*) from core.drivers where home_hub = 'END'") == [("1",)]
        if left == 0 and is_told:
            return
        assert time.monotonic() < until, f"after {patience_s} s the lake is {left} records behind, and {'has' if is_told else 'lacks'} the last driver\n" + service.end_of_log()


def judge_seeds(judge, seeds):
    """Runs judge(seed, folder) for each, in a folder of its own, and says how many passed; whether one did not."""
    passed = failed = 0
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="fleetflow-live-", ignore_cleanup_errors=True) as folder:
            ok = False
            try:
                ok = judge(int(seed), pathlib.Path(folder))
            except (AssertionError, OSError, subprocess.SubprocessError) as e:
                print(f"seed {seed}: {type(e).__name__}: {e}")
            passed, failed = passed + ok, failed + (not ok)
    print(f"{passed} passed, {failed} failed")
    return failed > 0
