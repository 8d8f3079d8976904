"""Each real server: started, spoken to over the wire, stopped or killed, started again on its data, and asked what was there.

And the gate on the wire before it: slow, silent, shut, broken after so many bytes, and healed.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

import psycopg2
from confluent_kafka import Consumer, KafkaException, Producer

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "scripts/stack"))
from server import free_ports  # noqa: E402
from servers import Gate, Kafka, Postgres, Registry  # noqa: E402


def produce(bootstrap, topic, values, seconds=30):
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "message.timeout.ms": seconds * 1000, "log_level": 0})
    undelivered = []
    for value in values:
        producer.produce(topic, key=value, value=value, on_delivery=lambda error, _: undelivered.append(error) if error else None)
    left = producer.flush(seconds + 5)
    return not undelivered and not left


def consume(bootstrap, topic, count, seconds=30):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "check", "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    values, until = [], time.monotonic() + seconds
    while len(values) < count and time.monotonic() < until:
        message = consumer.poll(0.2)
        if message is not None:
            if message.error():
                raise KafkaException(message.error())
            values.append(message.value().decode())
    consumer.close()
    return sorted(values)


def kafka_keeps_what_it_acknowledged(folder):
    values = [f"v{i:03}" for i in range(200)]
    with Kafka(folder / "kafka", gated=True) as kafka:
        kafka.make_topic("facts", partitions=64)
        kafka.make_topic("facts", partitions=64)  # again is no error
        assert produce(kafka.gated_bootstrap, "facts", values[:100])
        assert kafka.gate.connections > 0, "the client went around the gate"
        kafka.kill()
        kafka.start()
        assert consume(kafka.bootstrap, "facts", 100) == values[:100]
        kafka.gate.shut()
        assert not produce(kafka.gated_bootstrap, "facts", ["never"], seconds=2), "a record went through a shut gate"
        kafka.gate.heal()
        assert produce(kafka.gated_bootstrap, "facts", values[100:])
        assert consume(kafka.bootstrap, "facts", 200) == values


def connect(postgres, port=None):
    return psycopg2.connect(host="127.0.0.1", port=port or postgres.port, user="app", dbname="app", connect_timeout=2)


def postgres_keeps_what_it_committed(folder, version):
    with Postgres(folder / f"postgres{version}", version, fsync=False) as postgres:
        assert postgres.sql("show server_version").startswith(str(version))
        with connect(postgres) as connection, connection.cursor() as cursor:
            cursor.execute("create table facts (id int primary key, word text); insert into facts values (1, 'kept'); create publication all_tables for all tables")
        postgres.sql("select pg_create_logical_replication_slot('slot', 'pgoutput')")
        postgres.kill()
        postgres.start()
        assert postgres.sql("select * from facts") == "1\tkept"
        assert postgres.sql("select slot_name, plugin, wal_status from pg_replication_slots") == "slot\tpgoutput\treserved"
        postgres.restart()
        assert postgres.sql("select count(*) from facts") == "1"


def a_paused_server_answers_when_it_goes_on(folder):
    with Postgres(folder / "paused", fsync=False) as postgres:
        with connect(postgres) as connection, connection.cursor() as cursor:
            postgres.pause()
            try:
                connect(postgres).close()
                raise AssertionError("a paused server took a session")
            except psycopg2.OperationalError:
                pass
            postgres.resume()
            cursor.execute("select 1")
            assert cursor.fetchone() == (1,)


def the_gate_does_what_it_says(folder):
    def seconds(cursor):
        start = time.monotonic()
        cursor.execute("select 1")
        return time.monotonic() - start

    def breaks(action):
        try:
            action()
        except psycopg2.OperationalError:
            return True
        return False

    with Postgres(folder / "gated", fsync=False) as postgres, Gate(postgres.port) as gate:
        session = connect(postgres, gate.port)
        cursor = session.cursor()
        assert seconds(cursor) < 0.3
        gate.delay(0.2)
        assert seconds(cursor) > 0.4, "0.2 s there and 0.2 s back"
        gate.heal()
        gate.hold()
        assert breaks(lambda: connect(postgres, gate.port)), "a session was opened through a gate that lets nothing through"
        gate.heal()
        assert seconds(cursor) < 2, "what was held goes on"
        gate.cut()
        assert breaks(lambda: cursor.execute("select 1"))
        gate.cut_after(20_000)
        cursor = connect(postgres, gate.port).cursor()
        cursor.execute("select repeat('x', 10000)")
        assert breaks(lambda: cursor.execute("select repeat('x', 50000)"))
        gate.heal()
        gate.shut()
        assert breaks(lambda: connect(postgres, gate.port))
        gate.heal()
        connect(postgres, gate.port).close()


def the_registry_keeps_its_schemas(folder):
    schema = {"type": "record", "name": "ping", "fields": [{"name": "driver_id", "type": "string"}]}
    without_default = {**schema, "fields": [*schema["fields"], {"name": "speed", "type": "int"}]}
    with Registry(folder / "registry") as registry:
        told = registry.ask("POST", "/subjects/pings-value/versions", {"schema": json.dumps(schema)})
        registry.ask("PUT", "/config/pings-value", {"compatibility": "BACKWARD"})
        registry.kill()
        registry.start()
        assert json.loads(registry.ask("GET", f"/schemas/ids/{told['id']}")["schema"]) == schema
        answer = registry.ask("POST", "/compatibility/subjects/pings-value/versions/latest", {"schema": json.dumps(without_default)})
        assert answer["is_compatible"] is False


def up_is_idempotent_and_down_keeps_the_data(folder):
    def ff(*words):
        done = subprocess.run([sys.executable, root / "scripts/stack/up.py", *words], env={**os.environ, "FLEETFLOW_STACK": str(folder / "stack")}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    try:
        told = ff("up")
        assert "kafka started" in told.stderr
        ports = json.loads((folder / "stack/ports.json").read_text())
        for name, port in ports.items():
            assert f"127.0.0.1:{port}" in told.stdout, f"where {name} runs is not said:\n{told.stdout}"
        registry = re.search(r"registry_url: (\S+)", (folder / "stack/fleetflow.yaml").read_text())[1]
        with urllib.request.urlopen(f"{registry}/subjects", timeout=10) as answer:
            assert json.load(answer) == []
        with psycopg2.connect(host="127.0.0.1", port=ports["postgres"], user="app", dbname="app") as connection, connection.cursor() as cursor:
            cursor.execute("insert into drivers values ('D1')")
        bootstrap = f"127.0.0.1:{ports['kafka']}"
        assert produce(bootstrap, "shipment_events", ["e1"])
        assert ff("up").stderr.split() == "kafka runs already postgres runs already registry runs already".split()
        ff("down")
        assert ff("up", "--without-registry").stderr.count("started") == 2
        with psycopg2.connect(host="127.0.0.1", port=ports["postgres"], user="app", dbname="app") as connection, connection.cursor() as cursor:
            cursor.execute("select driver_id from drivers")
            assert cursor.fetchall() == [("D1",)]
        assert consume(bootstrap, "shipment_events", 1) == ["e1"]
    finally:
        ff("down", "--purge")
    assert not (folder / "stack").exists()


def no_port_is_given_to_two_processes(_):
    """Each draws so many that without claims they would meet: about 11 of 400 in 14,000."""
    other = subprocess.Popen([sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1]); from server import free_ports; print(*free_ports(400), flush=True); sys.stdin.read()",
                              root / "scripts/stack"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        theirs = set(map(int, other.stdout.readline().split()))
        ours = set(free_ports(400))
        assert len(theirs) == len(ours) == 400 and not theirs & ours, f"given to both: {sorted(theirs & ours)}"
    finally:
        other.communicate()


def main():
    checks = [
        ("no port is given to two processes", no_port_is_given_to_two_processes),
        ("Postgres 15 keeps what it committed", lambda f: postgres_keeps_what_it_committed(f, 15)),
        ("Postgres 18 keeps what it committed", lambda f: postgres_keeps_what_it_committed(f, 18)),
        ("a paused server answers when it goes on", a_paused_server_answers_when_it_goes_on),
        ("the gate does what it says", the_gate_does_what_it_says),
        ("Kafka keeps what it acknowledged", kafka_keeps_what_it_acknowledged),
        ("the registry keeps its schemas", the_registry_keeps_its_schemas),
        ("up is idempotent, and down keeps the data", up_is_idempotent_and_down_keeps_the_data),
    ]
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    passed = failed = 0
    for name, check in checks:
        if wanted not in name:
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="fleetflow-servers-") as folder:
            try:
                check(pathlib.Path(folder))
                passed, word = passed + 1, "ok    "
            except Exception as error:
                failed, word = failed + 1, f"FAILED {type(error).__name__}: {error}\n      "
        print(f"{word} {name} ({time.monotonic() - started:.0f} s)", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
