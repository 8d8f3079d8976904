"""Scaled as embedded: a database's changes by way of `fleetflow publish` and Kafka make the same core and curated tables as those that
the engine reads from the database itself.

A world is played into Kafka and Postgres. One service reads the database; another reads what the publisher makes of it, which is killed
with -9 again and again, whose connection to Postgres falls silent without being closed, and which is told to read a table once more. It
speaks to Kafka by TLS with a certificate of its own, the service that reads by SASL (SCRAM).
Status events come in a topic of somebody else's, of five partitions: the first service reads it as it is, the other what two publishers of
one group make of it, of which one or the other is killed as well.
What is published is JSON with odd seeds, Avro with even ones; then the registry is away when the first records come.
In the end both lakes are judged at the same moment and held against each other row for row (`fleetflow compare`).

    python tests/live/check_publish.py [SEED...]      (11 12)      PUBLISH_KILLS=n kills of the publisher (4)
"""
import collections
import contextlib
import io
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time
import urllib.request

import fastavro
from confluent_kafka import Consumer, Producer, TopicPartition

root = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(root / "scripts/stack"), str(root / "tests/kafka")]
from server import free_ports  # noqa: E402
from servers import Gate, Postgres, Registry  # noqa: E402
from service import judge_seeds  # noqa: E402
from world import Cluster, password  # noqa: E402

program = os.environ.get("FLEETFLOW", str(root / "build/release/bin/fleetflow"))
player = str(pathlib.Path(program).parent / "live_player")
tables = ["orders", "drivers", "driver_assignments"]
foreign, by_shipment = "scans", "shipment_events"
known_of_scans = re.findall(r"- {name: (\w+)", (root / "deploy/local/contracts/shipment_events.yaml").read_text())
topics = [by_shipment, "gps_locations", *tables]
kills, shipments, rate, patience_s, silence_max_s = int(os.environ.get("PUBLISH_KILLS", 4)), 600, 800, 120, 3


class Process:
    """A program with a configuration, its log and its door for monitoring."""

    def __init__(self, folder, name, command, config):
        self.port = free_ports(1)[0]
        self.config, self.log, self.command = folder / f"{name}.yaml", folder / f"{name}.log", command
        self.config.write_text(f"http: {{listen: '127.0.0.1:{self.port}'}}\n{config}")
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program, *self.command, "--config", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(patience_s)
        assert status == 0, f"{self.config.stem} was told to stop and ended with {status}\n" + self.log.read_text()[-2000:]

    def metric(self, name):
        """Its value, or None while it does not answer or does not tell."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
                found = re.search(rf"^{re.escape(name)}(?:{{[^}}]*}})? (\S+)$", answer.read().decode(), re.M)
                return float(found[1]) if found else None
        except OSError:
            return None

    def wait_for(self, what, is_so):
        until = time.monotonic() + patience_s
        while not is_so():
            assert self.process.poll() is None, f"{self.config.stem} ended with {self.process.poll()}\n" + self.log.read_text()[-2000:]
            assert time.monotonic() < until, f"{self.config.stem}: not within {patience_s} s: {what}\n" + self.log.read_text()[-2000:]
            time.sleep(0.2)


def ask(lake, sql):
    done = subprocess.run([program, "query", "--lake", lake, "--format", "csv", sql], capture_output=True, text=True)
    return done.stdout.splitlines()[1:] if done.returncode == 0 else []


class Wire:
    """What stands on the topics: JSON, or Avro with a registry's numbers."""

    def __init__(self, registry):
        self.registry, self.schemas = registry, {}

    def read(self, value):
        """The record; None if it is none."""
        if not self.registry or value[:1] != b"\0":
            with contextlib.suppress(json.JSONDecodeError):
                return json.loads(value)
            return None
        number = int.from_bytes(value[1:5], "big")
        if number not in self.schemas:
            self.schemas[number] = fastavro.parse_schema(json.loads(self.registry.ask("GET", f"/schemas/ids/{number}")["schema"]))
        return fastavro.schemaless_reader(io.BytesIO(value[5:]), self.schemas[number])

    def content(self, value):
        """What a scan says that its contract knows, however it is written."""
        record = self.read(value)
        return value if record is None else json.dumps({name: word for name, word in record.items() if word is not None and name in known_of_scans}, sort_keys=True)


