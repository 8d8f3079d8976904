"""Bad input and bad settings: each has a stable reason word and a message that names the thing; nothing is lost (S2.9).

    python tests/law/bad_input.py [NAME...]

A *refusal* lands in ops.quarantine with file, line and field, while every good record of the same file counts. A *halt* is
exit code 4 (or 5: try again) with its cause in parentheses and the file, key or option to turn in the message; afterwards,
the cause removed, the run goes on and has everything. The words are those of docs/configuration.md, where each must stand.
"""
import json
import re
import shutil
import subprocess
import sys

import duckdb
import engine

T = "2026-03-02T10:00:00Z"
DOCS = engine.ROOT / "docs" / "configuration.md"


def order(n=1, **fields):
    return json.dumps({"shipment_id": f"S{n}", "order_ref": f"O{n}", "customer_id": "C1", "carrier_id": "K1", "service_level": "standard", "created_at": T, "version": 1, "ingest_time": T, **fields})


def event(n, status="picked_up", **fields):
    return json.dumps({"event_id": f"e{n}", "shipment_id": "S1", "status": status, "event_time": T, "ingest_time": T, **fields})


class House:
    """An input folder with one good order, and a lake."""

    def __init__(self, folder):
        self.input, self.lake = folder / "in", folder / "lake"
        self.input.mkdir()
        self.write("orders-0001.ndjson", order() + "\n")

    def write(self, name, text):
        (self.input / name).write_text(text)

    def own_contracts(self, stem=None, old="", new=""):
        shutil.copytree(engine.ROOT / "contracts", self.input / "contracts", dirs_exist_ok=True)
        if stem:
            contract = self.input / "contracts" / f"{stem}.yaml"
            assert old in contract.read_text()
            contract.write_text(contract.read_text().replace(old, new, 1))

    def run(self, *words):
        return engine.run(self.input, self.lake, *words, ok=(0, 2, 4, 5))

    def ask(self, sql):
        with duckdb.connect(str(self.lake / "lake.duckdb"), read_only=True) as con:
            return con.execute(sql).fetchall()


def documented(word):
    assert f"`{word}`" in DOCS.read_text(), f"docs/configuration.md has no `{word}`"


def refused(house, reason, line, field=None, good=2, file="events-0001.ndjson"):
    """The run succeeds; exactly one record is put aside, for this reason; a second run changes nothing."""
    documented(reason)
    for _ in range(2):
        done = house.run()
        assert done.returncode == 0, done.stderr
        rows = house.ask("select reason, partition, position, field, detail from ops.quarantine")
        assert [r[:4] for r in rows] == [(reason, file, line, field)], f"quarantined: {rows}"
        assert rows[0][4], "no detail for a person"
        events = house.ask("select event_id from core.shipment_events")
        assert len(events) == good, f"{len(events)} good events, expected {good}"
        assert house.ask("select count(*) from ops.files where not done") == [(0,)], "a file is not done"


def halted(house, cause, *named, code=4, words=()):
    """The run says no: this cause, and a message that names these things."""
    documented(cause)
    done = house.run(*words)
    assert done.returncode == code, f"exit {done.returncode}, expected {code}: {done.stderr}"
    assert re.search(rf"\(\w+: {cause}\)", done.stderr), done.stderr
    for name in named:
        assert str(name) in done.stderr, f"'{name}' is not named in: {done.stderr}"


def goes_on(house, shipments=1):
    done = house.run()
    assert done.returncode == 0, done.stderr
    assert house.ask("select count(*) from core.shipments") == [(shipments,)]


def broken_line(house):
    house.write("events-0001.ndjson", "\n".join([event(1), '{"event_id": "e2", "shipment', event(3, "in_transit")]) + "\n")
    refused(house, "malformed_record", 2)


def wrong_type(house):
    house.write("events-0001.ndjson", "\n".join([event(1), event(2, version="three"), event(3, "in_transit")]) + "\n")
    refused(house, "wrong_type", 2, "version")


def missing_field(house):
    house.write("events-0001.ndjson", "\n".join([event(1), event(2, shipment_id=None), event(3, "in_transit")]) + "\n")
    refused(house, "missing_field", 2, "shipment_id")


def unknown_status(house):
    house.write("events-0001.ndjson", "\n".join([event(1), event(2, "teleported"), event(3, "in_transit")]) + "\n")
    refused(house, "unmapped_status", 2, "status")


def too_old(house):
    house.write("events-0001.ndjson", "\n".join([event(1), event(2, event_time="2025-01-01T00:00:00Z"), event(3, "in_transit")]) + "\n")
    refused(house, "beyond_horizon", 2)


