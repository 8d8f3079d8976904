"""The service as an operator sees it: a configuration, a folder in which files land, a door for monitoring, signals.

    python tests/service/check_service.py [CASE...]

The facts are a simulated world's. What the service has made of them at its end is compared with a plain run over all of them.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

root = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(root / "tests/law"), str(root / "scripts/stack")]
import engine  # noqa: E402
import worlds  # noqa: E402
from server import free_ports  # noqa: E402

PATIENCE_S = 60


def wait_for(what, true, patience_s=PATIENCE_S):
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if value := true():
            return value
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {patience_s} s")


class Service:
    def __init__(self, folder):
        self.folder, self.port = folder, free_ports(1)[0]
        self.landing, self.lake = folder / "landing", folder / "lake"
        self.landing.mkdir()
        self.config = folder / "service.yaml"
        self.config.write_text(f"lake: lake\ncommit_interval_ms: 100\nfolder_interval_s: 1\nclock_interval_s: 1\n"
                               f"http: {{listen: '127.0.0.1:{self.port}'}}\nsources:\n  - {{type: files, name: landing, path: landing}}\n")
        self.process = None

    def start(self, **settings):
        self.log = open(self.folder / "log", "a")
        self.process = subprocess.Popen([engine.PROGRAM, "run", "--quiet", "--config", self.config], env=dict(os.environ, **settings), stdout=self.log, stderr=self.log)
        wait_for("/healthz answers", lambda: self.get("/healthz")[0] == 200)
        wait_for("/readyz says yes", lambda: self.get("/readyz")[0] == 200)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except OSError as e:
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended with {self.process.returncode}: {(self.folder / 'log').read_text()}") from e
            return 0, str(e)

    def ask(self, sql):
        done = subprocess.run([engine.PROGRAM, "query", "--lake", self.lake, "--format", "json", sql], capture_output=True, text=True)
        assert done.returncode in (0, 5), done.stderr
        return json.loads(done.stdout) if done.returncode == 0 else None

    def land(self, world, name):
        """As a good citizen: written aside, then renamed."""
        aside = self.folder / name
        aside.write_bytes((world / name).read_bytes())
        aside.rename(self.landing / name)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def world_of(folder):
    """The world, with contracts of its own that the service finds in its landing folder."""
    worlds.lifelike(engine.PROGRAM, folder / "world", seed=5, shipments=60)
    if (folder / "world" / "contracts").is_dir():
        shutil.copytree(folder / "world" / "contracts", folder / "landing" / "contracts")
    return folder / "world", sorted(p.name for p in (folder / "world").glob("*.ndjson"))


def files_done(service):
    rows = service.ask("select count(*) as n from ops.files where done")
    return int(rows[0]["n"]) if rows else 0


def lands_and_shows(service, folder):
    """Files that land while it runs are in the tables soon; a drain on SIGTERM ends with 0 and loses nothing."""
    world, names = world_of(folder)
    service.land(world, names[0])
    service.start()
    for n, name in enumerate(names[1:], 2):
        service.land(world, name)
        wait_for(f"{name} is done", lambda: files_done(service) == n)
    assert service.stop() == 0, (service.folder / "log").read_text()
    as_of = service.ask("select strftime(max(as_of), '%Y-%m-%dT%H:%M:%S.%fZ') as t from ops.commits")[0]["t"]
    engine.run(world, folder / "plain", "--as-of", as_of)
    compared = subprocess.run([engine.PROGRAM, "compare", folder / "plain", service.lake], capture_output=True, text=True)
    assert compared.returncode == 0, compared.stdout[-3000:]


def metrics_say_what_happened(service, folder):
    world, names = world_of(folder)
    for name in names:
        service.land(world, name)
    service.start()
    wait_for("all files are done", lambda: files_done(service) == len(names))
    page = service.get("/metrics")[1]
    documented = set(re.findall(r"^\| `(\w+)`", (engine.ROOT / "docs" / "metrics.md").read_text(), re.M))
    shown = set(re.findall(r"^# TYPE (\w+)", page, re.M))
    assert shown <= documented, f"undocumented: {shown - documented}"
    live = {m for m in documented if m.startswith(("fleetflow_kafka_", "fleetflow_cdc_", "fleetflow_pg_"))}  # tests/live looks for these
    assert documented - shown <= live | {"fleetflow_source_heard_until_timestamp_seconds"}, f"never shown: {documented - shown - live}"
    taken = sum(float(v) for v in re.findall(r'^fleetflow_records_total\{result="accepted",.*stage="decode"\} (\S+)', page, re.M))
    refused = sum(float(v) for v in re.findall(r"^fleetflow_dlq_records_total\{.*\} (\S+)", page, re.M))
    said = service.ask("select sum(facts)::bigint as n, sum(refused)::bigint as r from ops.commits")[0]
    assert refused == int(said["r"]), f"{refused} refused by the metrics, {said['r']} in the lake"
    assert taken + refused == int(said["n"]), f"{taken} + {refused} records by the metrics, {said['n']} in the lake"
    freshness = [float(v) for v in re.findall(r"^fleetflow_table_freshness_seconds\{.*\} (\S+)", page, re.M)]
    assert freshness and max(freshness) < 60, f"freshness {freshness}"
    assert service.stop(signal.SIGINT) == 0, (service.folder / "log").read_text()


def killed_and_started_again(service, folder):
    world, names = world_of(folder)
    for name in names:
        service.land(world, name)
    for point in ("raw_written", "lake_committed"):
        process = subprocess.run([engine.PROGRAM, "run", "--quiet", "--config", service.config], env=dict(os.environ, FLEETFLOW_CRASH_AT=point), capture_output=True, timeout=PATIENCE_S)
        assert process.returncode == engine.KILLED, process.stderr
    service.start()
    wait_for("all files are done", lambda: files_done(service) == len(names))
    assert service.stop() == 0


def check_only(service, folder):
    """--check starts nothing, shows what would run, and names what is wrong."""
    def check(text):
        service.config.write_text(text)
        return subprocess.run([engine.PROGRAM, "run", "--check", "--config", service.config], capture_output=True, text=True, env=dict(os.environ, SCANS="hunter2"))

    good = service.config.read_text()
    kafka = "  - {type: kafka, name: scans, brokers: k1, group: g, topics: {scans: native-events}, sasl_password: '${SCANS}'}\n"
    done = check(good + kafka.replace("native-events", contract_of("events")))
    assert done.returncode == 0, done.stderr
    assert "sasl_password: (hidden)" in done.stdout and "hunter2" not in done.stdout + done.stderr, done.stdout
    assert not service.lake.exists(), "--check made a lake"
    for text, cause, named in ((good.replace("lake:", "laek:"), "config_unknown_key", "did you mean 'lake'?"),
                               (good + kafka.replace("group: g, ", ""), "config_missing_key", "needs 'group'"),
                               (good + kafka, "config_bad_value", "no contract"),
                               (good.replace("path: landing", "path: elsewhere"), "config_bad_value", "elsewhere")):
        done = check(text)
        assert done.returncode == 4 and f"(halt: {cause})" in done.stderr and named in done.stderr, done.stderr


def contract_of(stem):
    return re.search(r"^id: (\S+)", (engine.ROOT / "contracts" / f"{stem}.yaml").read_text(), re.M)[1]


CASES = [lands_and_shows, metrics_say_what_happened, killed_and_started_again, check_only]


def judge(name, folder):
    case = next(c for c in CASES if c.__name__ == name)
    with Service(folder) as service:
        try:
            case(service, folder)
        except (AssertionError, RuntimeError, subprocess.TimeoutExpired) as e:
            return 0, 1, f"{name:26} FAILED: {e}"
    return 1, 0, f"{name:26} ok"


if __name__ == "__main__":
    sys.exit(engine.each(judge, sys.argv[1:] or [c.__name__ for c in CASES]))
