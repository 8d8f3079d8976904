"""What a running Debezium says of real changes is read as what our own reader says of them: the same core and curated tables, row for row.

Debezium's embedded engine (bench/peers) drains changes of three tables into topics, once in JSON and once in Avro; lakes are made of the
topics, by contracts of formats debezium and debezium_avro, and one of the database itself. They are held against each other.
"""
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(root / "scripts/stack"), str(root / "bench/peers"), str(root / "tests/live")]
from check_publish import Process, ask, program  # noqa: E402
from servers import Kafka, Postgres, Registry  # noqa: E402

tables = ["orders", "drivers", "driver_assignments"]
wires = {"debezium": "peer", "debezium_avro": "avro"}  # format: what its topics begin with

changes = """
insert into orders select 'O' || i, 'S' || i, 'C' || i % 3, 'UPS', 'express', 'AAA', 'BBB', timestamptz '2026-03-01 08:00:00.123456Z' + i * interval '1 minute', null, timestamptz '2026-03-02 08:00Z' from generate_series(1, 200) i;
update orders set destination_hub = 'CCC' where order_ref like 'O1%';
update orders set service_level = (select string_agg(md5(i::text), '') from generate_series(1, 200) i) where order_ref in ('O5', 'O6');
update orders set carrier_id = 'DHL' where order_ref in ('O5', 'O6');
delete from orders where order_ref like 'O2%';
insert into driver_assignments select 'A' || i, 'S' || i, 'D' || i % 7, 'assign', timestamptz '2026-03-01 10:00Z' + i * interval '1 minute' from generate_series(1, 100) i;
begin;
update driver_assignments set driver_id = 'D9' where assignment_id in ('A1', 'A2', 'A3');
update driver_assignments set driver_id = 'D8' where assignment_id in ('A1', 'A2');
delete from driver_assignments where assignment_id = 'A3';
commit;
insert into drivers select 'D' || i, 'HUB' || i % 2, 'name', 'phone', null, 'licence', 'home', '1990-01-01' from generate_series(1, 9) i;
update drivers set home_hub = null where driver_id in ('D1', 'D2');
update drivers set driver_id = 'D10' where driver_id = 'D3';
delete from drivers where driver_id = 'D4';
update orders set shipment_id = 'T' || shipment_id where order_ref in ('O7', 'O8');
update driver_assignments set shipment_id = 'S51' where assignment_id = 'A50';
"""


def count_changes():
    """Of each table, by the statements above: changes that Debezium tells, those of them that delete (each followed by a tombstone), and
    what our reader tells more: an end and a beginning where a shipment's number changes."""
    starting = lambda digit: sum(str(i).startswith(digit) for i in range(1, 201))  # noqa: E731
    return {"orders": (200 + starting("1") + 2 + 2 + starting("2") + 2, starting("2"), 2), "drivers": (9 + 2 + 2 + 1, 2, 0), "driver_assignments": (100 + 3 + 2 + 1 + 1, 1, 1)}


tables_of_facts = ["core.shipment_claims", "core.shipments", "core.drivers", "core.assignment_commands", "core.driver_assignments"]
compared = [*tables_of_facts, "curated.shipment_sla", "curated.driver_utilization", "curated.exception_report", "curated.promise_performance", "curated.hours_of_service", "ops.findings"]
# Where a row was read, and how each side numbers its versions: the order of the numbers is the same, they are not.
left_out = ["source", "partition", "position", "contract", "contract_version", "publish_seq", "ordinal", "ordinal_minor"]


def rows_of(lake, table):
    words = ", ".join(f"'{column}'" for column in left_out)
    query = f"select columns(c -> c not in ({words})) from {table} order by all"
    return subprocess.run([program, "query", "--lake", lake, "--format", "csv", query], check=True, capture_output=True, text=True).stdout.splitlines()[1:]


def contracts_of(folder, make_server):
    folder.mkdir()
    for table in tables:
        text = (root / f"deploy/local/contracts/{table}.yaml").read_text()
        text = text.replace("customProperties:\n  - {property: namespace", "customProperties:\n  - {property: historical, value: true}\n  - {property: namespace").replace("  - {property: lateAfterMin, value: 15}\n", "")
        server = make_server(table)
        (folder / f"{table}.yaml").write_text(re.sub(r"^servers:\n(?:[ ].*\n)+", server, text, flags=re.M) if server else text)
    return folder


