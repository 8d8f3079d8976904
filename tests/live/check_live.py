"""The service follows Kafka and Postgres while a world is played into them and everything is hurt: the service is killed again and
again, anywhere and at named crash points, the connection to Kafka is cut, Postgres is killed and started again on its data. It ends
with the lake that the sources themselves ask for (verify.py): nothing lost, nothing twice.

    python tests/live/check_live.py [SEED...]      LIVE_KILLS=n kills of the service in a run (4)
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import time

root = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(root / "scripts/stack"), str(root / "tests/live")]
from server import free_ports  # noqa: E402
from servers import Kafka, Postgres  # noqa: E402
from service import Service, ends_of, judge_seeds, player, program, wait_until_caught_up  # noqa: E402

topics = ["shipment_events", "gps_locations"]
kills_wanted, shipments, rate, patience_s = int(os.environ.get("LIVE_KILLS", 4)), 1500, 1200, 180


def configuration(folder, kafka, postgres):
    text = (root / "deploy/local/fleetflow.yaml").read_text()
    for word, value in {"LAKE": folder / "lake", "CONTRACTS": root / "deploy/local/contracts", "KAFKA": kafka.gated_bootstrap, "POSTGRES": postgres.dsn, "127.0.0.1:9464": f"127.0.0.1:{free_ports(1)[0]}"}.items():
        text = text.replace(f": {word}\n", f": {value}\n")
    return text + "commit_interval_ms: 200\nclock_interval_s: 2\n"


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
        service, playing = Service(folder, configuration(folder, kafka, postgres)), None
        try:
            playing = subprocess.Popen([player, world, "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn, "--rate", str(rate), "--quiet"], stdout=subprocess.PIPE, text=True)
            storm(service, kafka, postgres, random.Random(seed))
            told = json.loads(playing.communicate(timeout=patience_s)[0])
            started = time.monotonic()
            wait_until_caught_up(service, ends_of(kafka, topics), postgres, patience_s)
            print(f"seed {seed}: {told['records']} records told in {told['seconds']:.0f} s, {kills_wanted} kills; caught up {time.monotonic() - started:.1f} s after the last", flush=True)
            assert not service.metrics_missing(), f"never shown: {service.metrics_missing()}"
            service.stop(patience_s)
        finally:
            service.kill()
            if playing:
                playing.kill()
        return subprocess.run([sys.executable, root / "tests/live/verify.py", "--lake", service.lake, "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn, "--program", program, "--law"]).returncode == 0


if __name__ == "__main__":
    sys.exit(judge_seeds(judge, sys.argv[1:] or [7]))
