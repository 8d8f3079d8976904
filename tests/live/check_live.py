"""The service follows Kafka and Postgres while a world is played into them and everything is hurt: the service is killed again and
again, anywhere and at named crash points, the connection to Kafka is cut, Postgres is killed and started again on its data. Then what
came with a record stands in raw, metrics count what the lake holds, and a source that is away makes the service unready until it is
back. It ends with the lake that the sources themselves ask for (verify.py): nothing lost, nothing twice.

    python tests/live/check_live.py [SEED...]      LIVE_KILLS=n kills of the service in a run (4)
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

from confluent_kafka import Consumer, Producer

root = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(root / "scripts/stack"), str(root / "tests/live")]
from server import free_ports  # noqa: E402
from servers import Kafka, Postgres  # noqa: E402
from service import Service, ends_of, judge_seeds, player, program, wait_until_caught_up  # noqa: E402

topics, member = ["shipment_events", "gps_locations"], {"group.instance.id": "fleetflow"}
kills_wanted, shipments, rate, patience_s = int(os.environ.get("LIVE_KILLS", 4)), 1500, 1200, 180


def contracts(folder):
    """Those of the local stack, but one header of events is kept."""
    shutil.copytree(root / "deploy/local/contracts", folder / "contracts")
    events, topic = folder / "contracts/shipment_events.yaml", "{property: topic, value: shipment_events}"
    text = events.read_text()
    assert topic in text
    events.write_text(text.replace(topic, f"{topic}\n      - {{property: headers, value: [traceparent]}}"))
    return folder / "contracts"


def configuration(folder, kafka, postgres):
    text = (root / "deploy/local/fleetflow.yaml").read_text()
    for word, value in {"LAKE": folder / "lake", "CONTRACTS": contracts(folder), "KAFKA": kafka.gated_bootstrap, "POSTGRES": postgres.dsn, "127.0.0.1:9464": f"127.0.0.1:{free_ports(1)[0]}"}.items():
        text = text.replace(f": {word}\n", f": {value}\n")
    text = text.replace("    group: fleetflow\n", f"    group: fleetflow\n    properties: {json.dumps(member)}\n")
    return text + "commit_interval_ms: 200\nclock_interval_s: 2\n"


def storm(service, kafka, postgres, chance):
    """Kills, a third of them at a crash point if it is passed in time; Postgres dies with the first half, Kafka's wire with the second."""
    points = subprocess.run([program, "crash-points"], capture_output=True, text=True, check=True).stdout.split()
    for n in range(kills_wanted):
        crash_at = f"{chance.choice(points)}:{chance.randrange(1, 4)}" if chance.random() < 1 / 3 else None
        if crash_at:
            service.kill()
            service.start(crash_at)
        if not service.died_within(chance.uniform(2, 5)):
            service.kill()
        if n == kills_wanted // 2 - 1:
            postgres.kill()
            postgres.start()
        service.start()
        if n == kills_wanted // 2:
            time.sleep(2)
            kafka.gate.cut()


def wait_for(what, found, wanted, patience_s=60):
    until = time.monotonic() + patience_s
    while (now := found()) != wanted:
        assert time.monotonic() < until, f"{what}: {now} after {patience_s} s, not {wanted}"
        time.sleep(0.1)


def counted(service):
    return {result: service.metric("fleetflow_records_total", stage="decode", source="shipment_events", result=result) or 0 for result in ("accepted", "refused")}