def published_contracts(folder, is_avro):
    """Those of the tables, said of topics: nothing but their servers differs. That of events is of topics already."""
    contracts = folder / "contracts"
    shutil.copytree(root / "deploy/local/contracts", contracts)
    if is_avro:
        path = contracts / "shipment_events.yaml"
        text, count = re.subn("format: json$", "format: avro", path.read_text(), flags=re.M)
        assert count == 1
        path.write_text(text)
    for table in tables:
        path = contracts / f"{table}.yaml"
        server = (f"servers:\n  - server: kafka\n    type: kafka\n    host: 127.0.0.1:9092\n    format: {'debezium_avro' if is_avro else 'debezium'}\n"
                  f"    customProperties:\n      - {{property: topic, value: {table}}}\n")
        text, count = re.subn(r"^servers:\n(?:[ ].*\n)+", server, path.read_text(), flags=re.M)
        assert count == 1
        path.write_text(text)
    return contracts


def with_headers(folder):
    """The product's contracts; that of events keeps a header."""
    contracts = folder / "foreign_contracts"
    shutil.copytree(root / "deploy/local/contracts", contracts)
    path = contracts / "shipment_events.yaml"
    path.write_text(path.read_text().replace("value: shipment_events}", "value: shipment_events}\n      - {property: headers, value: [traceparent]}"))
    return contracts


def ends_of(kafka, topics):
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "check", "log_level": 0})
    ends = {f"kafka:{topic}/{p}": consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1]
            for topic in topics for p in consumer.list_topics(topic, timeout=30).topics[topic].partitions}
    consumer.close()
    return ends


