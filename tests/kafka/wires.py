"""What lies between us and a broker or a registry: wires, names and passwords, a reader or a publisher that has to wait."""
import base64
import http.server
import io
import json
import re
import ssl
import subprocess
import threading
import time

import fastavro
from confluent_kafka import Consumer, KafkaError

from world import Lake, Reader, Topic, contract, count, event, now, password, programs
from servers import Registry


def broker_and_wire_come_back(kafka, folder):
    topic, lake = Topic(kafka, "wire"), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    topic.send(0, count // 4)
    reader = Reader(kafka, contracts, lake, group="wire", bootstrap=kafka.gated_bootstrap, commit_ms=50, **{"property.socket.timeout.ms": 10000}).wait_for("^BEGIN")
    kafka.gate.cut_after(20_000)
    time.sleep(1.5)
    kafka.gate.heal()
    topic.send(count // 4, count // 4)
    kafka.gate.shut()
    reader.wait_for("^ERROR retry kafka_away")
    kafka.gate.heal()
    topic.send(count // 2, count // 4)
    kafka.kill()
    kafka.start()
    topic.send(3 * count // 4, count // 4)
    lake.wait_for(sum(topic.sent.values()), reader)
    assert reader.terminate()["lag"] == 0
    lake.check_once(topic)


def a_wire_that_falls_silent_is_left(kafka, folder):
    topic, lake = Topic(kafka, "silent"), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    topic.send(0, count)
    reader = Reader(kafka, contracts, lake, group="silent", bootstrap=kafka.gated_bootstrap, commit_ms=20, **{"property.socket.timeout.ms": 5000})
    lake.wait_for(1, reader)
    kafka.gate.hold()
    for i in range(11):  # longer than any request waits, and the group for its member
        topic.send(count + 100 * i, 100)
        time.sleep(1)
    reader.wait_for("^ERROR retry kafka_away")
    kafka.gate.heal()
    lake.wait_for(count + 1100, reader)
    assert reader.terminate()["lag"] == 0
    lake.check_once(topic)


scan_schema = {"type": "record", "name": "Scan", "namespace": "acme", "fields": [
    {"name": "event_id", "type": "string"}, {"name": "shipment_id", "type": "string"},
    {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["picked_up", "delivered"]}},
    {"name": "event_time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "driver_id", "type": ["null", "string"], "default": None}]}


def scan(id, i):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(scan_schema), {"event_id": f"e{i}", "shipment_id": "S1", "status": "delivered", "event_time": now * 1000, "driver_id": f"D{i}"})
    return b"\0" + id.to_bytes(4, "big") + out.getvalue()


def avro_waits_for_its_registry(kafka, folder):
    topic, lake = Topic(kafka, "avro", partitions=1), Lake(folder / "lake")
    plain, lake = Topic(kafka, "plain", partitions=1), lake
    contracts = contract(folder / "contracts", topic.name, "avro")
    contract(folder / "contracts", plain.name)
    with Registry(folder / "registry") as registry:
        id = registry.ask("POST", "/subjects/avro-value/versions", {"schema": json.dumps(scan_schema)})["id"]
        for i in range(3):
            topic.send_raw(scan(id, i))
        topic.send_raw(scan(id + 1000, 3))
        topic.send_raw(b"garbage")
        registry.kill()
        reader = Reader(kafka, contracts, lake, group="avro", registry=registry.url, commit_ms=20)
        reader.wait_for("^ERROR retry schema_registry_away")
        plain.send(100, 50)  # another feed goes on meanwhile
        lake.wait_for(50, reader, 20)
        registry.start()
        lake.wait_for(55, reader, 30)
        reader.terminate()
    assert [(r["outcome"], r["id"]) for r in lake.records if "avro" in r["partition"]] == [("fact", "e0"), ("fact", "e1"), ("fact", "e2"), ("unknown_schema", "-"), ("malformed_record", "-")]


def a_registry_may_ask_who_we_are(kafka, folder):
    class Guarded(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.headers["Authorization"] == "Basic " + base64.b64encode(f"reader:{password}".encode()).decode() else 401)
            self.end_headers()
            self.wfile.write(json.dumps({"schema": json.dumps(scan_schema)}).encode())

        def log_message(self, *_):
            pass

    topic = Topic(kafka, "guarded", partitions=1)
    topic.send_raw(scan(1, 0))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(kafka.folder / "server.pem")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guarded) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        contracts, words = contract(folder / "contracts", topic.name, "avro"), {"registry": f"https://127.0.0.1:{server.server_port}", "registry_user": "reader"}
        right, wrong, untrusting = (Reader(kafka, contracts, Lake(folder / w) if w == "right" else None, group=w, records=1, registry_password=p, registry_ca=kafka.folder / ca, **words)
                                    for w, p, ca in (("right", password, "ca.pem"), ("wrong", "wrong-" + password, "ca.pem"), ("untrusting", password, "other.pem")))
        right.done()
        assert [r["outcome"] for r in Lake(folder / "right").read().records] == ["fact"]
        assert wrong.end() == 4 and "ERROR halt schema_registry_denied" in wrong.text() and password not in wrong.text() + wrong.log(), wrong.text()
        untrusting.wait_for("^ERROR retry schema_registry_away .*certificate").kill()
        server.shutdown()


def who_we_are_is_checked(kafka, folder):
    topic, lake = Topic(kafka, "secured", partitions=1), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    topic.send(0, 10)
    sasl = f"127.0.0.1:{kafka.sasl_port}"
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        Reader(kafka, contracts, bootstrap=sasl, group=mechanism, sasl=mechanism, user="reader", password=password, records=10).done()
    wrong = Reader(kafka, contracts, bootstrap=sasl, group="wrong", sasl="SCRAM-SHA-512", user="reader", password="wrong-" + password)
    assert wrong.end() == 4 and "ERROR halt kafka_denied" in wrong.text(), wrong.text()
    assert password not in wrong.text() + wrong.log()
    for operation in ("READ", "DESCRIBE"):
        hidden = Topic(kafka, f"hidden-{operation.lower()}", partitions=1)
        kafka.deny("reader", operation, hidden.name)
        denied = Reader(kafka, contract(folder / hidden.name, hidden.name), bootstrap=sasl, group=hidden.name, sasl="SCRAM-SHA-512", user="reader", password=password)
        assert denied.end() == 4 and re.search(f"ERROR halt kafka_denied .*{hidden.name}.*ACL", denied.text()), denied.text()

    tls = {"property.ssl.endpoint.identification.algorithm": "https"}
    files = {"tls": 1, "ca": kafka.folder / "ca.pem", "certificate": kafka.folder / "client.crt", "key": kafka.folder / "client.key"}
    Reader(kafka, contracts, bootstrap=f"127.0.0.1:{kafka.tls_port}", group="tls", records=10, **files, **tls).done()
    stranger = Reader(kafka, contracts, bootstrap=f"127.0.0.1:{kafka.tls_port}", group="stranger", **{**files, "ca": kafka.folder / "other.pem"})
    stranger.wait_for("^ERROR halt kafka_denied .*certificate.*tls_ca").kill()

    def publish(word):
        return subprocess.run([programs / "kafka_writer", f"brokers={sasl}", "topic=secured", "sasl=SCRAM-SHA-512", "user=reader", f"password={word}"], input="k\tv\n", capture_output=True, text=True, timeout=60)
    assert "FLUSHED 1" in publish(password).stdout
    denied = publish("wrong-" + password)
    assert denied.returncode == 4 and "ERROR halt kafka_denied" in denied.stdout and password not in denied.stdout + denied.stderr, denied.stdout


def a_token_is_renewed_before_it_expires(kafka, folder):
    topic, lake = Topic(kafka, "renewed", partitions=1), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)

    def issue_token(seconds=6):
        def part(value):
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
        until = time.time() + seconds
        (folder / "next").write_text(f"{int(until * 1000)} {part({'alg': 'none'})}.{part({'sub': 'reader', 'iat': now, 'exp': until})}.")
        (folder / "next").rename(folder / "token")
    issue_token()
    reader = Reader(kafka, contracts, lake, bootstrap=f"127.0.0.1:{kafka.sasl_port}", group="renewed", sasl="OAUTHBEARER", user="reader", token=folder / "token", commit_ms=50)
    for i in range(8):
        issue_token()
        topic.send(i, 1)
        time.sleep(1)
    lake.wait_for(8, reader)
    reader.terminate()
    lake.check_once(topic)
    assert len(set(re.findall("^TOKEN .*", reader.text(), re.M))) > 1, reader.text()


def a_stalled_engine_holds_the_reading(kafka, folder):
    topic = Topic(kafka, "stalled", partitions=8)
    contracts = contract(folder / "contracts", topic.name)
    padding = "x" * 900
    for i in range(60_000):  # about 60 MB
        topic.producer.produce(topic.name, value=event(i)[:-1] + f', "facility": "{padding}"}}')
        if i % 1000 == 0:
            topic.producer.poll(0.01)
        topic.producer.poll(0)
    assert topic.producer.flush(60) == 0
    reader = Reader(kafka, contracts, group="stalled", stall_ms=9000, records=60_000, queue_bytes=16 << 20, fetch_bytes=8 << 20, **{"property.max.poll.interval.ms": 7000})
    figures = reader.done(90)
    stalled = [int(line.split("rss ")[1].split()[0]) for line in reader.text().splitlines() if line.startswith("STALLED")][0]
    queue = [int(line.split("queue ")[1].split()[0]) for line in reader.text().splitlines() if line.startswith("STALLED")][0]
    assert 8 << 20 < queue < 40 << 20, queue
    assert stalled < 150_000, f"{stalled} KB resident behind a queue of 16 MB"
    assert "REVOKED" not in reader.text().split("STALLED")[0], "it was taken for dead while the engine stalled"
    print(f"       stalled: queue {queue >> 20} MB, resident {stalled >> 10} MB, at the end {figures['rss_kb'] >> 10} MB")


def what_the_publisher_flushed_is_there(kafka, folder):
    kafka.make_topic("published", 64)
    lines = [(f"S{i % 500}", f"v{i}") for i in range(4000)]
    writer = subprocess.Popen([programs / "kafka_writer", f"brokers={kafka.gated_bootstrap}", "topic=published", "batch=500", "timeout_ms=2000", "compression=lz4", "property.reconnect.backoff.max.ms=500"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    said = []
    listening = threading.Thread(target=lambda: said.extend(writer.stdout))
    listening.start()
    for i, (key, value) in enumerate(lines):
        if i == 1500:
            kafka.gate.shut()
            threading.Timer(5, kafka.gate.heal).start()
        if i == 3000:
            kafka.gate.cut()
        writer.stdin.write(f"{key}\t{value}\n")
        writer.stdin.flush()
    writer.stdin.close()
    assert writer.wait(60) == 0, said
    listening.join()
    assert any("ERROR retry kafka_not_delivered" in line for line in said), said
    shard = dict(line.split()[1:] for line in said if line.startswith("SHARD"))
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "check", "auto.offset.reset": "earliest", "enable.partition.eof": True})
    consumer.subscribe(["published"])
    there, ended = [], set()
    while len(ended) < 64:
        message = consumer.poll(10)
        assert message is not None, f"{len(there)} records, {len(ended)} partitions ended"
        if message.error():
            assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
            ended.add(message.partition())
        else:
            there.append((message.key().decode(), message.value().decode()))
            assert int(shard[there[-1][0]]) == message.partition(), f"{there[-1][0]} is in {message.partition()}, not in {shard[there[-1][0]]}"
            assert message.headers() == [("source", b"test")]
    consumer.close()
    assert set(there) == set(lines), f"{len(set(lines) - set(there))} were flushed and are not there"
    big = subprocess.run([programs / "kafka_writer", f"brokers={kafka.bootstrap}", "topic=published"], input="k\t" + "x" * 1_500_000, capture_output=True, text=True)
    assert big.returncode == 4 and "ERROR quarantine kafka_oversized_record" in big.stdout, big.stdout


CHECKS = [("broker and wire come back", broker_and_wire_come_back),
          ("a wire that falls silent is left", a_wire_that_falls_silent_is_left),
          ("Avro waits for its registry", avro_waits_for_its_registry),
          ("a registry may ask who we are", a_registry_may_ask_who_we_are),
          ("who we are is checked", who_we_are_is_checked),
          ("a token is renewed before it expires", a_token_is_renewed_before_it_expires),
          ("a stalled engine holds the reading", a_stalled_engine_holds_the_reading),
          ("what the publisher flushed is there", what_the_publisher_flushed_is_there)]
