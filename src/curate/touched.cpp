#include "curate/touched.h"

#include <algorithm>

#include "base/time.h"
#include "lake/schema.h"

namespace ff {
namespace {

Rows span_rows(const Touched& touched) {
  Rows rows("stt");
  for (const auto& [key, span] : touched.drivers) rows.text(key).integer(span.from).integer(span.until);
  return rows;
}

Rows hour_rows(const Touched& touched) {
  Rows rows("t");
  for (const Micros hour : touched.hours) rows.integer(hour);
  return rows;
}

/// Before the first cycle nothing was judged: what was touched by then counted up to a clock that has moved since.
std::string moment(Micros as_of) { return as_of == none ? "timestamp '0001-01-01'" : timestamp_literal(as_of); }

/// Whoever holds something has measures that grow with the clock (S4.4), and driving counts up to it.
Result<void> gather_clock(Lake& lake, const std::string& before, const std::string& now) {
  const auto touch = [&](const std::string& table, const std::string& from, const std::string& until) {
    return lake.run("insert into temp.all_driver_spans select driver_key, greatest(" + from + ", " + before +
                    "), least(" + until + ", " + now + ") from " + table + " where " + until + " > " + before +
                    " and " + from + " < " + now);
  };
  FF_TRY(touch("core.driver_assignments", "valid_from", "valid_to"));
  FF_TRY(touch("core.driver_assignments", "valid_from", "counts_to_at_most"));
  FF_TRY(touch("core.driver_segments", "start_at", "end_at"));
  return lake.run("insert into temp.all_driver_spans select driver_key, greatest(event_time - to_seconds(driving_s), " +
                  before + "), event_time from core.shipment_events where event_time > " + before +
                  " and driving_s > 0 and driver_key is not null");
}

/// An unknown driver became known (S6.2): who was missed, or is about to be, is judged again.
Result<void> gather_known_drivers(Lake& lake, Micros previous_as_of) {
  if (!FF_TRY(lake.value("select 1 from temp.known_drivers limit 1"))) return {};
  const std::string names_one = "driver_key in (select key from temp.known_drivers)";
  for (const char* table : {"core.shipment_events", "core.assignment_commands"}) {
    const std::string select =
        std::string("insert into temp.all_shipments select shipment_id from ") + table + " where " + names_one;
    if (previous_as_of != none)  // Its 30 minutes were not over.
      FF_TRY(lake.run(select + " and first_ingest_time >= " + timestamp_literal(previous_as_of - 30 * us_per_minute)));
    if (FF_TRY(lake.value("select 1 from ops.findings_shipment where check_name = 'missing_driver_id' limit 1")))
      FF_TRY(lake.run(select + " and shipment_id in (select shipment_id from ops.findings_shipment where check_name = "
                               "'missing_driver_id')"));
  }
  return {};
}

/// One span a driver: its whole days, and the span with all that the past cycle joined to it: spells it meets, and duty
/// periods within the 10 hours that keep two apart (S5.4). Beyond these nothing can have changed.
Result<void> gather_driver_spans(Lake& lake) {
  FF_TRY(lake.run(
      "create or replace temp table all_drivers as select distinct key from (select key from temp.all_driver_spans "
      "union all "
      "select key from temp.known_drivers); "
      "create or replace temp table all_driver_spans as select key, min(from_at) as from_at, max(until_at) as until_at "
      "from temp.all_driver_spans group by key; "
      "create or replace temp table all_driver_days as select s.key, coalesce(f.start_at, s.from_at) as span_start, "
      "coalesce(l.end_at, s.until_at) as span_end, coalesce(f.date, cast(s.from_at as date)) as first_date, "
      "coalesce(l.date, cast(s.until_at as date)) as last_date from temp.all_driver_spans s "
      "left join ops.calendar f on f.utc_date = cast(s.from_at as date) and s.from_at >= f.start_at and s.from_at < "
      "f.end_at "
      "left join ops.calendar l on l.utc_date = cast(s.until_at as date) and s.until_at >= l.start_at and s.until_at < "
      "l.end_at"));
  const auto widen = [&](const std::string& table, const std::string& from, const std::string& to,
                         const std::string& apart) -> Result<void> {
    const Table all = FF_TRY(
        lake.query("select min(from_at) - " + apart + ", max(until_at) + " + apart + " from temp.all_driver_spans"));
    if (!all.rows.front()[0]) return {};
    return lake.run("create or replace temp table all_driver_spans as select s.key, least(min(s.from_at), min(o." +
                    from + ")) as from_at, greatest(max(s.until_at), max(o." + to +
                    ")) as until_at from temp.all_driver_spans s left join (select * from " + table + " where " + to +
                    " >= timestamp " + sql_literal(*all.rows.front()[0]) + " and " + from + " <= timestamp " +
                    sql_literal(*all.rows.front()[1]) + ") o on o.driver_key = s.key and o." + from +
                    " <= s.until_at + " + apart + " and o." + to + " >= s.from_at - " + apart + " group by s.key");
  };
  FF_TRY(widen("ops.driver_spells", "start_at", "end_at", "interval 0 hour"));
  FF_TRY(widen("curated.hours_of_service", "duty_start_at", "duty_end_at", "interval 10 hour"));
  FF_TRY(widen("ops.driver_spells", "start_at", "end_at", "interval 0 hour"));
  return lake.run(
      "create or replace temp table all_driver_times as select key, from_at as span_start, until_at as span_end, "
      "cast(from_at as date) - 1 as first_date, cast(until_at as date) + 1 as last_date from temp.all_driver_spans");
}

}  // namespace

void Touched::touch_driver(std::string_view driver_key, Micros from, Micros until) {
  const auto known = drivers.find(driver_key);
  if (known == drivers.end()) {
    drivers.emplace(driver_key, Span{from, until});
    return;
  }
  known->second.from = std::min(known->second.from, from);
  known->second.until = std::max(known->second.until, until);
}

void Touched::hear(Micros first_ingest_time) { hours.insert(first_ingest_time - first_ingest_time % us_per_hour); }

Result<void> note_touched(Lake& lake, const Touched& touched, std::int64_t publish_seq) {
  const std::string by = ", " + std::to_string(publish_seq) + " from batch";
  FF_TRY(lake.run_with("insert into ops.touched select 'shipment', key, null, null" + by, touched.shipments, {"key"}));
  FF_TRY(lake.run_with("insert into ops.touched select 'hour', null, hour, null" + by, hour_rows(touched), {"hour"}));
  return note_drivers(lake, touched, publish_seq);
}

Result<void> note_drivers(Lake& lake, const Touched& touched, std::int64_t publish_seq) {
  const std::string by = ", " + std::to_string(publish_seq) + " from batch";
  FF_TRY(lake.run_with("insert into ops.touched select 'driver', *" + by, span_rows(touched),
                       {"key", "from_at", "until_at"}));
  return lake.run_with("insert into ops.touched select 'driver_row', key, null, null" + by, touched.driver_rows,
                       {"key"});
}

Result<void> list_noted(Lake& lake) {
  return lake.run("create or replace temp table noted_commits as select distinct publish_seq from ops.touched");
}

Result<void> forget_noted(Lake& lake) {
  return lake.run("delete from ops.touched where publish_seq in (select publish_seq from temp.noted_commits)");
}

Result<bool> is_anything_noted(Lake& lake) {
  return FF_TRY(lake.value("select 1 from ops.touched limit 1")).has_value();
}

Result<void> create_gathered(Lake& lake) {
  constexpr const char* span_columns =
      " (key varchar, span_start timestamp, span_end timestamp, first_date date, last_date date)";
  for (const char* table : {"all_shipments", "all_drivers", "touched_shipments", "touched_drivers", "known_drivers"})
    FF_TRY(lake.run(std::string("create or replace temp table ") + table + " (key varchar)"));
  FF_TRY(
      lake.run("create or replace temp table all_driver_spans (key varchar, from_at timestamp, until_at timestamp)"));
  for (const char* table : {"all_driver_days", "all_driver_times", "touched_driver_days", "touched_driver_times"})
    FF_TRY(lake.run(std::string("create or replace temp table ") + table + span_columns));
  for (const char* table : {"all_hours", "touched_hours"})
    FF_TRY(lake.run(std::string("create or replace temp table ") + table +
                    " (key timestamp, span_start timestamp, span_end timestamp)"));
  return {};
}

Result<void> clear_gathered(Lake& lake) {
  for (const char* set : {"all_shipments", "all_driver_spans", "known_drivers", "all_hours"})
    FF_TRY(lake.run(std::string("delete from temp.") + set));
  return {};
}

Result<void> gather_touched(Lake& lake, const Touched& touched) {
  FF_TRY(lake.insert("temp.all_shipments", touched.shipments));
  FF_TRY(lake.insert("temp.all_driver_spans", span_rows(touched)));
  FF_TRY(lake.insert("temp.known_drivers", touched.driver_rows));
  return lake.run_with("insert into temp.all_hours select hour, null, null from batch", hour_rows(touched), {"hour"});
}

Result<void> gather_noted(Lake& lake, const std::string& which) {
  const std::string from = " from ops.touched where " + which + " and kind = ";
  return lake.run("insert into temp.all_shipments select key" + from +
                  "'shipment'; insert into temp.all_driver_spans select key, from_at, until_at" + from +
                  "'driver'; insert into temp.known_drivers select key" + from +
                  "'driver_row'; insert into temp.all_hours select from_at, null, null" + from + "'hour'");
}

Result<void> gather_turned(Lake& lake, Micros previous_as_of, Micros as_of) {
  FF_TRY(
      lake.run("create or replace temp table all_hours as select distinct key, key as span_start, key + interval 1 "
               "hour as span_end from temp.all_hours"));
  if (previous_as_of != as_of)
    FF_TRY(lake.run("insert into temp.all_shipments select shipment_id from ops.shipment_deadlines where due_at > " +
                    moment(previous_as_of) + " and due_at <= " + moment(as_of)));
  FF_TRY(gather_known_drivers(lake, previous_as_of));
  return lake.run("create or replace temp table all_shipments as select distinct key from temp.all_shipments");
}

Result<void> gather_drivers(Lake& lake, Micros as_of, const std::string& of_others) {
  const Micros before = FF_TRY(lake.integer("select epoch_us(as_of) from ops.driver_clock", none));
  if (before != as_of) FF_TRY(gather_clock(lake, moment(before), moment(as_of)));
  if (!of_others.empty()) FF_TRY(lake.run("delete from temp.all_driver_spans" + of_others));
  return gather_driver_spans(lake);
}

}  // namespace ff
