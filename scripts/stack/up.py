"""./ff up and ./ff down: the servers around FleetFlow on this machine, for a person to play with. They stay until ./ff down.

Everything lies in one folder (build/stack, or FLEETFLOW_STACK): data, configuration and log of each server, and ports.json.
A server that runs already is left alone: which that is, says its `pid` file, if the process still works in its folder.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import time

from server import accepts, family, free_ports, root
from servers import Kafka, Postgres, Registry

folder = pathlib.Path(os.environ.get("FLEETFLOW_STACK") or root / "build/stack").resolve()
servers = {"kafka": Kafka, "postgres": Postgres, "registry": Registry}
stop_signals = {"postgres": signal.SIGINT}
usual_ports = {"kafka": 19092, "postgres": 15432, "registry": 18081}
# Facts are keyed by shipment or driver; 64 partitions are the 64 shards (docs/decisions.md), and are never changed in place.
topics = {"shipment_events": 64, "gps_locations": 64}


def pid_of(name):
    """The server's process if it runs; else None."""
    try:
        pid = int((folder / name / "pid").read_text())
        return pid if pathlib.Path(f"/proc/{pid}/cwd").readlink().is_relative_to(folder / name) else None
    except (OSError, ValueError):
        return None


def ports():
    """Each server's, the same as last time; the first time its usual one, or a free one where that is taken."""
    path = folder / "ports.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    for name, port in usual_ports.items():
        if name not in known:
            known[name] = free_ports(1)[0] if accepts(port) else port
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known))
    return known


def write_config(port):
    """deploy/local/fleetflow.yaml with this stack's places."""
    text = (root / "deploy/local/fleetflow.yaml").read_text()
    for word, value in {"LAKE": folder / "lake", "CONTRACTS": root / "deploy/local/contracts", "KAFKA": f"127.0.0.1:{port['kafka']}",
                        "REGISTRY": f"http://127.0.0.1:{port['registry']}/apis/ccompat/v7", "POSTGRES": f"host=127.0.0.1 port={port['postgres']} user=app dbname=app"}.items():
        text = text.replace(f": {word}\n", f": {value}\n")
    (folder / "fleetflow.yaml").write_text(text)


def start(name, port):
    started = time.monotonic()
    if pid_of(name):
        return f"{name} runs already"
    if accepts(port):
        raise SystemExit(f"ff: port {port} is taken by another program; free it, or let {folder}/ports.json name another port for {name}")
    server = servers[name](folder / name, port=port, outlives=True)
    try:
        if name == "kafka":
            for topic, partitions in topics.items():
                server.make_topic(topic, partitions=partitions, retention_ms=72 * 3_600_000)
        if name == "postgres":
            server.sql((root / "deploy/local/orders.sql").read_text())
        (folder / name / "pid").write_text(str(server.pid()))
    except BaseException:
        server.stop()
        raise
    return f"{name} started in {time.monotonic() - started:.0f} s"


def up(with_registry):
    port = ports()
    for name in servers:
        if with_registry or name != "registry":
            print(start(name, port[name]), file=sys.stderr)
    write_config(port)
    where = {"folder": folder, **port}
    print("""
Postgres 15  127.0.0.1:{postgres}  orders, drivers, driver_assignments in database app; publication fleetflow
             psql -h 127.0.0.1 -p {postgres} -U app app
Kafka 4.4    127.0.0.1:{kafka}  topics shipment_events, gps_locations: JSON, 64 partitions, keyed by shipment_id, driver_id
             kcat -b 127.0.0.1:{kafka} -C -t shipment_events -o beginning -e""".format(**where))
    if with_registry:
        print("Registry     http://127.0.0.1:{registry}/apis/ccompat/v7  Confluent's API".format(**where))
    print("""
Settings for fleetflow run --config: {folder}/fleetflow.yaml
Data and logs: {folder}/SERVER/data, /log. They listen on this machine only, without passwords.
./ff down stops them and keeps their data; ./ff down --purge forgets it.""".format(**where))


def down(purge):
    stopped = 0
    for name in reversed(servers):
        pid = pid_of(name)
        if pid is None:
            continue
        members = family(pid)
        os.kill(pid, stop_signals.get(name, signal.SIGTERM))
        until = time.monotonic() + 30
        while alive(pid) and time.monotonic() < until:
            time.sleep(0.1)
        for member in filter(alive, members):
            os.kill(member, signal.SIGKILL)
        (folder / name / "pid").unlink()
        print(f"{name} stopped", file=sys.stderr)
        stopped += 1
    if purge and folder.exists():
        shutil.rmtree(folder)
    print(f"{stopped} servers stopped; " + ("their data is gone" if purge else f"their data stays in {folder}"))


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser()
    command = parser.add_subparsers(dest="command", required=True)
    command.add_parser("up").add_argument("--without-registry", action="store_true")
    command.add_parser("down").add_argument("--purge", action="store_true")
    words = parser.parse_args()
    if words.command == "up":
        up(not words.without_registry)
    else:
        down(words.purge)


if __name__ == "__main__":
    main()
