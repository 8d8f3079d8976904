"""Tells every story to the oracle and compares each expected table, row for row.

    python tests/oracle/check_stories.py FOLDER [NAME...]      FOLDER of *.story; names: only those that contain one

The format is that of the stories' README. Story and Expectation serve other judges of the same stories too.
"""
import datetime
import json
import pathlib
import sys
import tempfile

import oracle

FILES = {"shipment": "orders", "driver": "drivers", "shipment_event": "events", "driver_assignment": "assignments", "gps_location": "gps"}
LEFT_OUT = {
    "shipment": {"namespace": "acme", "customer_id": "C1", "carrier_id": "K1", "service_level": "standard", "origin_hub": "AAA",
                 "destination_hub": "BBB", "created_at": "2026-03-02T08:00:00Z", "version": 1},
    "driver": {"home_hub": "AAA", "version": 1, "ingest_time": "2026-03-01T00:00:00Z"},
    "shipment_event": {"namespace": "acme", "version": 0},
    "driver_assignment": {"namespace": "acme", "version": 1},
    "gps_location": {"device_id": "T1"},
}
OWN_TIME = {"shipment": "created_at", "shipment_event": "event_time", "driver_assignment": "effective_at", "gps_location": "event_time"}


class Story:
    """config: dict; facts: file stem -> list of complete native records; moments: list of (as_of, [Expectation])."""

    def __init__(self, path):
        self.name, self.config, self.facts, self.moments = path.stem, {}, {stem: [] for stem in FILES.values()}, []
        for line in path.read_text().splitlines():
            if not line or line.startswith("#") or line == "facts":
                continue
            if line.startswith("config "):
                self.config = json.loads(line[7:])
            elif line.startswith("{"):
                self.add(json.loads(line))
            elif line.startswith("as_of "):
                self.moments.append((line[6:], []))
            elif line.startswith("expect "):
                self.moments[-1][1].append(Expectation(line[7:]))
            else:
                self.moments[-1][1][-1].add(line.split(" | "))

    def add(self, record):
        kind = record.pop("type")
        record = {**LEFT_OUT[kind], **record}
        if kind == "shipment":
            record.setdefault("order_ref", "O-" + record["shipment_id"])
        if "ingest_time" not in record:
            record["ingest_time"] = record[OWN_TIME[kind]]
        self.facts[FILES[kind]].append(record)

    def write(self, folder):
        for stem, records in self.facts.items():
            (pathlib.Path(folder) / f"{stem}.ndjson").write_text("".join(json.dumps(r) + "\n" for r in records))


class Expectation:
    """One `expect`: table, where (column -> text), columns, rows of text, sorted."""

    def __init__(self, text):
        self.table, _, where = text.partition(" where ")
        self.where = dict(pair.split("=", 1) for pair in where.split())
        self.columns, self.rows = None, []

    def add(self, cells):
        if self.columns is None:
            self.columns = cells
        else:
            self.rows.append(tuple(cells))

    def differs(self, con, schema_prefix=""):
        """None, or what stands in the table instead."""
        name = {"driver_id": "driver_key", "check": "check_name"}
        columns = ", ".join(name.get(c, c) for c in self.columns)
        where = " and ".join(f"{name.get(c, c)} = '{value}'" for c, value in self.where.items()) or "true"
        got = sorted(tuple(text(v) for v in row)
                     for row in con.execute(f"select {columns} from {schema_prefix}{self.table} where {where}").fetchall())
        return None if got == sorted(self.rows) else got


def text(value):
    """A value as the stories write it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return value.isoformat().rstrip("0").rstrip(".") + "Z" if value.microsecond else value.isoformat() + "Z"
    return str(value)


def main(folder, names):
    con, failed, stories = oracle.connect(threads=1), 0, 0
    for path in sorted(pathlib.Path(folder).glob("*.story")):
        if names and not any(name in path.stem for name in names):
            continue
        story, wrong = Story(path), []
        with tempfile.TemporaryDirectory() as facts:
            story.write(facts)
            oracle.load(con, facts, story.config.get("feeds"), story.config.get("watched"))
        for as_of, expectations in story.moments:
            only_core = all(e.table.startswith("core.") for e in expectations)
            oracle.compute(con, as_of, story.config.get("reporting_zone", "UTC"), ["core.sql"] if only_core else oracle.STEPS)
            wrong += [(as_of, e, got) for e in expectations if (got := e.differs(con, "oracle_")) is not None]
        stories += 1
        failed += bool(wrong)
        for as_of, e, got in wrong:
            print(f"{story.name}, as of {as_of}: {e.table} {e.where or ''}\n  columns  {' | '.join(e.columns)}")
            print("\n".join([f"  expected {' | '.join(row)}" for row in e.rows] + [f"  got      {' | '.join(row)}" for row in got]))
    print(f"{stories - failed} passed, {failed} failed")
    return 1 if failed or not stories else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
