"""A world is played into real servers that are hurt meanwhile; afterwards topics and tables hold exactly what the world's files say.

The connection to Kafka is cut again and again, Postgres is killed with -9 and started again on its data. The expectation is made
here, from the files, in Python: line by line for the topics, last word by last word for the tables.
"""
import collections
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import psycopg2
from confluent_kafka import Consumer, TopicPartition

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "scripts/stack"))
from servers import Kafka, Postgres  # noqa: E402

program = os.environ.get("FLEETFLOW", str(root / "build/release/bin/fleetflow"))
player = os.environ.get("LIVE_PLAYER", str(pathlib.Path(program).parent / "live_player"))
topics = {"events": ("shipment_events", "shipment_id"), "gps": ("gps_locations", "driver_id")}
keys = {"orders": "order_ref", "drivers": "driver_id", "assignments": "assignment_id"}
time_members = {"event_time", "effective_at", "created_at", "promised_pickup_by", "promised_delivery_by"}


def lines_of(world, feed):
    """In the order of hearing; a line that lost its moment stays behind the one before it."""
    lines, heard = [], ""
    for path in sorted(world.glob(f"{feed}-*.ndjson")):
        for line in path.read_text().splitlines():
            found = re.search(r'"ingest_time":"([^"]*)"', line)
            heard = max(heard, found[1].ljust(30) if found else heard)
            lines.append((heard, line))
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]


def read(bootstrap, topic):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "check", "enable.auto.commit": False, "log_level": 0})
    marks = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30) for p in consumer.list_topics(topic, timeout=30).topics[topic].partitions}
    consumer.assign([TopicPartition(topic, p, low) for p, (low, high) in marks.items() if high > low])
    left, messages, until = sum(high - low for low, high in marks.values()), [], time.monotonic() + 60
    while left > 0:
        assert time.monotonic() < until, f"{topic}: {left} records did not come"
        got = consumer.consume(1000, timeout=0.5)
        messages, left = messages + got, left - len(got)
    consumer.close()
    return messages


def murmur2(data):
    """As Kafka's Java client hashes keys."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def parsed(line):
    try:
        return json.loads(line)
    except ValueError:
        return None


def content(line, feed):
    """What must not change: all but the times, and of pings the place."""
    members = parsed(line)
    if members is None:
        return re.sub(r'"\d{4}-[^"]*"', '"a time"', line)
    left_out = {"ingest_time"} | time_members | ({"lat", "lon"} if feed == "gps" else set())
    return json.dumps({k: v for k, v in members.items() if k not in left_out}, sort_keys=True)


def topics_hold_the_lines(world, kafka):
    for feed, (topic, member) in topics.items():
        lines, messages = lines_of(world, feed), read(kafka.bootstrap, topic)
        told, heard = collections.Counter(content(m.value().decode(), feed) for m in messages), collections.Counter(content(line, feed) for line in lines)
        assert told == heard, f"{topic}: {sum((heard - told).values())} lost, {sum((told - heard).values())} doubled or changed, e.g. {next(iter((heard - told) + (told - heard)))}"
        for m in messages:
            if m.key():
                assert m.partition() == (murmur2(m.key()) & 0x7FFFFFFF) % 64, f"{m.key()} is in partition {m.partition()}"
                assert (parsed(m.value()) or {member: m.key().decode()})[member] == m.key().decode()


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def order_is_kept(world, kafka):
    """Within a shipment the times told rise as those of the world did."""
    def by_shipment(lines):
        out = collections.defaultdict(list)
        for line in lines:
            members = parsed(line)
            try:
                out[members["shipment_id"]].append(moment(members["event_time"]))
            except (TypeError, KeyError, ValueError):
                pass  # Broken on purpose.
        return out

    messages = sorted(read(kafka.bootstrap, "shipment_events"), key=lambda m: (m.partition(), m.offset()))
    then, now = by_shipment(lines_of(world, "events")), by_shipment(m.value().decode() for m in messages)
    for shipment, times in then.items():
        assert len(now[shipment]) == len(times), shipment
        ranks = [sorted(t).index for t in (times, now[shipment])]
        assert [ranks[0](t) for t in times] == [ranks[1](t) for t in now[shipment]], f"{shipment}: {times} became {now[shipment]}"


def tables_hold_the_last_word(world, postgres):
    with psycopg2.connect(postgres.dsn) as connection, connection.cursor() as cursor:
        for feed, key in keys.items():
            table = "driver_assignments" if feed == "assignments" else feed
            cursor.execute(f"select * from {table}")
            names = [c[0] for c in cursor.description]
            found = {row[names.index(key)]: {n: v for n, v in zip(names, row) if n not in time_members} for row in cursor}
            expected = {}
            for line in lines_of(world, feed):
                members = parsed(line)
                if not members or not isinstance(members.get(key), str):
                    continue
                if members.get("is_deleted"):
                    expected.pop(members[key], None)
                else:
                    expected[members[key]] = {n: members.get(n) for n in names if n not in time_members}
            assert found == expected, f"{table}: {len(found)} rows, {len(expected)} expected, {[k for k in found.keys() | expected.keys() if found.get(k) != expected.get(k)][:5]}"
            assert len(found) > 50, table


def main():
    if not pathlib.Path(player).exists():
        print(f"{player} is missing; ./ff build makes it")
        print("0 passed, 1 failed")
        return 1
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="fleetflow-player-") as folder:
        folder = pathlib.Path(folder)
        world = folder / "world"
        subprocess.run([program, "simulate", "--shipments", "2000", "--seed", "5", "--pings-per-shipment", "5", "--out", world], check=True, stdout=subprocess.DEVNULL)
        with Kafka(folder / "kafka", gated=True) as kafka, Postgres(folder / "postgres", fsync=False) as postgres:
            for topic, _ in topics.values():
                kafka.make_topic(topic, partitions=64)
            postgres.sql((root / "deploy/local/orders.sql").read_text())
            playing = subprocess.Popen([player, world, "--bootstrap", kafka.gated_bootstrap, "--postgres", postgres.dsn, "--rate", "4000", "--quiet"], stdout=subprocess.PIPE, text=True)
            for _ in range(3):
                time.sleep(1.5)
                kafka.gate.cut()
            postgres.kill()
            postgres.start()
            told = json.loads(playing.communicate()[0])
            print(f"played: {told}; {kafka.gate.connections} connections to Kafka")
            assert playing.returncode == 0
            assert told["postgres_retries"] > 0, "Postgres was not missed: the kill came too late"
            for check in (lambda: topics_hold_the_lines(world, kafka), lambda: order_is_kept(world, kafka), lambda: tables_hold_the_last_word(world, postgres)):
                name = check.__code__.co_names[0].replace("_", " ")
                try:
                    check()
                    passed, word = passed + 1, "ok    "
                except AssertionError as error:
                    failed, word = failed + 1, f"FAILED {error}\n      "
                print(f"{word} {name}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
