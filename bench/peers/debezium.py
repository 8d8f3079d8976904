"""Debezium's embedded engine from a Postgres table to a topic: bench/peers/DebeziumPeer.java, measured.

debezium.py snapshot PORT TABLE BOOTSTRAP [PASSES]        the table as it stands
debezium.py slots PORT [PASSES]                           before changes are made: slots that will keep them, one a pass
debezium.py changes PORT TABLE BOOTSTRAP ROWS [PASSES]    the changes since, through those slots: ROWS of them
The last of the passes (3) counts; the others warm the JVM up. The publication is `fleetflow` (deploy/local/orders.sql).
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import psycopg2
from confluent_kafka.admin import AdminClient, NewTopic

from peer import compiled, deps, say


def database(port):
    connection = psycopg2.connect(host="127.0.0.1", port=port, user="app", dbname="app")
    connection.autocommit = True
    return connection.cursor()


def slots(passes):
    return [f"peer_{n + 1}" for n in range(passes)]


def drop_slots(cursor):
    cursor.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name like 'peer_%'")


def run(mode, port, table, bootstrap, rows, slots, topic=None, registry=None):
    """To a topic, or peer.TABLE; a pass a slot. With a registry's address in Avro."""
    topic = topic or f"peer.{table}"
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    if topic not in admin.list_topics(timeout=30).topics:
        admin.create_topics([NewTopic(topic, num_partitions=64, replication_factor=1)])[topic].result(30)
    classes = compiled("DebeziumPeer", "debezium")
    with tempfile.TemporaryDirectory(prefix="fleetflow-debezium-") as work:
        log = pathlib.Path(work) / "log"
        done = subprocess.run(["java", "-Xmx700m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", *([f"-Dregistry={registry}"] if registry else []), "-cp", f"{classes}:{deps}/debezium/*", "DebeziumPeer",
                               mode, str(port), table, bootstrap, work, str(rows), topic, *slots], stdout=subprocess.PIPE, stderr=log.open("w"), text=True)
        if done.returncode != 0:
            raise SystemExit(f"DebeziumPeer: exit {done.returncode}\n{done.stdout}{log.read_text()[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def make_slots(cursor, passes=3):
    drop_slots(cursor)
    for slot in slots(passes):
        cursor.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])


def measure(mode, port, table, bootstrap, rows=None, passes=3):
    """A line of DebeziumPeer a pass; `rows`: of changes, how many wait in the slots."""
    cursor = database(port)
    if mode == "snapshot":
        drop_slots(cursor)
        cursor.execute(f"select count(*) from {table}")
        rows = cursor.fetchone()[0]
    measured = run(mode, port, table, bootstrap, rows, slots(passes))
    drop_slots(cursor)
    return [{**m, "rows": rows} for m in measured]


def main():
    mode, port, *words = sys.argv[1:]
    if mode == "slots":
        return make_slots(database(port), *map(int, words))
    table, bootstrap, *words = words
    rows = int(words.pop(0)) if mode == "changes" else None
    for measured in measure(mode, port, table, bootstrap, rows, *map(int, words)):
        say(f"Debezium 3.6.1 embedded, {mode} of {table} to JSON in Kafka, acks=all, at least once", measured.pop("rows"), measured)


if __name__ == "__main__":
    main()