def what_came_with_a_record_is_kept(service, kafka):
    """Where it stood, when the producer made it and the one header that the contract names: accepted or refused, in raw and in quarantine."""
    trace, other, made_ms = ("traceparent", b"00-1-2-01"), ("other", b"secret"), time.time_ns() // 1_000_000 - 12_345
    told = [("picked_up", [trace, other], '{"traceparent":"00-1-2-01"}', None), ("in_transit", [("traceparent", b"00-0-0-00"), trace], '{"traceparent":"00-1-2-01"}', None),
            ("delivered", [other], None, None), ("teleported", [trace], '{"traceparent":"00-1-2-01"}', "unmapped_status"), (None, [trace], '{"traceparent":"00-1-2-01"}', "malformed_record")]
    before, producer, expected = counted(service), Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 0}), []
    for n, (status, headers, kept, refusal) in enumerate(told):
        event = {"event_id": f"P{n}", "shipment_id": "PROVENANCE", "status": status, "event_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(made_ms // 1000 - 10 + n))}
        producer.produce(topics[0], json.dumps(event).encode() if status else b"no JSON", key="PROVENANCE", headers=headers, timestamp=made_ms + n,
                         on_delivery=lambda error, message, n=n, kept=kept, refusal=refusal: expected.append(
                             (f"kafka:{message.topic()}/{message.partition()}", str(message.offset() + 1), str((made_ms + n) * 1000), "shipment_events", "1.0.0", refusal, kept)))
    assert producer.flush(30) == 0
    columns = "partition, position::varchar, epoch_us(ingest_time)::varchar, contract, contract_version"
    ours = f"where partition = '{expected[0][0]}' and position >= {expected[0][1]} order by position"
    wait_for("raw", lambda: service.ask(f"select {columns}, refusal, headers from raw.shipment_events {ours}"), expected)
    wait_for("quarantine", lambda: service.ask(f"select {columns}, reason from ops.quarantine {ours}"), [each[:6] for each in expected if each[5]])
    wait_for("fleetflow_records_total", lambda: counted(service), {"accepted": before["accepted"] + 3, "refused": before["refused"] + 2})


def metrics_count_what_the_lake_holds(service):
    """Every commit's records are in raw, and those since the last start are on the page; nothing is left to read."""
    wait_for("fleetflow_kafka_lag_records", lambda: service.metric("fleetflow_kafka_lag_records", source="topics"), 0)
    assert service.metric("fleetflow_kafka_assigned_partitions", source="topics") == 128
    in_raw = "+".join(f"(select count(*) from raw.{table})" for table in ("shipments", "drivers", "shipment_events", "driver_assignments", "gps_locations"))
    [(said, there, since)] = service.ask(f"select sum(facts)::varchar, {in_raw}, (sum(facts) filter (where epoch = (select max(epoch) from ops.commits)))::varchar from ops.commits")
    assert said == there, f"commits say {said} records, raw has {there}"
    shown = service.metric("fleetflow_records_total", stage="decode")
    assert shown == int(since), f"{shown} records by the metrics, {since} in the lake since the last start"


def unready_without_a_source(service, source, leave, come_back):
    """It lives, and says who is missing; then all is well again."""
    def connected():
        return {name: service.metric("fleetflow_source_connected", source=name) for name in ("topics", "orders")}

    def readiness():
        status, text = service.get("/readyz")
        return status, [(each["what"], each["why"].partition(":")[0]) for each in json.loads(text)["obstacles"]]

    both = {"topics": 1, "orders": 1}
    wait_for("/readyz", readiness, (200, []))
    leave()
    wait_for(f"/readyz without {source}", readiness, (503, [("source_not_connected", f"source '{source}'")]))
    wait_for("fleetflow_source_connected", connected, {**both, source: 0})
    assert service.get("/healthz")[0] == 200
    come_back()
    wait_for(f"/readyz with {source}", readiness, (200, []))
    wait_for("fleetflow_source_connected", connected, both)


def silence_is_told(service, postgres):
    """Since when nobody hears of Postgres, while the rest goes on; once it is back it is heard of every second."""
    def is_silent():
        return service.metric("fleetflow_cdc_silence_seconds", source="orders") > 4

    connections = service.metric("fleetflow_cdc_connections_total", source="orders")
    wait_for("fleetflow_cdc_silence_seconds", is_silent, False)
    postgres.kill()
    wait_for("fleetflow_cdc_silence_seconds without orders", is_silent, True)
    assert service.get("/healthz")[0] == 200
    postgres.start()
    wait_for("fleetflow_cdc_silence_seconds with orders", is_silent, False)
    assert service.metric("fleetflow_cdc_connections_total", source="orders") > connections


def a_fenced_member_joins_again(service, kafka):
    """Somebody else has its name for a while; it begins anew, and reads on where its lake is."""
    before = len(service.log.read_text())
    second = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "fleetflow", "partition.assignment.strategy": "cooperative-sticky", "enable.auto.commit": False, **member})
    second.subscribe(topics)

    def is_fenced():
        second.poll(0.1)
        return "(kafka_fenced: taking up anew)" in service.log.read_text()[before:]
    wait_for("the service's log", is_fenced, True)
    second.close()
    what_came_with_a_record_is_kept(service, kafka)


def judge(seed, folder):
    world = folder / "world"
    subprocess.run([program, "simulate", "--shipments", str(shipments), "--seed", str(seed), "--pings-per-shipment", "5", "--out", world], check=True, stdout=subprocess.DEVNULL)
    with Kafka(folder / "kafka", gated=True) as kafka, Postgres(folder / "postgres", fsync=False) as postgres:
        for topic in topics:
            kafka.make_topic(topic, partitions=64)
        postgres.sql((root / "deploy/local/orders.sql").read_text())
        service, playing = Service(folder, configuration(folder, kafka, postgres)), None
        try:
            playing = subprocess.Popen([player, world, "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn, "--rate", str(rate), "--quiet"], stdout=subprocess.PIPE, text=True)
            storm(service, kafka, postgres, random.Random(seed))
            told = json.loads(playing.communicate(timeout=patience_s)[0])
            started = time.monotonic()
            wait_until_caught_up(service, ends_of(kafka, topics), postgres, patience_s)
            print(f"seed {seed}: {told['records']} records told in {told['seconds']:.0f} s, {kills_wanted} kills; caught up {time.monotonic() - started:.1f} s after the last", flush=True)
            assert not service.metrics_missing(), f"never shown: {service.metrics_missing()}"
            what_came_with_a_record_is_kept(service, kafka)
            metrics_count_what_the_lake_holds(service)
            a_fenced_member_joins_again(service, kafka)
            unready_without_a_source(service, "topics", kafka.gate.shut, kafka.gate.heal)
            unready_without_a_source(service, "orders", postgres.kill, postgres.start)
            silence_is_told(service, postgres)
            service.stop(patience_s)
        finally:
            service.kill()
            if playing:
                playing.kill()
        return subprocess.run([sys.executable, root / "tests/live/verify.py", "--lake", service.lake, "--bootstrap", kafka.bootstrap, "--postgres", postgres.dsn, "--program", program, "--law"]).returncode == 0


if __name__ == "__main__":
    sys.exit(judge_seeds(judge, sys.argv[1:] or [7]))
