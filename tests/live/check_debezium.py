"""What a running Debezium says of real changes is read as what our own reader says of them: the same core and curated tables, row for row.

Debezium's embedded engine (bench/peers) drains changes of two tables into topics; one lake is made of the topics, by contracts of
format debezium, another of the database itself. The lakes are held against each other. Skipped where Debezium's jars are not set up.
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
from servers import Kafka, Postgres  # noqa: E402

tables = ["orders", "driver_assignments"]

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
update orders set shipment_id = 'T' || shipment_id where order_ref in ('O7', 'O8');
update driver_assignments set shipment_id = 'S51' where assignment_id = 'A50';
"""


def count_changes():
    """Of each table, by the statements above: changes that Debezium tells, those of them that delete (each followed by a tombstone), and
    what our reader tells more: an end and a beginning where a shipment's number changes."""
    starting = lambda digit: sum(str(i).startswith(digit) for i in range(1, 201))  # noqa: E731
    return {"orders": (200 + starting("1") + 2 + 2 + starting("2") + 2, starting("2"), 2), "driver_assignments": (100 + 3 + 2 + 1 + 1, 1, 1)}


tables_of_facts = ["core.shipment_claims", "core.shipments", "core.assignment_commands", "core.driver_assignments"]
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
        with Kafka(folder / "kafka") as kafka, Postgres(folder / "postgres", fsync=False) as postgres:
            postgres.sql((root / "deploy/local/orders.sql").read_text())
            for table in tables:
                postgres.sql(f"select pg_create_logical_replication_slot('debezium_{table}', 'pgoutput')")
            direct = contracts_of(folder / "direct_contracts", lambda table: None)
            by_debezium = contracts_of(folder / "debezium_contracts", lambda table: (
                "servers:\n  - server: kafka\n    type: kafka\n    host: 127.0.0.1:9092\n    format: debezium\n"
                f"    customProperties:\n      - {{property: topic, value: peer.{table}}}\n"))
            serve = "commit_interval_ms: 200\nclock_interval_s: 1\n"
            ours = Process(folder, "ours", ["run", "--quiet"], f"lake: {folder}/ours\ncontracts: {direct}\n{serve}sources:\n"
                           f"  - {{type: postgres, name: orders, conninfo: '{postgres.dsn}', slot: ours, publication: fleetflow}}\n")
            theirs = None
            try:
                ours.wait_for("its snapshot is complete", lambda: ask(folder / "ours", "select count(*) from ops.marks where resume like '%complete'") == ["1"])
                postgres.sql(changes)
                for table, (rows, deletes, _) in count_changes().items():
                    debezium.slots = lambda passes, table=table: [f"debezium_{table}"]
                    debezium.run("changes", postgres.port, table, kafka.bootstrap, rows + deletes, 1)  # It tells a tombstone behind each deletion.
                theirs = Process(folder, "theirs", ["run", "--quiet"], f"lake: {folder}/theirs\ncontracts: {by_debezium}\n{serve}sources:\n"
                                 f"  - {{type: kafka, name: topics, brokers: '{kafka.bootstrap}', group: theirs}}\n")
                told = sum(rows for rows, _, _ in count_changes().values())
                for process, records in ((ours, told + sum(more for _, _, more in count_changes().values())), (theirs, told)):
                    raw = "select sum(n) from (select count(distinct (partition, position)) as n from raw.shipments union all select count(distinct (partition, position)) from raw.driver_assignments)"
                    process.wait_for("all changes", lambda process=process, records=records: ask(folder / process.config.stem, raw) == [str(records)])
                for process in (ours, theirs):
                    process.stop()
            finally:
                for process in filter(None, (ours, theirs)):
                    process.kill()
            empty, moment = folder / "empty", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
            empty.mkdir()
            for lake, contracts in (("ours", direct), ("theirs", by_debezium)):
                subprocess.run([program, "run", "--quiet", "--input", empty, "--contracts", contracts, "--lake", folder / lake, "--as-of", moment], check=True)
            differ = {}
            for table in compared:
                rows = {lake: collections.Counter(rows_of(folder / lake, table)) for lake in ("ours", "theirs")}
                if rows["ours"] != rows["theirs"]:
                    differ[table] = [f"{lake:7} {row}" for lake, other in (("ours", "theirs"), ("theirs", "ours")) for row in sorted((rows[lake] - rows[other]).elements())[:3]]
            least = {table: len(rows_of(folder / "ours", table)) for table in tables_of_facts}
    for table in compared:
        print("\n        ".join([f"{'DIFFERS' if table in differ else 'ok     '} {table}", *differ.get(table, [])]))
    assert min(least.values()) >= 99, least
    print(f"{len(compared) - len(differ)} passed, {len(differ)} failed")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
