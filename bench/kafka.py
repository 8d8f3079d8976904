"""What reading a topic costs: consumed, decoded, judged, handed out and dropped; broker, registry and reader on one machine.

    .deps/venv-clients/bin/python bench/kafka.py [RECORDS]      (./ff setup kafka registry clients; ./ff build)
Rates hang on what else the machine does; CPU µs per record are those of the reader's process, librdkafka's threads included,
from its first batch on.
"""
import io
import json
import os
import pathlib
import sys
import tempfile
import time

import fastavro

root = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(root / "tests/kafka"))
from world import Cluster, Reader, Topic, contract, now  # noqa: E402
from servers import Registry  # noqa: E402

records = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
text = {"type": ["null", "string"]}
schema = {"type": "record", "name": "Scan", "fields": [
    {"name": "event_id", "type": "string"}, {"name": "shipment_id", "type": "string"},
    {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["picked_up", "delivered"]}},
    {"name": "event_time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "driver_id", **text}, {"name": "facility", **text}, {"name": "reason", **text},
    {"name": "version", "type": "int"}, {"name": "retracted", "type": "boolean"}, {"name": "namespace", "type": "string"}]}
parsed = fastavro.parse_schema(schema)


def scan(i):
    return {"event_id": f"e{i}", "shipment_id": f"S{i % 99991}", "status": "picked_up", "event_time": at, "driver_id": f"D{i % 997}", "facility": f"HUB-{i % 200:03}",
            "reason": None, "version": i % 7, "retracted": False, "namespace": "acme"}


def avro(i, head):
    out = io.BytesIO()
    out.write(head)
    fastavro.schemaless_writer(out, parsed, {**scan(i), "event_time": now * 1000})
    return out.getvalue()


def main():
    with tempfile.TemporaryDirectory(prefix="fleetflow-bench-") as folder, Cluster(pathlib.Path(folder) / "broker") as kafka, Registry(pathlib.Path(folder) / "registry") as registry:
        head = b"\0" + registry.ask("POST", "/subjects/scans/versions", {"schema": json.dumps(schema)})["id"].to_bytes(4, "big")
        for form, value in (("json", lambda i: json.dumps(scan(i), separators=(",", ":")).encode()), ("avro", lambda i: avro(i, head))):
            topic = Topic(kafka, f"bench_{form}")
            contracts = contract(pathlib.Path(folder) / form, topic.name, form)
            sent_bytes = 0
            for i in range(records):
                sent = value(i)
                sent_bytes += len(sent)
                while True:
                    try:
                        topic.producer.produce(topic.name, key=f"S{i % 99991}", value=sent)
                        break
                    except BufferError:
                        topic.producer.poll(0.1)
            assert topic.producer.flush(120) == 0
            for run in range(3):
                figures = Reader(kafka, contracts, group=f"{form}{run}", records=records, registry=registry.url, commit_ms=500).done(300)
                print(f"{form}: {figures['records']} records of {sent_bytes / records:.0f} B, {figures['records'] / figures['seconds']:,.0f} a second, {figures['cpu_us_per_record']:.2f} CPU µs a record, "
                      f"{figures['rss_kb'] >> 10} MB, load {os.getloadavg()[0]:.0f}", flush=True)


main()
