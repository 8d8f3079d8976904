"""A lake without the engine: the tables of src/lake/schema.sql, filled by the oracle. Input for tests of the models.

Audit columns stay null, and so does recorded_from; the quarantine, marks and files are empty.
"""
import sys

import project

sys.path.append(str(project.ROOT / "tests/oracle"))
import oracle  # noqa: E402

CALENDAR = """
insert into ops.calendar
with days as (
  select d::date as date, timezone('UTC', timezone(?, d::timestamp)) as start_at, timezone('UTC', timezone(?, d::timestamp + interval 1 day)) as end_at
  from generate_series(date '2025-01-01', date '2027-12-31', interval 1 day) s(d))
select unnest(if(start_at::date = (end_at - interval 1 microsecond)::date, [start_at::date], [start_at::date, end_at::date])), start_at, end_at, date
from days
"""


def set_contracts(con):
    """The oracle keeps no contract in its rows; a namespace with settings of its own has feeds of its own."""
    for table, stem in (("shipment_claims", "orders"), ("drivers", "drivers"), ("shipment_events", "events"),
                        ("assignment_commands", "assignments"), ("gps_locations", "gps")):
        own = "(select any_value(f.namespace) || '-' from oracle.feeds f where f.namespace = t.namespace)" if stem in ("orders", "events", "assignments") else "null"
        con.execute(f"update core.{table} t set contract = coalesce({own}, '') || '{stem}'")


def fill(con, as_of, zone):
    """core.* and ops.* from oracle_core.* of the same connection, as of a moment."""
    for schema in ("curated", "ops", "core", "raw"):
        con.execute(f"drop schema if exists {schema} cascade")
    con.execute((project.ROOT / "src/lake/schema.sql").read_text())

    def columns(schema):
        return dict(con.execute("select table_name, list(column_name) from duckdb_columns() where schema_name = ? group by 1", [schema]).fetchall())

    known = columns("oracle_core")
    for table, wanted in columns("core").items():
        if table == "gps_locations":
            con.execute("insert into core.gps_locations by name select driver_key, device_id, event_time, latitude_e7, longitude_e7, speed_mm_s, ingest_time from oracle.all_pings")
        if table in known:
            both = ", ".join(c for c in wanted if c in known[table])
            con.execute(f"insert into core.{table} by name select {both} from oracle_core.{table}")
    con.execute("insert into ops.feeds select contract, silent_after_min, per_day_min, per_day_max from oracle.watched")
    set_contracts(con)
    con.execute("insert into ops.clock values (?, ?)", [as_of, zone])
    con.execute(CALENDAR, [zone, zone])
    con.execute("insert into ops.statuses by name from oracle.statuses")
    con.execute("insert into ops.sla_policy by name from oracle.sla_policy")
    con.execute("insert into ops.exceptions by name select e.*, o.owner_hint from oracle.exceptions e left join oracle.exception_owners o using (type)")
