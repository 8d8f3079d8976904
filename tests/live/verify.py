"""Is everything that the sources hold in the lake, once, and nothing else? Asked of the sources themselves.

    verify.py --lake FOLDER --bootstrap HOST:PORT --postgres DSN      (the sources must be at rest, and the engine have caught up)

Topics are read from their beginning by a consumer of our own, tables by SQL, the lake by `fleetflow query` (through the running
engine's socket, or its file). What a record means is judged by tests/oracle/load.sql and the few lines of SQL here; no line of
the engine takes part. Rows are held against each other by identity and by content; up to ten of each kind are named.

  received    each record of a topic is in raw.* at its position, once
  refused     as many were refused as the oracle refuses, and each is in quarantine, once
  events      core.shipment_events: for each event its winning version
  pings       core.gps_locations
  orders      the table's rows are the claims that are not deleted
  drivers, commands   likewise
  grain       no table of core, nor curated.shipment_sla, has two rows of one key

With --law, of a lake that no engine has open:
  law of ...  what the fold made of the facts is what tests/oracle/core.sql makes of what the sources hold
  law of the models   every model is what it is when computed anew and in full from the lake's core
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import duckdb
import psycopg2
from confluent_kafka import Consumer, TopicPartition

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests/oracle"))
import oracle  # noqa: E402

topics = {"events": "shipment_events", "gps": "gps_locations"}  # feed -> topic, unless told otherwise
raw_tables = {"events": "shipment_events", "gps": "gps_locations"}
shown_max = 10


def instant(micros):
    seconds, rest = divmod(micros, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06}Z"


def read_topic(bootstrap, topic, path):
    """Its records as lines, with the record's timestamp as ingest_time; how many there are of each partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "verify", "enable.auto.commit": False, "log_level": 0,
                         "fetch.message.max.bytes": 4 << 20, "queued.max.messages.kbytes": 65536})
    marks = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30) for p in consumer.list_topics(topic, timeout=30).topics[topic].partitions}
    wanted = {p: set() for p in marks}
    consumer.assign([TopicPartition(topic, p, low) for p, (low, high) in marks.items() if high > low])
    left = sum(high - low for low, high in marks.values())
    last_heard = time.monotonic()
    with open(path, "wb") as lines:
        while left > 0:
            messages = consumer.consume(min(left, 10_000), timeout=1)
            if messages:
                last_heard = time.monotonic()
            elif time.monotonic() - last_heard > 60:
                raise SystemExit(f"verify: {topic} gave nothing for a minute, {left} records before its end")
            for message in messages:
                if message.error():
                    raise SystemExit(f"verify: {topic}: {message.error()}")
                if message.offset() >= marks[message.partition()][1]:
                    continue
                left -= 1
                wanted[message.partition()].add(message.offset())
                line = (message.value() or b"").rstrip(b"\n")
                if line.endswith(b"}") and b'"ingest_time"' not in line:
                    line = line[:-1] + f',"ingest_time":"{instant(message.timestamp()[1] * 1000)}"}}'.encode()
                lines.write(line + b"\n")
    consumer.close()
    return wanted


def read_table(cursor, query, path):
    cursor.execute(query)
    names = [c[0] for c in cursor.description]
    with open(path, "w") as lines:
        for row in cursor:
            lines.write(oracle.json.dumps({n: v for n, v in zip(names, row)}) + "\n")


def utc(column):
    return f"to_char({column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as {column}"


tables = {
    "orders": f"select 'acme' as namespace, order_ref, shipment_id, customer_id, carrier_id, service_level, origin_hub, destination_hub, {utc('created_at')}, {utc('promised_pickup_by')}, "
              f"{utc('promised_delivery_by')}, to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as ingest_time from orders",
    "drivers": "select driver_id, home_hub, to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as ingest_time from drivers",
    # Heard of when it took effect: however old a command is, it is not beyond a horizon here.
    "assignments": f"select 'acme' as namespace, assignment_id, shipment_id, driver_id, action, {utc('effective_at')}, {utc('effective_at').replace(' as effective_at', ' as ingest_time')} "
                   "from driver_assignments",
}