def records_of(kafka, topic):
    """The records of a topic that is at rest."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "check", "enable.auto.commit": False, "log_level": 0})
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1] for p in partitions}
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    out, until = [], time.monotonic() + 60
    while len(out) < sum(ends.values()):
        assert time.monotonic() < until, f"{topic}: {len(out)} of {sum(ends.values())} records came"
        out += consumer.consume(1000, timeout=0.5)
    consumer.close()
    return out


class Run:
    def __init__(self, seed, folder, kafka, postgres, gate, registry):
        self.seed, self.folder, self.kafka, self.postgres, self.gate, self.registry = seed, folder, kafka, postgres, gate, registry
        self.wire = Wire(registry)
        schemas = f", registry_url: '{registry.url}'" if registry else ""
        database = "type: postgres, name: orders, publication: fleetflow"
        # Topics made a moment ago may be unknown to the group's first look; by default the next one is seconds later.
        topics_of = "type: kafka, name: topics, properties: {topic.metadata.refresh.interval.ms: 2000}"
        by_sasl = f"brokers: '127.0.0.1:{kafka.sasl_port}', sasl_mechanism: SCRAM-SHA-512, sasl_username: reader, sasl_password: {password}"
        by_tls = f"brokers: '127.0.0.1:{kafka.tls_port}', tls: true, tls_ca: {kafka.folder}/ca.pem, tls_certificate: {kafka.folder}/client.crt, tls_key: {kafka.folder}/client.key"
        serve = "commit_interval_ms: 200\nclock_interval_s: 2\n"
        self.direct_contracts, self.published_contracts = root / "deploy/local/contracts", published_contracts(folder, bool(registry))
        self.embedded = Process(folder, "embedded", ["run", "--quiet"], f"lake: {folder}/embedded\ncontracts: {self.direct_contracts}\n{serve}sources:\n"
                                f"  - {{{topics_of}, brokers: '{kafka.bootstrap}', group: embedded, topics: {{{foreign}: shipment_events, gps_locations: gps_locations}}}}\n  - {{{database}, conninfo: '{postgres.dsn}', slot: embedded}}\n")
        self.scaled = Process(folder, "scaled", ["run", "--quiet"], f"lake: {folder}/scaled\ncontracts: {self.published_contracts}\n{serve}sources:\n"
                              f"  - {{{topics_of}, {by_sasl}, group: scaled{schemas}}}\n")
        gated = re.sub(r"port=\d+", f"port={gate.port}", postgres.dsn)
        self.publisher = Process(folder, "publisher", ["publish"], f"contracts: {self.direct_contracts}\npublish: {{{by_tls}{schemas}}}\nsources:\n"
                                 f"  - {{{database}, conninfo: '{gated}', slot: publisher, silence_max_s: {silence_max_s}, stats_interval_s: 1}}\n")
        scans = f"type: kafka, name: scans, brokers: '{kafka.bootstrap}', group: rekeyers, topics: {{{foreign}: shipment_events}}, properties: {{topic.metadata.refresh.interval.ms: 2000, session.timeout.ms: 6000}}"
        self.rekeyers = [Process(folder, f"rekeyer_{n}", ["publish"], f"contracts: {with_headers(folder) if n == 1 else folder / 'foreign_contracts'}\npublish: {{{by_tls}, positions_topic: scans_positions{schemas}}}\nsources:\n  - {{{scans}}}\n")
                         for n in (1, 2)]
        self.all = [self.embedded, self.scaled, self.publisher, *self.rekeyers]

    def begin(self):
        """Both readers stream: from here on every row is a change, with one time for both."""
        self.embedded.wait_for("its snapshot is complete", lambda: ask(self.folder / "embedded", "select count(*) from ops.marks where resume like '%complete'") == ["1"])
        self.scaled.wait_for("it has all partitions", lambda: self.scaled.metric("fleetflow_kafka_assigned_partitions") == 64 * len(topics))
        self.publisher.wait_for("it streams", lambda: self.publisher.metric("fleetflow_pg_slot_active") == 1 and (self.publisher.metric("fleetflow_cdc_lag_seconds") or 99) < 5)

    def play(self):
        chance = random.Random(self.seed)
        if self.registry:
            self.registry.kill()
        playing = subprocess.Popen([player, self.folder / "world", "--events-topic", foreign, "--bootstrap", self.kafka.bootstrap, "--postgres", self.postgres.dsn, "--rate", str(rate), "--quiet"], stdout=subprocess.PIPE, text=True)
        try:
            for _ in range(kills):
                time.sleep(chance.uniform(1, 3))
                for process in (self.publisher, chance.choice(self.rekeyers)):
                    process.kill()
                    process.start()
                if self.registry and not self.registry.is_ready():
                    self.publisher.wait_for("the registry is missed", lambda: "schema registry does not answer" in self.publisher.log.read_text())
                    self.registry.start()
            told = json.loads(playing.communicate(timeout=patience_s)[0])
        finally:
            playing.kill()
        print(f"seed {self.seed}: {told['records']} records told in {told['seconds']:.0f} s; {kills} kills of the publisher, as many of those that give scans their keys", flush=True)

    def tell_what_nobody_can_read(self):
        """A scan that is none, and one with a header and a time of its own."""
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "log_level": 0})
        self.poison, self.traced = b"{no scan", json.dumps({"namespace": "acme", "shipment_id": "S-TRACED", "status": "created", "event_time": "2026-01-05T10:00:00Z"}).encode()
        producer.produce(foreign, key="somebody's", value=self.poison)
        producer.produce(foreign, key="somebody's", value=self.traced, timestamp=1767600000123, headers={"traceparent": "00-ab-cd-01", "other": "x"})
        assert producer.flush(30) == 0

    def wait_for_keys(self):
        """Each scan is there by its shipment, some of them twice."""
        content = self.wire.content
        theirs = collections.Counter(content(m.value()) for m in records_of(self.kafka, foreign))
        self.rekeyers[0].wait_for("scans by shipment", lambda: set(theirs) <= {content(m.value()) for m in records_of(self.kafka, by_shipment)})
        records = records_of(self.kafka, by_shipment)
        assert {content(m.value()) for m in records} == set(theirs)
        partitions = collections.defaultdict(set)
        for m in records:
            record = self.wire.read(m.value())
            assert record is None or m.key() == ((record.get("shipment_id") or "").encode() or None), (m.key(), m.value())
            assert record is None or (m.value()[:1] == b"\0") == bool(self.registry), m.value()
            assert m.value() != self.poison or m.key() is None
            if m.key() is None:
                continue
            partitions[m.key()].add(m.partition())
            if content(m.value()) == content(self.traced):
                assert m.headers() == [("traceparent", b"00-ab-cd-01")] and m.timestamp()[1] == 1767600000123, (m.headers(), m.timestamp())
        assert all(len(each) == 1 for each in partitions.values()) and len({p for each in partitions.values() for p in each}) > 32
        print(f"{len(records)} scans by {len(partitions)} shipments of {sum(theirs.values())} in {foreign}", flush=True)

    def change_what_is_old(self):
        """Rows go, are known by another key, carry a value that is stored out of line, and come and go in one transaction."""
        self.postgres.sql("""
            delete from orders where order_ref in (select order_ref from orders order by md5(order_ref) limit 20);
            delete from drivers where driver_id = (select min(driver_id) from drivers);
            delete from driver_assignments where assignment_id in (select assignment_id from driver_assignments order by md5(assignment_id) limit 20);
            update orders set shipment_id = shipment_id || '-B' where order_ref in (select order_ref from orders order by order_ref desc limit 5);
            update orders set service_level = (select string_agg(md5(i::text), '') from generate_series(1, 200) i) where order_ref = (select min(order_ref) from orders);
            update orders set carrier_id = 'LATER' where order_ref = (select min(order_ref) from orders);
            begin;
            insert into orders (order_ref, shipment_id, customer_id, created_at) select 'TWIN-' || order_ref, shipment_id, 'another', created_at from orders order by order_ref limit 10;
            savepoint a;
            delete from orders where order_ref not like 'TWIN-%';
            rollback to savepoint a;
            delete from orders where order_ref in (select order_ref from orders where order_ref like 'TWIN-%' order by 1 limit 5);
            commit""")

    def fall_silent(self):
        """The connection stays and nothing comes through: noticed within the set time, and mended when the wire is."""
        self.publisher.wait_for("it streams", lambda: (self.publisher.metric("fleetflow_cdc_connections_total") or 0) > 0)
        started = time.monotonic()
        self.gate.hold()
        self.postgres.sql("update orders set carrier_id = 'WHILE-SILENT' where shipment_id in (select shipment_id from orders order by 1 limit 3)")
        self.publisher.wait_for("the silence is noticed", lambda: "has been silent for" in self.publisher.log.read_text())
        noticed = time.monotonic() - started
        assert silence_max_s <= noticed < silence_max_s + 5, f"a silent connection was noticed after {noticed:.1f} s"
        self.gate.heal()
        self.publisher.wait_for("it goes on", lambda: self.publisher.log.read_text().rstrip().endswith("goes on"))
        print(f"a silent connection was noticed after {noticed:.1f} s (silence_max_s: {silence_max_s})", flush=True)

    def refuse_a_circle(self):
        """A topic that would be read and published to."""
        config = self.folder / "circle.yaml"
        config.write_text(f"contracts: {self.direct_contracts}\npublish: {{brokers: '{self.kafka.bootstrap}', topics: {{shipment_events: {foreign}}}}}\n"
                          f"sources:\n  - {{type: kafka, name: scans, brokers: '{self.kafka.bootstrap}', group: circle, topics: {{{foreign}: shipment_events}}}}\n")
        refused = subprocess.run([program, "publish", "--config", config], capture_output=True, text=True, timeout=30)
        assert refused.returncode == 4 and f"'{foreign}' would be read and published to" in refused.stderr, refused.stderr

    def refuse_another_schema(self):
        """A topic whose subject holds what ours cannot be compatible with."""
        other = {"type": "record", "name": "Record", "namespace": "fleetflow.feed_shipment_events", "fields": [{"name": "shipment_id", "type": "long"}]}
        self.registry.ask("POST", "/subjects/elsewhere-value/versions", {"schema": json.dumps(other)})
        self.registry.ask("PUT", "/config/elsewhere-value", {"compatibility": "BACKWARD"})
        config = self.folder / "elsewhere.yaml"
        config.write_text(f"contracts: {self.direct_contracts}\npublish: {{brokers: '{self.kafka.bootstrap}', topics: {{shipment_events: elsewhere}}, positions_topic: elsewhere_positions, registry_url: '{self.registry.url}'}}\n"
                          f"sources:\n  - {{type: kafka, name: scans, brokers: '{self.kafka.bootstrap}', group: elsewhere, topics: {{{foreign}: shipment_events}}}}\n")
        refused = subprocess.run([program, "publish", "--config", config], capture_output=True, text=True, timeout=60)
        assert refused.returncode == 4 and "refuses our schema of 'elsewhere-value'" in refused.stderr, refused.stderr

    def read_again(self):
        """A range of keys comes once more, as rows of a snapshot; it changes nothing."""
        lower, upper = self.postgres.sql("select min(order_ref), max(order_ref) from orders").split("\t")
        wanted = int(self.postgres.sql(f"select count(*) from orders where order_ref < '{upper}'"))
        done = subprocess.run([program, "snapshot", "--config", self.publisher.config, "--table", "orders", "--column", "order_ref", "--from", lower, "--to", upper], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        refused = subprocess.run([program, "snapshot", "--config", self.publisher.config, "--table", "orders", "--column", "nothing", "--from", "x"], capture_output=True, text=True)
        assert refused.returncode == 4 and "nothing" in refused.stderr, refused.stderr

        def again():
            return sum(self.wire.read(m.value())["op"] == "r" for m in records_of(self.kafka, "orders"))
        self.publisher.wait_for("the range is read again", lambda: again() >= wanted)
        assert again() == wanted, f"{again()} rows came again, {wanted} were asked for"
        print(f"{wanted} rows read again at a word", flush=True)

    def wait_until_caught_up(self):
        self.postgres.sql("insert into drivers (driver_id, home_hub) values ('LAST', 'END')")
        is_told = "select count(*) from core.drivers where home_hub = 'END'"
        for process in (self.embedded, self.scaled):
            process.wait_for("the last row", lambda: ask(self.folder / process.config.stem, is_told) == ["1"])
        def behind(lake, ends):
            marks = dict(line.rsplit(",", 1) for line in ask(lake, "select partition, position from ops.marks where partition like 'kafka:%'"))
            return sum(end - int(marks.get(name, 0)) for name, end in ends.items())
        for process, its in ((self.embedded, [foreign, "gps_locations"]), (self.scaled, topics)):
            ends = ends_of(self.kafka, its)
            process.wait_for("the topics' ends", lambda: behind(self.folder / process.config.stem, ends) == 0)

    def check_topics(self):
        """Keyed by what a record is about, free of personal data, and the doubles that the kills made do exist."""
        for topic, member in {"orders": "shipment_id", "driver_assignments": "shipment_id", "drivers": "driver_id"}.items():
            records = records_of(self.kafka, topic)
            for m in records:
                envelope = self.wire.read(m.value())
                row = envelope["after"] or envelope["before"]
                assert row[member] == m.key().decode(), (topic, m.key(), m.value())
                assert (m.value()[:1] == b"\0") == bool(self.registry), m.value()
                assert not any(row.get(name) for name in ("name", "phone", "email", "licence_number", "home_address", "date_of_birth")), m.value()
            print(f"{topic}: {len(records)} records, {len(records) - len({(m.key(), m.value()) for m in records})} of them twice", flush=True)

    def judge_at(self, moment):
        empty = self.folder / "empty"
        empty.mkdir()
        for name, contracts in (("embedded", self.direct_contracts), ("scaled", self.published_contracts)):
            subprocess.run([program, "run", "--quiet", "--input", empty, "--contracts", contracts, "--lake", self.folder / name, "--as-of", moment], check=True)
        compared = subprocess.run([program, "compare", self.folder / "embedded", self.folder / "scaled"], stdout=subprocess.PIPE, text=True)
        print(compared.stdout, end="", flush=True)
        if compared.returncode != 1:
            return compared.returncode == 0
        # What a feed sends and no contract knows is not published, so only who reads the feed finds it. A refused record is known by its bytes, which in Avro are others.
        differ = [table for table, rows in re.findall(r"^  (\S+) +\d+ rows  (.*)$", compared.stdout, re.M) if rows != "the same"]
        left_out = "anchor" if self.registry else ""
        findings = [ask(self.folder / lake, f"select columns(c -> c <> '{left_out}') from ops.findings where check_name <> 'schema_drift' order by all") for lake in ("embedded", "scaled")]
        drifts = [set(ask(self.folder / lake, "select subject, anchor from ops.findings where check_name = 'schema_drift'")) for lake in ("embedded", "scaled")]
        return differ == ["ops.findings"] and findings[0] == findings[1] and len(findings[0]) > 0 and drifts[1] <= drifts[0]


def judge(seed, folder):
    with contextlib.ExitStack() as servers:
        return judge_with(seed, folder, servers.enter_context(Registry(folder / "registry")) if seed % 2 == 0 else None)


def judge_with(seed, folder, registry):
    subprocess.run([program, "simulate", "--shipments", str(shipments), "--seed", str(seed), "--pings-per-shipment", "3", "--out", folder / "world"], check=True, stdout=subprocess.DEVNULL)
    with Cluster(folder / "kafka") as kafka, Postgres(folder / "postgres", fsync=False) as postgres, Gate(postgres.port) as gate:
        for topic in topics:
            kafka.make_topic(topic, partitions=64)
        kafka.make_topic(foreign, partitions=5)
        postgres.sql((root / "deploy/local/orders.sql").read_text())
        run = Run(seed, folder, kafka, postgres, gate, registry)
        try:
            run.refuse_a_circle()
            run.begin()
            run.play()
            run.tell_what_nobody_can_read()
            run.change_what_is_old()
            run.fall_silent()
            if registry:
                run.refuse_another_schema()
            run.read_again()
            run.wait_for_keys()
            run.wait_until_caught_up()
            for process in run.all:
                process.stop()
            run.check_topics()
        finally:
            for process in run.all:
                process.kill()
        return run.judge_at(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2)))


if __name__ == "__main__":
    sys.exit(judge_seeds(judge, sys.argv[1:] or [11, 12]))
