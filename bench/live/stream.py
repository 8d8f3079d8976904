"""Kafka to curated: a topic that is full, and how long until every record of it is in curated tables; Flink on the same topic.

Orders, drivers and dispatch commands are in the lake before the clock starts; what is measured is events and pings. It runs from the
start of the service's process until a reader sees the end of each partition in the lake and nothing left for curated to follow.
"""
import datetime
import os
import re
import shutil
import subprocess
import sys
import time
import zlib

from confluent_kafka import Producer

from machine import cpu_s, peer, root, rss_mb

sys.path[:0] = [str(root / "tests/live"), str(root / "bench/peers")]
import flink  # noqa: E402
from service import Service, configuration, ends_of, program  # noqa: E402

topics = {"bench_events": "shipment_events", "bench_gps": "gps_locations"}
partitions, events_per_ping = 64, 25


def simulate(out, shipments, *words):
    """Makes a world of 25 events for each ping; how many of each feed it tells."""
    done = subprocess.run([program, "simulate", "--profile", "bench", "--shipments", str(shipments), "--pings-per-shipment", "0.8", *words, "--out", out], check=True, capture_output=True, text=True)
    rows = {name: int(n) for n, name in re.findall(r"(\d+) (orders|drivers|events|assignments|pings)", done.stdout)}
    rows["pings"] = keep_days(out, rows["events"] / events_per_ping / rows["pings"])
    return rows


def keep_days(world, share):
    """Leaves so many of the days of drivers their pings: a device does not ping less than each seven minutes. Days are drawn, not drivers,
    since a soak plays thirty of them in an hour, and a real day has about 480 pings of a driver. How many are left."""
    of_day, left = re.compile(rb'"driver_id":"([^"]*)".*"event_time":"([0-9-]*)T'), 0
    for path in world.glob("gps-*.ndjson"):
        lines = [line for line in open(path, "rb") if (found := of_day.search(line)) and zlib.crc32(found[1] + found[2]) % 10_000 < share * 10_000]
        path.write_bytes(b"".join(lines))
        left += len(lines)
    return left