# name, identity, content, what the sources say, what the lake says. A driver is compared by his key.
winning = "qualify row_number() over (partition by {id} order by version desc, retracted desc, status desc, event_time desc, coalesce(driver_key, '') desc, coalesce(facility, '') desc, coalesce(reason, '') desc) = 1"
comparisons = [
    ("events", "shipment_id, namespace, event_id", "status, event_time, is_retracted, named_driver_key, facility, reason",
     # An event without an id is known by its content; the lake's name for that is its own affair.
     "select shipment_id, namespace, coalesce(event_id, 'h:' || concat_ws('|', status, event_time, facility)) as event_id, cast(status as varchar) as status, event_time, retracted as is_retracted, "
     "driver_key as named_driver_key, facility, reason from facts.shipment_events left join oracle.driver_keys using (driver_id) "
     + winning.format(id="shipment_id, namespace, coalesce(event_id, 'h:' || concat_ws('|', status, event_time, facility))"),
     "select shipment_id, namespace, case when event_id like 'h:%' then 'h:' || concat_ws('|', status, event_time, facility) else event_id end as event_id, status, event_time, is_retracted, "
     "named_driver_key, facility, reason from core.shipment_events"),
    ("pings", "driver_key, device_id, event_time", "latitude_e7, longitude_e7, speed_mm_s",
     "select driver_key, nullif(device_id, '') as device_id, event_time, latitude_e7, longitude_e7, speed_mm_s from facts.gps_locations join oracle.driver_keys using (driver_id) "
     "qualify row_number() over (partition by driver_key, device_id, event_time order by latitude_e7 desc, longitude_e7 desc, speed_mm_s desc) = 1",
     "select driver_key, device_id, event_time, latitude_e7, longitude_e7, speed_mm_s from core.gps_locations"),
    ("orders", "shipment_id, namespace, order_ref, customer_id, ordered_at", "carrier_id, service_level, origin_hub, destination_hub, promised_pickup_by, promised_delivery_by",
     "select shipment_id, namespace, order_ref, customer_id, created_at as ordered_at, carrier_id, service_level, origin_hub, destination_hub, promised_pickup_by, promised_delivery_by from facts.shipments",
     "select shipment_id, namespace, order_ref, customer_id, ordered_at, carrier_id, service_level, origin_hub, destination_hub, promised_pickup_by, promised_delivery_by from core.shipment_claims where not is_deleted"),
    ("drivers", "driver_key", "home_hub",
     "select driver_key, home_hub from facts.drivers join oracle.driver_keys using (driver_id)",
     "select driver_key, home_hub from core.drivers where not is_deleted"),
    ("commands", "shipment_id, namespace, assignment_id", "action, driver_key, effective_at",
     "select shipment_id, namespace, assignment_id, action, driver_key, effective_at from facts.driver_assignments left join oracle.driver_keys using (driver_id)",
     "select shipment_id, namespace, assignment_id, action, driver_key, effective_at from core.assignment_commands where not is_deleted"),
]

key_of = "(select any_value(k.driver_key) from oracle.driver_keys k where k.driver_id = o.{0}) as {0}"
# name, identity, content, what the oracle makes of it, what the fold made of it. Who holds a number that two orders claim hangs on when each was heard of, which a table does not tell.
# An event without an id is left to the other tests: the oracle's name for it is its own.
laws = [
    ("law of shipments", "shipment_id", "state, current_status, attempts, last_taken_at, first_picked_up_at, delivered_at, delivered_by",
     f"select * replace (cast(state as varchar) as state, cast(current_status as varchar) as current_status, coalesce({key_of.format('delivered_by').removesuffix(' as delivered_by')}, delivered_by) as delivered_by) "
     "from oracle_core.shipments o where last_taken_at is not null",
     "select shipment_id, state, current_status, attempts, last_taken_at, first_picked_up_at, delivered_at, delivered_by from core.shipments where last_taken_at is not null"),
    ("law of events", "shipment_id, namespace, event_id", "effect, from_status, dwell_s",
     "select shipment_id, namespace, event_id, effect, cast(from_status as varchar) as from_status, dwell_s from oracle_core.shipment_events where event_id not like 'h:%'",
     "select shipment_id, namespace, event_id, effect, from_status, dwell_s from core.shipment_events where event_id not like 'h:%'"),
    ("law of intervals", "shipment_id, valid_from", "driver_key, valid_to, opened_by",
     f"select shipment_id, valid_from, {key_of.format('driver_key')}, valid_to, opened_by from oracle_core.driver_assignments o",
     "select shipment_id, valid_from, driver_key, valid_to, opened_by from core.driver_assignments"),
]


