"""Many short storms over servers that stay up: a world is played into topics and a database of its own, the service follows through
gates, and what its seed says hurts it. Each ends recovered: caught up, told to stop, judged by a verifier that reads the sources itself,
and by the law (verify.py --law).

    python tests/live/storms.py [--runs N] [--seed FIRST] [--seconds MAX]     run n has the seed FIRST + n; one seed, one storm
    STORMS_PATIENCE=s  how long it may take to catch up and to stop (60); a build under a sanitizer needs more

What hurts: a wire to Kafka or Postgres is cut, slow, silent (half open), shut, or breaks in the middle of an answer; the broker is
restarted or killed; Postgres is killed; the service is killed anywhere or at a crash point, is told to stop in the middle of its
work, or stands still until its group has forgotten it; a second consumer joins the group and leaves, by chance under the name
(group.instance.id) that half of the services have, so that it fences the service. Part of it is dealt by the
seed, so that any four storms in a row meet every blow and pass every crash point of commits; the rest is drawn. What truly hit is
counted at the end. A run that fails leaves build/storms/SEED and says how to run it again.
"""
import argparse
import collections
import contextlib
import functools
import io
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types

from confluent_kafka import Consumer, KafkaException

root = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(root / "scripts/stack"), str(root / "tests/live")]
import verify  # noqa: E402
from service import Service, configuration, ends_of, player, program, wait_until_caught_up  # noqa: E402
from servers import Gate, Kafka, Postgres  # noqa: E402

shipments, rate, patience_s, stop_promised_s = 250, 2500, int(os.environ.get("STORMS_PATIENCE", 60)), 40  # a stop: its last commit, and half a minute to close (docs/configuration.md)
session = {"session.timeout.ms": 2000, "heartbeat.interval.ms": 300}
of_files = {"files_noted", "confirmed"}  # tests/suites/42-crash.sh passes these
crash_points = [p for p in subprocess.run([program, "crash-points"], capture_output=True, text=True, check=True).stdout.split() if p not in of_files]
wires = ["cut", "delay", "hold", "hold and cut", "shut", "cut after"]
all_blows = [f"{name} {kind}" for name in ("kafka", "postgres") for kind in wires] + ["service killed", "service stopped", "service stands still", "postgres killed", "broker restarted", "broker killed",
                                                                                      "second consumer", "second of its name"] + crash_points


class QuickKafka(Kafka):
    """Forgets a dead consumer after two seconds instead of six at least."""

    seconds_to_start = 240

    def set_up(self):
        super().set_up()
        with open(self.configuration, "a") as out:
            out.write("group.min.session.timeout.ms=1000\n")


class Servers:
    def __init__(self, folder):
        self.kafka, self.postgres = QuickKafka(folder / "kafka", gated=True), Postgres(folder / "postgres", fsync=False)
        self.gates = {"kafka": self.kafka.gate, "postgres": Gate(self.postgres.port)}

    def heal(self):
        for gate in self.gates.values():
            gate.heal()


hanging = []  # consumers that do not close: kept, since to let go of one hangs, too


def close_in_time(consumer):
    """Whether it closed: librdkafka has been seen to hang there for minutes (seed 4034; docs/decisions.md, "Closing is bounded")."""
    closing = threading.Thread(target=consumer.close, daemon=True)
    closing.start()
    closing.join(10)
    if closing.is_alive():
        hanging.append(consumer)
    return not closing.is_alive()


