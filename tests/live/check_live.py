"""The service follows Kafka and Postgres while a world is played into them and everything is hurt: the service is killed again and
again, anywhere and at named crash points, the connection to Kafka is cut, Postgres is killed and started again on its data. It ends
with the lake that the sources themselves ask for (verify.py): nothing lost, nothing twice.

    python tests/live/check_live.py [SEED...]      LIVE_KILLS=n kills of the service in a run (4)
"""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from confluent_kafka import Consumer, TopicPartition

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "scripts/stack"))
from server import free_ports  # noqa: E402
from servers import Kafka, Postgres  # noqa: E402

program = os.environ.get("FLEETFLOW", str(root / "build/release/bin/fleetflow"))
player = str(pathlib.Path(program).parent / "live_player")
topics = ["shipment_events", "gps_locations"]
kills_wanted, shipments, rate, patience_s = int(os.environ.get("LIVE_KILLS", 4)), 1500, 1200, 180


class Service:
    """`fleetflow run --config`, started again after each kill."""

    def __init__(self, folder, kafka, postgres):
        self.lake, self.config, self.log = folder / "lake", folder / "fleetflow.yaml", folder / "service.log"
        text = (root / "deploy/local/fleetflow.yaml").read_text()
        for word, value in {"LAKE": self.lake, "CONTRACTS": root / "deploy/local/contracts", "KAFKA": kafka.gated_bootstrap, "POSTGRES": postgres.dsn, "127.0.0.1:9464": f"127.0.0.1:{free_ports(1)[0]}"}.items():
            text = text.replace(f": {word}\n", f": {value}\n")
        self.config.write_text(text + "commit_interval_ms: 200\nclock_interval_s: 2\n")
        self.start()

    def start(self, crash_at=None):
        environment = {**os.environ, **({"FLEETFLOW_CRASH_AT": crash_at} if crash_at else {})}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program, "run", "--quiet", "--config", self.config], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def died_within(self, seconds):
        """Whether it killed itself, as a crash point asks; any other end is a fault."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        assert status == -signal.SIGKILL, f"the service ended by itself, exit {status}\n" + self.log.read_text()[-3000:]
        return True

    def stop(self):
        self.process.terminate()
        status = self.process.wait(patience_s)
        assert status == 0, f"the service was told to stop and ended with {status}\n" + self.log.read_text()[-2000:]

    def ask(self, sql):
        done = subprocess.run([program, "query", "--lake", self.lake, "--format", "csv", sql], capture_output=True, text=True)
        return done.stdout.splitlines()[1:] if done.returncode == 0 else []


def ends_of(kafka):
    """Topic partition, as the lake names it -> the offset behind its last record."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "check", "log_level": 0})
    ends = {}
    for topic in topics:
        for partition in consumer.list_topics(topic, timeout=30).topics[topic].partitions:
            ends[f"kafka:{topic}/{partition}"] = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)[1]
    consumer.close()
    return ends


def wait_until_caught_up(service, kafka, postgres):
    """The end of each topic is marked as in, and a row written last is there."""
    ends, until = ends_of(kafka), time.monotonic() + patience_s
    postgres.sql("insert into drivers (driver_id, home_hub) values ('LAST', 'END')")
    while True:
        assert not service.died_within(0.5)
        marks = dict(line.rsplit(",", 1) for line in service.ask("select partition, position from ops.marks where partition like 'kafka:%'"))
        behind = sum(end - int(marks.get(name, 0)) for name, end in ends.items())
        is_told = service.ask("select count(*) from core.drivers where home_hub = 'END'") == ["1"]
        if behind == 0 and is_told:
            return
        assert time.monotonic() < until, f"after {patience_s} s the lake is {behind} records behind, and {'has' if is_told else 'lacks'} the last driver\n" + service.log.read_text()[-2000:]


def storm(service, kafka, postgres, chance):
    """Kills, a third of them at a crash point if it is passed in time; Postgres dies with the first half, Kafka's wire with the second."""
    points = subprocess.run([program, "crash-points"], capture_output=True, text=True, check=True).stdout.split()
    for n in range(kills_wanted):
        crash_at = f"{chance.choice(points)}:{chance.randrange(1, 4)}" if chance.random() < 1 / 3 else None
        if crash_at:
            service.kill()
            service.start(crash_at)
        if not service.died_within(chance.uniform(2, 5)):
            service.kill()
        if n == kills_wanted // 2 - 1:
            postgres.kill()
            postgres.start()
        service.start()
        if n == kills_wanted // 2:
            time.sleep(2)
            kafka.gate.cut()


def judge(seed, folder):
    world = folder / "world"
    subprocess.run([program, "simulate", "--shipments", str(shipments), "--seed", str(seed), "--pings-per-shipment", "5", "--out", world], check=True, stdout=subprocess.DEVNULL)
    with Kafka(folder / "kafka", gated=True) as kafka, Postgres(folder / "postgres", fsync=False) as postgres:
        for topic in topics:
            kafka.make_topic(topic, partitions=64)
        postgres.sql((root / "deploy/local/orders.sql").read_text())
        service, playing = Service(folder, kafka, postgres), None
        try:
            playing = subprocess.Popen([player, world, "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn, "--rate", str(rate), "--quiet"], stdout=subprocess.PIPE, text=True)
            storm(service, kafka, postgres, random.Random(seed))
            told = json.loads(playing.communicate(timeout=patience_s)[0])
            started = time.monotonic()
            wait_until_caught_up(service, kafka, postgres)
            print(f"seed {seed}: {told['records']} records told in {told['seconds']:.0f} s, {kills_wanted} kills; caught up {time.monotonic() - started:.1f} s after the last", flush=True)
            service.stop()
        finally:
            service.kill()
            if playing:
                playing.kill()
        return subprocess.run([sys.executable, root / "tests/live/verify.py", "--lake", service.lake, "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn, "--program", program]).returncode == 0


def main(seeds):
    passed = failed = 0
    for seed in seeds or [7]:
        with tempfile.TemporaryDirectory(prefix="fleetflow-live-", ignore_cleanup_errors=True) as folder:
            ok = False
            try:
                ok = judge(int(seed), pathlib.Path(folder))
            except (AssertionError, OSError, subprocess.SubprocessError) as e:
                print(f"seed {seed}: {type(e).__name__}: {e}")
            passed, failed = passed + ok, failed + (not ok)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