grains = {"core.shipments": "shipment_id", "core.shipment_claims": "shipment_id, namespace, order_ref, customer_id, ordered_at", "core.shipment_events": "shipment_id, namespace, event_id",
          "core.assignment_commands": "shipment_id, namespace, assignment_id", "core.driver_assignments": "shipment_id, valid_from", "core.drivers": "driver_key",
          "core.gps_locations": "driver_key, device_id, event_time", "core.driver_day": "driver_key, date", "curated.shipment_sla": "shipment_id"}


class Verifier:
    def __init__(self, words, folder):
        self.words, self.folder = words, folder
        self.topics = {"events": words.events_topic, "gps": words.gps_topic}
        self.con = oracle.connect()
        self.passed = self.failed = 0

    def lake(self, name, query):
        """The lake's answer as a table here, every column as text."""
        path = self.folder / f"{name}.csv"
        with open(path, "w") as out:
            done = subprocess.run([self.words.program, "query", "--lake", self.words.lake, "--format", "csv", query], stdout=out, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(f"verify: {query}: exit {done.returncode}\n{done.stderr}")
        self.con.execute(f"create or replace table {name} as from read_csv('{path}', header = true, all_varchar = true)")

    def say(self, name, faults, counted):
        """faults: kind -> (how many, examples)."""
        faults = {kind: found for kind, found in faults.items() if found[0]}
        self.passed, self.failed = self.passed + (not faults), self.failed + bool(faults)
        print(f"{'DIFFERS' if faults else 'ok     '} {name}: {counted}", flush=True)
        for kind, (count, examples) in faults.items():
            print(f"        {count} {kind}")
            for example in examples[:shown_max]:
                print(f"            {example}")

    def received(self, feed, wanted):
        topic, name = self.topics[feed], raw_tables[feed]
        self.lake("found", f"select partition, position, count(*) as times from (select partition, position from raw.{name} where partition like 'kafka:{topic}/%' "
                           f"union all select partition, position from ops.quarantine where fact is null and partition like 'kafka:{topic}/%') group by all")
        found = {(p, int(n)): int(times) for p, n, times in self.con.execute("from found").fetchall()}
        expected = {(f"kafka:{topic}/{p}", offset + 1) for p, offsets in wanted.items() for offset in offsets}
        lost, invented = sorted(expected - found.keys()), sorted(found.keys() - expected)
        doubled = sorted(at for at, times in found.items() if times > 1)
        self.say(f"received {topic}", {"records of the topic are not in raw": (len(lost), lost), "records in raw are not in the topic": (len(invented), invented),
                                       "records are in raw more than once": (len(doubled), doubled)}, f"{len(expected):,} records")

    def refused(self, feed, wanted):
        name = raw_tables[feed]
        self.lake("found", f"select count(*) as n from raw.{name} where refusal is null and partition like 'kafka:%'")
        accepted = int(self.con.execute("select n from found").fetchone()[0])
        expected = self.con.execute(f"select count(*) from facts.{name}").fetchone()[0]
        total = sum(map(len, wanted.values()))
        of_topic = f"partition like 'kafka:{self.topics[feed]}/%'"
        self.lake("found", f"select partition, position, reason, sum(n) as too_many from (select partition, position, refusal as reason, -1 as n from raw.{name} where refusal is not null and {of_topic} "
                           f"union all select partition, position, reason, 1 from ops.quarantine where {of_topic}) group by all having sum(n) <> 0")
        unequal = self.con.execute("from found").fetchall()
        self.say(f"refused of {self.topics[feed]}", {"accepted records too many or too few": (abs(accepted - expected), [f"the lake took {accepted:,}, the oracle {expected:,}"]),
                                                     "refused records are in quarantine too often, or (-1) not": (len(unequal), unequal)}, f"{total - expected:,} of {total:,}")

    def compare(self, name, identity, content, expected, found):
        self.con.execute(f"create or replace table expected as select * from ({expected})")
        self.lake("found_text", found)
        types = {c: t for c, t, *_ in self.con.execute("describe expected").fetchall()}
        columns = [c.strip() for c in f"{identity}, {content}".split(",")]
        self.con.execute("create or replace table found as select " + ", ".join(f"cast({c} as {types[c]}) as {c}" for c in columns) + " from found_text")
        ids = [c.strip() for c in identity.split(",")]
        same = " and ".join(f"e.{c} is not distinct from f.{c}" for c in ids)
        differs = " or ".join(f"e.{c.strip()} is distinct from f.{c.strip()}" for c in content.split(","))
        ask = lambda sql: (lambda rows: (len(rows), [dict(zip([d[0] for d in self.con.description], r)) for r in rows[:shown_max]]))(self.con.execute(sql).fetchall())  # noqa: E731
        self.say(name, {
            "lost: the sources have them, the lake does not": ask(f"from expected e anti join found f on {same}"),
            "invented: the lake has them, the sources do not": ask(f"from found f anti join expected e on {same}"),
            "doubled in the lake": ask(f"select {identity}, count(*) as times from found group by {identity} having count(*) > 1"),
            "of another content": ask(f"select e.*, f.* exclude ({identity}) from expected e join found f on {same} where {differs}"),
        }, f"{self.con.execute('select count(*) from expected').fetchone()[0]:,} rows")

    def grain(self, table, key):
        self.lake("found", f"select {key}, count(*) as times from {table} group by {key} having count(*) > 1")
        doubled = self.con.execute("from found").fetchall()
        self.say(f"grain of {table}", {f"keys ({key}) have more than one row": (len(doubled), doubled)}, "one row a key" if not doubled else "")

    def law(self):
        self.lake("clock", "select strftime(as_of, '%Y-%m-%d %H:%M:%S.%f') as as_of, reporting_zone from ops.clock")
        oracle.compute(self.con, *self.con.execute("from clock").fetchone(), steps=["core.sql"])
        for law in laws:
            self.compare(*law)
        models = subprocess.run([root / ".deps/venv-dbt/bin/python", root / "tests/law/full_build.py", self.words.lake], capture_output=True, text=True)
        self.say("law of the models", {"models differ, or could not be built": (models.returncode, [models.stdout + models.stderr[-2000:]])}, models.stdout.splitlines()[-1:])

    def run(self):
        world = self.folder / "world"
        world.mkdir()
        wanted = {feed: read_topic(self.words.bootstrap, topic, world / f"{feed}.ndjson") for feed, topic in self.topics.items()}
        with psycopg2.connect(self.words.postgres) as connection, connection.cursor() as cursor:
            for feed, query in tables.items():
                read_table(cursor, query, world / f"{feed}.ndjson")
        oracle.load(self.con, world)
        for feed in self.topics:
            self.received(feed, wanted[feed])
            self.refused(feed, wanted[feed])
        for comparison in comparisons:
            if not self.words.only or comparison[0] in self.words.only:
                self.compare(*comparison)
        for table, key in grains.items():
            self.grain(table, key)
        if self.words.law:
            self.law()
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lake", required=True)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--postgres", required=True, help="libpq's connection string")
    parser.add_argument("--events-topic", default=topics["events"])
    parser.add_argument("--gps-topic", default=topics["gps"])
    parser.add_argument("--law", action="store_true")
    parser.add_argument("--program", default=os.environ.get("FLEETFLOW", str(root / "build/release/bin/fleetflow")))
    parser.add_argument("--only", nargs="*", help="some of: " + " ".join(c[0] for c in comparisons))
    with tempfile.TemporaryDirectory(prefix="fleetflow-verify-") as folder:
        return Verifier(parser.parse_args(), pathlib.Path(folder)).run()


if __name__ == "__main__":
    sys.exit(main())
