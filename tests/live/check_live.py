"""A world is played into real Kafka and Postgres while the service is killed again and again; in the end the lake holds what the
sources hold, once, by the verifier's own reading of them (verify.py), and the curated tables are those of a full build.

    python tests/live/check_live.py [SEED...]      LIVE_KILLS=n kills in a run (4), a third of them at a named crash point
"""
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "scripts/stack"))
from server import free_ports  # noqa: E402
from servers import Kafka, Postgres  # noqa: E402

program = os.environ.get("FLEETFLOW", str(root / "build/release/bin/fleetflow"))
player = str(pathlib.Path(program).parent / "live_player")
kills_wanted, patience_s, quiet_s = int(os.environ.get("LIVE_KILLS", 4)), 180, 6
SHIPMENTS, RATE, PARTITIONS = 400, 1500, 8


def metric(port, name):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return sum(float(line.rsplit(" ", 1)[1]) for line in answer.read().decode().splitlines() if line.startswith(name))
    except OSError:
        return None


class Service:
    def __init__(self, folder, kafka, postgres):
        self.folder, self.lake, (self.port,) = folder, folder / "lake", free_ports(1)
        self.config = folder / "service.yaml"
        self.config.write_text((root / "deploy/local/fleetflow.yaml").read_text()
                               .replace(": LAKE\n", f": {self.lake}\ncommit_interval_ms: 200\nclock_interval_s: 2\n").replace(": CONTRACTS\n", f": {root / 'deploy/local/contracts'}\n")
                               .replace(": KAFKA\n", f": {kafka.bootstrap}\n").replace(": POSTGRES\n", f": {postgres.dsn}\n").replace("127.0.0.1:9464", f"127.0.0.1:{self.port}"))

    def start(self, crash_at=None):
        environment = {**os.environ, **({"FLEETFLOW_CRASH_AT": crash_at} if crash_at else {})}
        self.process = subprocess.Popen([program, "run", "--quiet", "--config", self.config], env=environment, stdout=open(self.folder / "service.log", "a"), stderr=subprocess.STDOUT)

    def facts(self):
        """Taken in so far by this process; None: it does not answer, or does not hold all partitions yet (after a kill the
        broker waits for the dead member's session to time out), or is behind."""
        ready = metric(self.port, "fleetflow_kafka_assigned_partitions") == 2 * PARTITIONS and metric(self.port, "fleetflow_kafka_lag_records") == 0
        return metric(self.port, "fleetflow_records_total") if ready else None

    def wait_until_quiet(self):
        """Nothing new for a while, and ready."""
        until, last, since = time.monotonic() + patience_s, None, time.monotonic()
        while time.monotonic() < until:
            assert self.process.poll() is None, f"the service ended with {self.process.returncode}:\n{(self.folder / 'service.log').read_text()[-3000:]}"
            now = self.facts()
            if now is None or now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > quiet_s:
                return
            time.sleep(0.2)
        raise AssertionError(f"the service did not come to rest within {patience_s} s")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(patience_s) == 0, (self.folder / "service.log").read_text()[-3000:]


def judge(seed, folder):
    chance = random.Random(seed)
    points = subprocess.run([program, "crash-points"], capture_output=True, text=True, check=True).stdout.split()
    world = folder / "world"
    subprocess.run([program, "simulate", "--shipments", str(SHIPMENTS), "--seed", str(seed), "--out", world], check=True, capture_output=True)
    with Kafka(folder / "kafka") as kafka, Postgres(folder / "postgres") as postgres:
        for topic in ("shipment_events", "gps_locations"):
            kafka.make_topic(topic, partitions=PARTITIONS)
        postgres.sql((root / "deploy/local/orders.sql").read_text())
        service = Service(folder, kafka, postgres)
        service.start()
        playing = subprocess.Popen([player, world, "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn, "--rate", str(RATE), "--quiet"],
                                   stdout=open(folder / "player.log", "w"), stderr=subprocess.STDOUT)
        kills = 0
        while kills < kills_wanted:
            crash_at = f"{chance.choice(points)}:{chance.randrange(1, 4)}" if chance.random() < 1 / 3 else None
            if service.process.poll() is None:
                time.sleep(chance.uniform(0.2, 3))
                service.process.kill()
            kills += service.process.wait() == -signal.SIGKILL
            service.start(crash_at)
            if crash_at:  # It may take a while to pass there, or never do.
                try:
                    kills += service.process.wait(chance.uniform(2, 6)) == -signal.SIGKILL
                except subprocess.TimeoutExpired:
                    pass
        if service.process.poll() is None:  # A crash point may still lie ahead of it.
            service.process.kill()
            service.process.wait()
        service.start()
        assert playing.wait(patience_s) == 0, (folder / "player.log").read_text()[-2000:]
        service.wait_until_quiet()
        service.stop()
        verified = subprocess.run([sys.executable, root / "tests/live/verify.py", "--lake", service.lake, "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn],
                                  capture_output=True, text=True)
    print(f"seed {seed}: {kills} kills; {verified.stdout}{verified.stderr}", flush=True)
    return verified.returncode == 0


def main(seeds):
    passed = failed = 0
    for seed in seeds or [1]:
        with tempfile.TemporaryDirectory(prefix="fleetflow-live-", ignore_cleanup_errors=True) as folder:
            ok = False
            try:
                ok = judge(int(seed), pathlib.Path(folder))
            except AssertionError as e:
                print(f"seed {seed}: {e}")
            passed, failed = passed + ok, failed + (not ok)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