class Storm:
    """One run: its topics, database, service, and what happens to them."""

    def __init__(self, seed, folder, servers):
        self.seed, self.folder, self.servers, self.chance = seed, folder, servers, random.Random(seed)
        self.name = f"storm_{seed}"
        self.topics = [f"{self.name}_events", f"{self.name}_gps"]
        # With a name of its own a killed service has its partitions back at once; without one, when its session has ended.
        self.member = {"group.instance.id": self.name} if self.chance.random() < 0.5 else {}
        self.plan, self.hits = [], []
        self.started, self.times = time.monotonic(), ""

    def prepare(self):
        subprocess.run([program, "simulate", "--shipments", str(shipments), "--seed", str(self.seed), "--pings-per-shipment", "5", "--no-truth", "--out", self.folder / "world"],
                       check=True, stdout=subprocess.DEVNULL)
        for topic in self.topics:
            self.servers.kafka.make_topic(topic, partitions=8)
        self.servers.postgres.sql(f"create database {self.name}", database="postgres")
        self.servers.postgres.sql((root / "deploy/local/orders.sql").read_text(), database=self.name)

    def dsn(self, port):
        return f"host=127.0.0.1 port={port} user=app dbname={self.name}"

    def configuration(self):
        return configuration(self.folder, [
            {"type": "kafka", "name": "topics", "brokers": self.servers.kafka.gated_bootstrap, "group": self.name, "topics": dict(zip(self.topics, ["shipment_events", "gps_locations"])),
             "properties": {**self.member, **session, "reconnect.backoff.max.ms": 500}},
            {"type": "postgres", "name": "orders", "conninfo": self.dsn(self.servers.gates["postgres"].port), "slot": self.name, "publication": "fleetflow"},
        ], commit_interval_ms=self.chance.choice([50, 100, 300]), clock_interval_s=1, state_flush_commits=self.chance.choice([1, 4, 16]), batch_records=self.chance.choice([500, 3000, 200000]))

    def begin(self, blow, details=""):
        self.plan.append(blow + details)
        self.hits.append(blow)

    def missed(self):
        self.plan[-1] += ", missed"
        self.hits.pop()

    # What hurts; each takes as long as it takes and leaves the service running.
    def wire(self, kind):
        name = self.chance.choice(list(self.servers.gates))
        gate, seconds = self.servers.gates[name], self.chance.uniform(0.2, 2)
        self.begin(f"{name} {kind}", f" {seconds:.1f} s")
        taken = gate.connections
        if kind == "delay":
            gate.delay(self.chance.uniform(0.02, 0.4))
        elif kind.startswith("hold"):
            gate.hold()
        elif kind == "shut":
            gate.shut()
        elif kind == "cut after":
            gate.cut_after(self.chance.randrange(100, 100_000))
        if kind != "delay" and not kind.startswith("hold"):
            gate.cut()
        time.sleep(seconds)
        if kind == "hold and cut":
            gate.cut()
        until = time.monotonic() + 10
        while kind == "cut after" and gate.connections == taken:  # only what comes now is to break
            if time.monotonic() > until:
                self.missed()
                break
            time.sleep(0.05)
        gate.heal()

    def service_killed(self):
        self.begin("service killed")
        self.service.kill()
        self.service.start()

    def service_at_point(self, point):
        """New drivers are told of until it has passed there."""
        passings, until = self.chance.randrange(1, 4), time.monotonic() + 20
        self.begin(point, f":{passings}")
        self.service.kill()
        self.service.start(f"{point}:{passings}")
        while not (died := self.service.died_within(0.1)) and time.monotonic() < until:
            self.servers.postgres.sql("insert into drivers (driver_id) select gen_random_uuid()", database=self.name)
        if not died:
            self.missed()
        self.service.kill()
        self.service.start()

    def service_stopped(self):
        """Once it is at work, while it is told more."""
        self.begin("service stopped")
        until = time.monotonic() + patience_s
        while self.service.ask("select 1") is None:
            assert not self.service.died_within(0.1) and time.monotonic() < until, "the service does not begin to work"
        if self.playing.poll() is not None:
            self.missed()
        self.service.stop(stop_promised_s)
        self.service.start()

    def service_stands(self):
        seconds = self.chance.choice([0.5, 3])  # shorter and longer than its session
        self.begin("service stands still", f" {seconds} s")
        self.service.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.service.process.send_signal(signal.SIGCONT)

    def postgres_killed(self):
        self.begin("postgres killed")
        self.servers.postgres.kill()
        self.servers.postgres.start()

    def broker_restarted(self):
        how = self.chance.choice(["stop", "kill"])
        self.begin("broker " + {"stop": "restarted", "kill": "killed"}[how])
        getattr(self.servers.kafka, how)()
        self.servers.kafka.start()

    def second_consumer(self):
        """It takes its share of the partitions, confirms nothing, and leaves in good order or just goes silent."""
        seconds, leaves = self.chance.uniform(0.5, 1.5), self.chance.random() < 0.7
        member = self.member if self.chance.random() < 0.5 else {}
        self.begin("second of its name" if member else "second consumer", f" {seconds:.1f} s" + ("" if leaves else ", never leaves"))
        consumer = Consumer({"bootstrap.servers": self.servers.kafka.bootstrap, "group.id": self.name, "partition.assignment.strategy": "cooperative-sticky", "enable.auto.commit": False,
                             "log_level": 0, **member, **session})
        consumer.subscribe(self.topics)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(KafkaException):
                consumer.consume(100, timeout=0.1)
        if leaves:
            if not close_in_time(consumer):
                self.plan[-1] += ", does not come to leave"
        else:
            self.silent.append(consumer)  # polled no more; its session lives until the run ends
            self.plan[-1] += " until the run's end"

    def hurt(self):
        """Round robin by the seed: a fourth of the blows and of the crash points. One or two more as chance has it."""
        weights = {**{functools.partial(self.wire, kind): 1.3 for kind in wires}, self.service_killed: 3, self.service_stopped: 2, self.service_stands: 1,
                   self.postgres_killed: 2, self.broker_restarted: 0.7, self.second_consumer: 2}
        at_points = [functools.partial(self.service_at_point, point) for point in crash_points]
        blows = list(weights)[self.seed % 4 :: 4] + at_points[self.seed % 4 :: 4]
        weights[self.chance.choice(at_points)] = 4
        blows += self.chance.choices(list(weights), list(weights.values()), k=self.chance.randrange(1, 3))
        self.chance.shuffle(blows)
        blows.sort(key=lambda blow: blow != self.service_stopped)  # first, while there is work
        for blow in blows:
            time.sleep(self.chance.uniform(0.1, 0.8))
            assert not self.service.died_within(0), "the service died without being told to"
            blow()

    def look_at_marks(self):
        for partition, position in self.service.ask("select partition, position from ops.marks where partition like 'kafka:%'") or []:
            before, self.marks[partition] = self.marks.get(partition, 0), int(position)
            if int(position) < before:
                self.gone_back.append(f"{partition} from {before} to {position}")

    @contextlib.contextmanager
    def watched_marks(self):
        """How far the lake has come in a topic never goes back, whoever is killed."""
        is_over, self.marks, self.gone_back = threading.Event(), {}, []

        def look():
            while not is_over.wait(0.3):
                self.look_at_marks()

        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        try:
            yield
        finally:
            is_over.set()
            looking.join()
        self.look_at_marks()
        assert self.marks and not self.gone_back, f"marks of {len(self.marks)} partitions, gone back: {self.gone_back}"

    def note_time(self, what):
        self.times += f", {what} {time.monotonic() - self.started:.1f}"

    def run(self):
        """Why it failed; None: it did not."""
        self.prepare()
        self.silent, self.playing, self.service = [], None, Service(self.folder, self.configuration())
        words = [player, self.folder / "world", "--bootstrap", self.servers.kafka.bootstrap, "--postgres", self.dsn(self.servers.postgres.port), "--rate", str(rate), "--quiet",
                 "--events-topic", self.topics[0], "--gps-topic", self.topics[1]]
        try:
            self.playing = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            with self.watched_marks():
                self.hurt()
                said = self.playing.communicate(timeout=patience_s)[1]
                assert self.playing.returncode == 0, f"the player ended with {self.playing.returncode}: {said}"
                self.note_time("told")
                while self.silent:
                    close_in_time(self.silent.pop())
                wait_until_caught_up(self.service, ends_of(self.servers.kafka, self.topics), self.servers.postgres, patience_s, database=self.name)
                self.note_time("caught up")
            self.service.stop(patience_s)
            self.note_time("stopped")
            return self.judge()
        except (AssertionError, OSError, subprocess.SubprocessError, KafkaException) as e:
            return f"{type(e).__name__}: {e}"
        finally:
            self.service.kill()
            if self.playing:
                self.playing.kill()
            self.servers.heal()
            while self.silent:
                close_in_time(self.silent.pop())

    def judge(self):
        words = types.SimpleNamespace(lake=self.service.lake, bootstrap=self.servers.kafka.bootstrap, postgres=self.dsn(self.servers.postgres.port), program=program, only=None,
                                      events_topic=self.topics[0], gps_topic=self.topics[1], law=True)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), tempfile.TemporaryDirectory(prefix="fleetflow-verify-") as folder:
            return None if verify.Verifier(words, pathlib.Path(folder)).run() == 0 else said.getvalue()

    def lives(self):
        """How often the service began anew by itself or at a supervisor's hand."""
        again, anew = self.service.restarts, self.service.log.read_text(errors="replace").count(": taking up anew)")
        return (f"; {again} x exit 5, started again" if again else "") + (f"; {anew} x taken up anew" if anew else "")

    def forget(self):
        """Leaves the servers as they were."""
        sql = self.servers.postgres.sql
        sql("select pg_terminate_backend(active_pid) from pg_replication_slots where active", database="postgres")
        sql(f"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{self.name}'", database="postgres")
        sql(f"drop database if exists {self.name} with (force)", database="postgres")
        admin = self.servers.kafka.admin()
        for done in admin.delete_topics(self.topics).values():
            done.result(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=int(os.environ.get("STORMS", 4)))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 1)))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no run after so many seconds")
    words = parser.parse_args()
    passed = failed = 0
    hits, began = collections.Counter(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fleetflow-storms-", ignore_cleanup_errors=True) as folder:
        servers = Servers(pathlib.Path(folder))
        try:
            for seed in range(words.seed, words.seed + words.runs):
                if time.monotonic() - began > words.seconds:
                    break
                place = pathlib.Path(folder) / str(seed)
                place.mkdir()
                storm = Storm(seed, place, servers)
                fault = storm.run()
                passed, failed = passed + (not fault), failed + bool(fault)
                hits.update(set(storm.hits))
                print(f"{'FAILED' if fault else 'ok    '} seed {seed}{storm.times}, judged {time.monotonic() - storm.started:.1f} s: {'; '.join(storm.plan)}" + storm.lives(), flush=True)
                if fault:
                    kept = root / "build/storms" / str(seed)
                    shutil.rmtree(kept, ignore_errors=True)
                    shutil.copytree(place, kept, ignore=shutil.ignore_patterns("sql.sock"))
                    print(f"    again: python tests/live/storms.py --runs 1 --seed {seed}; world, lake and log: {kept.relative_to(root)}\n" + "\n".join("    " + line for line in fault.splitlines()))
                storm.forget()
                shutil.rmtree(place)
        finally:
            servers.gates["postgres"].close()
            servers.postgres.kill()
            servers.kafka.kill()
    print(f"{passed + failed} storms of {words.runs} in {time.monotonic() - began:.0f} s; last seed {words.seed + passed + failed - 1}; how many met what:")
    told = [f"{hits[blow]:6} {blow:24}" for blow in all_blows]
    print("\n".join("".join(told[row::rows]).rstrip() for rows in [-(-len(told) // 4)] for row in range(rows)))
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    status = main()
    if hanging:
        sys.stdout.flush()
        os._exit(status)
    sys.exit(status)
