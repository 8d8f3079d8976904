"""The service follows Kafka and Postgres while a world is played into them, is killed with -9 again and again, and ends with the
lake that the sources themselves ask for (verify.py): nothing lost, nothing twice.

The connections are hurt as well: the one to Kafka is cut, Postgres is killed and started again on its data.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import urllib.request

from confluent_kafka import Consumer, TopicPartition

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "scripts/stack"))
from server import free_ports  # noqa: E402
from servers import Kafka, Postgres  # noqa: E402

program = os.environ.get("FLEETFLOW", str(root / "build/release/bin/fleetflow"))
player = os.environ.get("LIVE_PLAYER", str(pathlib.Path(program).parent / "live_player"))
topics = ["shipment_events", "gps_locations"]
kills = int(os.environ.get("FLEETFLOW_LIVE_KILLS", "4"))
shipments = os.environ.get("FLEETFLOW_LIVE_SHIPMENTS", "1500")


class Service:
    """`fleetflow run --config`, started again after each kill."""

    def __init__(self, folder, kafka, postgres):
        self.lake, self.port = folder / "lake", free_ports(1)[0]
        self.config, self.log = folder / "fleetflow.yaml", folder / "service.log"
        text = (root / "deploy/local/fleetflow.yaml").read_text()
        for word, value in {"LAKE": self.lake, "CONTRACTS": root / "deploy/local/contracts", "KAFKA": kafka.gated_bootstrap, "POSTGRES": postgres.dsn, "127.0.0.1:9464": f"127.0.0.1:{self.port}"}.items():
            text = text.replace(f": {word}\n", f": {value}\n")
        self.config.write_text(text)
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program, "run", "--config", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)

    def must_run(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the service ended by itself, exit {self.process.returncode}\n" + self.log.read_text()[-3000:])

    def ask(self, sql):
        done = subprocess.run([program, "query", "--lake", self.lake, "--format", "csv", sql], capture_output=True, text=True)
        return done.stdout.splitlines()[1:] if done.returncode == 0 else None

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as page:
            return page.read().decode()


def ends_of(kafka):
    """Topic partition, as the lake names it -> the offset behind its last record."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "check", "log_level": 0})
    ends = {}
    for topic in topics:
        for partition in consumer.list_topics(topic, timeout=30).topics[topic].partitions:
            end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)[1]
            if end:
                ends[f"kafka:{topic}/{partition}"] = end
    consumer.close()
    return ends


def wait_until_caught_up(service, kafka, postgres, seconds=180):
    """The end of each topic is marked as in, and a row written last is there."""
    ends, until = ends_of(kafka), time.monotonic() + seconds
    drivers = int(postgres.sql("insert into drivers (driver_id, home_hub) values ('LAST', 'END'); select count(*) from drivers"))
    while True:
        service.must_run()
        marks = dict(line.rsplit(",", 1) for line in service.ask("select partition, position from ops.marks where partition like 'kafka:%'") or [])
        behind = sum(end - int(marks.get(name, 0)) for name, end in ends.items())
        is_told = service.ask("select count(*) from core.drivers where home_hub = 'END'") == ["1"]
        if behind == 0 and is_told:
            return
        if time.monotonic() > until:
            raise AssertionError(f"after {seconds} s the lake is {behind} records behind, and {'has' if is_told else 'lacks'} the last of {drivers} drivers\n" + service.log.read_text()[-2000:])
        time.sleep(0.5)


def main():
    if not pathlib.Path(player).exists():
        print(f"{player} is not there: nothing was played")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    chance = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="fleetflow-live-") as folder:
        folder = pathlib.Path(folder)
        subprocess.run([program, "simulate", "--shipments", shipments, "--seed", "7", "--pings-per-shipment", "5", "--out", folder / "world"], check=True, stdout=subprocess.DEVNULL)
        with Kafka(folder / "kafka", gated=True) as kafka, Postgres(folder / "postgres", fsync=False) as postgres:
            for topic in topics:
                kafka.make_topic(topic, partitions=64)
            postgres.sql((root / "deploy/local/orders.sql").read_text())
            service = Service(folder, kafka, postgres)
            playing = None
            try:
                playing = subprocess.Popen([player, folder / "world", "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn, "--rate", "1200", "--quiet"], stdout=subprocess.PIPE, text=True)
                for n in range(kills):
                    time.sleep(2 + 3 * chance.random())
                    service.must_run()
                    service.kill()
                    if n == 1:
                        postgres.kill()
                        postgres.start()
                    service.start()
                    if n == 2:
                        time.sleep(2)
                        kafka.gate.cut()
                told = json.loads(playing.communicate()[0])
                started = time.monotonic()
                wait_until_caught_up(service, kafka, postgres)
                print(f"{told['records']} records told in {told['seconds']:.0f} s, {kills} kills; caught up {time.monotonic() - started:.1f} s after the last")
                status = service.stop()
                assert status == 0, f"the service was told to stop and ended with {status}\n" + service.log.read_text()[-2000:]
            finally:
                service.kill()
                if playing:
                    playing.kill()
            return subprocess.run([sys.executable, root / "tests/live/verify.py", "--lake", service.lake, "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn, "--program", program]).returncode


if __name__ == "__main__":
    sys.exit(main())