def beyond_retention(house):
    """Of a shipment that left the keyed state everything is read from raw again; if raw has been cut, nothing is guessed."""
    documented("beyond_retention")
    house.write("events-0001.ndjson", event(1) + "\n" + event(2, "in_transit") + "\n")
    house.run("--state-days", "0")
    house.write("events-0002.ndjson", event(3, "out_for_delivery") + "\n")
    house.run("--state-days", "0")
    assert house.ask("select state, attempts from core.shipments") == [("out_for_delivery", 0)], house.ask("from core.shipments")
    with duckdb.connect(str(house.lake / "lake.duckdb")) as con:
        con.execute("delete from raw.shipment_events where position = 1 and partition like '%events-0001%'")
    house.write("events-0003.ndjson", event(4, "delivered") + "\n")
    house.run("--state-days", "0")
    assert house.ask("select subject, reason, position from ops.quarantine") == [("S1", "beyond_retention", 1)], house.ask("from ops.quarantine")
    assert house.ask("select state from core.shipments") == [("out_for_delivery",)] and house.ask("select count(*) from core.shipment_events") == [(3,)]


def impossible_place(house):
    house.write("events-0001.ndjson", event(1) + "\n")
    house.write("gps-0001.ndjson", json.dumps({"driver_id": "D1", "device_id": "T1", "event_time": T, "lat": 95.0, "lon": 0.0, "ingest_time": T}) + "\n")
    refused(house, "coordinate_out_of_range", 1, "latitude_e7", good=1, file="gps-0001.ndjson")


def empty_file(house):
    house.write("events-0001.ndjson", "")
    refused(house, "empty_file", 1, good=0)


def cut_file(house):
    house.write("events-0001.ndjson", "\n".join([event(1), event(3, "in_transit"), event(2)[:40]]))
    refused(house, "truncated_record", 3)


def locked_database(house):
    goes_on(house)
    holder = subprocess.Popen([sys.executable, "-c", f"import duckdb, time; c = duckdb.connect('{house.lake / 'lake.duckdb'}'); print('held', flush=True); time.sleep(60)"], stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        house.write("orders-0002.ndjson", order(2) + "\n")
        halted(house, "lake_locked", "lake.duckdb")
    finally:
        holder.kill()
        holder.wait()
    goes_on(house, shipments=2)


def unknown_key_in_contract(house):
    house.own_contracts("events", "  - property: lateAfterMin", "  - property: latAfterMin")
    halted(house, "contract_unknown_key", "events.yaml:", "latAfterMin")
    shutil.rmtree(house.input / "contracts")
    goes_on(house)


def unknown_zone(house):
    halted(house, "unknown_zone", "Mars/Olympus", words=("--reporting-zone", "Mars/Olympus"))
    shutil.rmtree(house.lake)
    goes_on(house)


def as_of_behind(house):
    goes_on(house)
    halted(house, "as_of_behind", "--as-of", "--lake", words=("--as-of", "2026-03-01T00:00:00Z"))
    goes_on(house)


def changed_file(house):
    goes_on(house)
    house.write("orders-0001.ndjson", order() + "\n" + order(2) + "\n")
    halted(house, "file_changed", "orders-0001.ndjson")
    house.write("orders-0001.ndjson", order() + "\n")
    house.write("orders-0002.ndjson", order(2) + "\n")
    goes_on(house, shipments=2)


def changed_contracts(house):
    goes_on(house)
    house.own_contracts("events", "value: 15", "value: 20")
    halted(house, "generation_changed", house.lake)
    shutil.rmtree(house.input / "contracts")
    goes_on(house)


def no_such_input(house):
    kept, house.input = house.input, house.input.parent / "elsewhere"
    halted(house, "input_unreadable", "elsewhere", "--input")
    house.input = kept
    goes_on(house)


def bad_key(house):
    documented("bad_pseudonym_key")
    done = engine.run(house.input, house.lake, ok=(4,), FLEETFLOW_PSEUDONYM_KEY="secret")
    assert "bad_pseudonym_key" in done.stderr and "secret" not in done.stderr, done.stderr
    goes_on(house)


def wrong_usage(house):
    done = house.run("--as-of", "yesterday")
    assert done.returncode == 2 and "--as-of 'yesterday'" in done.stderr, done.stderr
    goes_on(house)


CASES = [broken_line, wrong_type, missing_field, unknown_status, too_old, beyond_retention, impossible_place, empty_file, cut_file, locked_database, unknown_key_in_contract,
         unknown_zone, as_of_behind, changed_file, changed_contracts, no_such_input, bad_key, wrong_usage]


def judge(name, folder):
    case = next(c for c in CASES if c.__name__ == name)
    try:
        case(House(folder))
    except (AssertionError, RuntimeError) as e:
        return 0, 1, f"{name:26} FAILED: {e}"
    return 1, 0, f"{name:26} ok"


if __name__ == "__main__":
    sys.exit(engine.each(judge, sys.argv[1:] or [c.__name__ for c in CASES]))