def fill(kafka, world):
    """The lines as records, keyed, each with the moment it was heard as its timestamp; how many events."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "acks": "all", "linger.ms": 20, "batch.size": 1 << 18, "partitioner": "murmur2_random", "queue.buffering.max.messages": 500_000, "log_level": 0})
    shape = re.compile(rb'^(.*),"ingest_time":"([^"]*)"}\s*$')
    sent = {}
    for topic, feed, member in (("bench_events", "events", b"shipment_id"), ("bench_gps", "gps", b"driver_id")):
        kafka.make_topic(topic, partitions=partitions, retention_ms=-1)
        key_of = re.compile(b'"' + member + b'":"([^"]*)"')
        sent[topic] = 0
        for path in sorted(world.glob(f"{feed}-*.ndjson")):
            for line in open(path, "rb"):
                found = shape.match(line)
                heard = int(datetime.datetime.fromisoformat(found[2].decode()).timestamp() * 1000)
                while True:
                    try:
                        producer.produce(topic, value=found[1] + b"}", key=key_of.search(line)[1], timestamp=heard)
                        break
                    except BufferError:
                        producer.poll(0.1)
                sent[topic] += 1
    left = producer.flush(120)
    assert left == 0, f"{left} records could not be produced"
    return sent


def contracts(folder):
    """Orders, drivers and commands from files; events and pings from topics."""
    folder.mkdir()
    for path in [*(root / "contracts" / f"{n}.yaml" for n in ("orders", "drivers", "assignments")), *(root / "deploy/local/contracts" / f"{n}.yaml" for n in ("shipment_events", "gps_locations"))]:
        shutil.copy(path, folder)
    return str(folder)


def prepare_lake(folder, world, rows, say):
    """A lake that knows what the files tell."""
    landing = folder / "landing"
    landing.mkdir()
    for feed in ("orders", "drivers", "assignments"):
        for path in world.glob(f"{feed}-*.ndjson"):
            os.link(path, landing / path.name)
    settings = {**configuration(folder, [{"type": "files", "name": "landing", "path": str(landing)}]), "contracts": contracts(folder / "contracts")}
    service = Service(folder, settings)
    wanted, started = sum(rows[f] for f in ("orders", "drivers", "assignments")), time.monotonic()
    while (found := service.ask("select coalesce(sum(facts + refused), 0) from ops.commits")) is None or int(float(found[0][0])) < wanted:
        assert not service.died_within(0.2) and time.monotonic() - started < 600, f"{found} of {wanted} rows\n" + service.end_of_log()
    service.stop()
    say(f"{wanted:,} orders, drivers and commands are in the lake after {time.monotonic() - started:.1f} s")
    return settings


def is_done(service, ends):
    """Every record is in the lake, and curated is where core is."""
    found = service.ask("select partition, position, (select count(*) from ops.touched where kind in ('shipment', 'hour') or publish_seq > (select publish_seq from ops.driver_clock)) from ops.marks where partition like 'kafka:%'")
    if not found:
        return False, 0
    marks = {name: int(position) for name, position, _ in found}
    left = sum(end - marks.get(name, 0) for name, end in ends.items())
    return left == 0 and found[0][2] == "0", sum(ends.values()) - left


def fleetflow(folder, world, rows, kafka, say):
    settings = prepare_lake(folder, world, rows, say)
    settings["sources"] = [{"type": "kafka", "name": "topics", "brokers": kafka.bootstrap, "group": "bench", "topics": topics}]
    ends, broker = ends_of(kafka, topics), cpu_s(kafka.pid())
    started = told = time.monotonic()
    service = Service(folder, settings)
    try:
        while not (state := is_done(service, ends))[0]:
            assert not service.died_within(0.1) and time.monotonic() - started < 1800, f"{state[1]:,} of {sum(ends.values()):,} records\n" + service.end_of_log()
            if time.monotonic() - told > 5:
                told = time.monotonic()
                say(f"{state[1]:,} of {sum(ends.values()):,} records in curated or on the way after {told - started:.0f} s, {rss_mb(service.process.pid):.0f} MB")
        wall, cpu, peak = time.monotonic() - started, cpu_s(service.process.pid), rss_mb(service.process.pid, "VmHWM")
        broker, stages = cpu_s(kafka.pid()) - broker, service.stage_cpu_s()
        service.stop()
    finally:
        service.kill()
    return {"wall_s": wall, "cpu_s": cpu, "broker_cpu_s": broker, "peak_rss_mb": peak, "stages": stages}


def measure(folder, kafka, shipments, with_peers, say):
    world = folder / "world"
    start = datetime.date.today() - datetime.timedelta(days=21)
    rows = simulate(world, shipments, "--start", str(start))
    sent = fill(kafka, world)
    say(f"topics are full: {sent['bench_events']:,} events, {sent['bench_gps']:,} pings")
    ours = fleetflow(folder, world, rows, kafka, say)
    events = sent["bench_events"]
    say(f"FleetFlow: {events:,} events and {sent['bench_gps']:,} pings in curated in {ours['wall_s']:.1f} s, {ours['cpu_s']:.1f} CPU s, broker {ours['broker_cpu_s']:.1f} CPU s")
    say("  by stage: " + ", ".join(f"{stage} {s:.1f}" for stage, s in ours["stages"].items()))
    theirs = None
    if with_peers:
        say("Flink reads the topic of events three times; the last one counts")
        theirs = peer(lambda: flink.measure(kafka.bootstrap, "bench_events"), say)
    if theirs:
        say(f"Flink: {theirs['rows']:,} events in {theirs['wall_s']:.1f} s, {theirs['cpu_s']:.1f} CPU s")
    return {"events": events, "pings": sent["bench_gps"], "fleetflow": ours, "flink": theirs}