def main():
    if not list((root / ".deps/debezium").glob("debezium-embedded-*.jar")) or not shutil.which("javac"):
        print("Debezium's jars or a Java compiler are not here (./ff setup debezium)")
        print("0 passed, 1 failed")
        return 1
    import debezium
    with tempfile.TemporaryDirectory(prefix="fleetflow-debezium-", ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        with Kafka(folder / "kafka") as kafka, Postgres(folder / "postgres", fsync=False) as postgres, Registry(folder / "registry") as registry:
            postgres.sql((root / "deploy/local/orders.sql").read_text())
            for topics in wires.values():
                for table in tables:
                    postgres.sql(f"select pg_create_logical_replication_slot('{topics}_{table}', 'pgoutput')")
            contracts = {"ours": contracts_of(folder / "direct_contracts", lambda table: None)}
            for wire, topics in wires.items():
                contracts[wire] = contracts_of(folder / f"{wire}_contracts", lambda table, wire=wire, topics=topics: (
                    f"servers:\n  - server: kafka\n    type: kafka\n    host: 127.0.0.1:9092\n    format: {wire}\n"
                    f"    customProperties:\n      - {{property: topic, value: {topics}.{table}}}\n"))

            def serve(lake, source):
                return Process(folder, lake, ["run", "--quiet"], f"lake: {folder}/{lake}\ncontracts: {contracts[lake]}\ncommit_interval_ms: 200\nclock_interval_s: 1\nsources:\n  - {{{source}}}\n")
            running = [serve("ours", f"type: postgres, name: orders, conninfo: '{postgres.dsn}', slot: ours, publication: fleetflow")]
            try:
                running[0].wait_for("its snapshot is complete", lambda: ask(folder / "ours", "select count(*) from ops.marks where resume like '%complete'") == ["1"])
                postgres.sql(changes)
                for wire, topics in wires.items():
                    for table, (rows, deletes, _) in count_changes().items():
                        debezium.run("changes", postgres.port, table, kafka.bootstrap, rows + deletes, [f"{topics}_{table}"], f"{topics}.{table}",
                                     registry.url.replace("ccompat/v7", "registry/v2") if wire == "debezium_avro" else None)  # It tells a tombstone behind each deletion.
                    running.append(serve(wire, f"type: kafka, name: topics, brokers: '{kafka.bootstrap}', group: {wire}, registry_url: '{registry.url}'"))
                told = sum(rows for rows, _, _ in count_changes().values())
                for process in running:
                    records = told + (sum(more for _, _, more in count_changes().values()) if process is running[0] else 0)
                    raw = "select sum(n) from (select count(distinct (partition, position)) as n from raw.shipments union all select count(distinct (partition, position)) from raw.driver_assignments union all select count(distinct (partition, position)) from raw.drivers)"
                    process.wait_for("all changes", lambda process=process, records=records: ask(folder / process.config.stem, raw) == [str(records)])
                for process in running:
                    process.stop()
            finally:
                for process in running:
                    process.kill()
            empty, moment = folder / "empty", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
            empty.mkdir()
            for lake in contracts:
                subprocess.run([program, "run", "--quiet", "--input", empty, "--contracts", contracts[lake], "--lake", folder / lake, "--as-of", moment], check=True)
            differ, passed = {}, 0
            for wire in wires:
                for table in compared:
                    rows = {lake: collections.Counter(rows_of(folder / lake, table)) for lake in ("ours", wire)}
                    if rows["ours"] == rows[wire]:
                        passed += 1
                        continue
                    differ[f"{wire}: {table}"] = [f"{lake:13} {row}" for lake, other in (("ours", wire), (wire, "ours")) for row in sorted((rows[lake] - rows[other]).elements())[:3]]
                for line in ask(folder / wire, "select reason, any_value(detail), count(*) from ops.quarantine group by reason"):
                    print(f"{wire} refused: {line}")
            least = {table: len(rows_of(folder / "ours", table)) for table in tables_of_facts}
    for what, rows in differ.items():
        print("\n        ".join([f"DIFFERS {what}", *rows]))
    assert least.pop("core.drivers") >= 9 and min(least.values()) >= 99, least
    print(f"{passed} passed, {len(differ)} failed")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
