#include "curate/curator.h"

#include <algorithm>
#include <chrono>

#include "lake/schema.h"

namespace ff {
namespace {

/// The temporary table that holds the touched keys a model is replaced by.
std::string touched_table(const Model& m) { return "temp.touched_" + (m.groups.empty() ? m.touched : m.name); }

bool is_sliced(const Model& m) {
  return !m.key.empty() && (m.touched == "shipments" || m.touched == "drivers" || !m.groups.empty());
}

}  // namespace

Result<Curator> Curator::load(const std::string& models_directory) {
  std::vector<Model> models = FF_TRY(load_models(models_directory));
  for (const Model& m : models)
    if (!m.is_view && !is_sliced(m) && m.touched != "all")
      return Error{Recourse::halt, "model_meta",
                   "model " + m.name + ": meta.touched is '" + m.touched +
                       "'; it is shipments, drivers, all, or {from, column}, and the sliced ones have a key"};
  return Curator(std::move(models));
}

Result<void> Curator::create(Lake& lake, Views views) {
  views_ = views;
  FF_TRY(
      lake.run("create or replace temp table touched_shipments (key varchar); create or replace temp table "
               "touched_drivers (key varchar); "
               "create or replace temp table touched_driver_rows (key varchar)"));
  for (const Model& m : models_) {
    const std::string sql = render(m, models_, {});
    if (!is_table(m))
      FF_TRY(lake.run("create or replace view " + m.table() + " as " + sql));
    else
      FF_TRY(lake.run("create table if not exists " + m.table() + " as select * from (" + sql + "\n) limit 0"));
    for (const GroupsFrom& g : m.groups)
      FF_TRY(lake.run(
          "create or replace temp table touched_" + m.name + " as select " + g.column + " as key from " +
          std::find_if(models_.begin(), models_.end(), [&](const Model& p) { return p.name == g.parent; })->table() +
          " limit 0"));
  }
  return {};
}

Result<void> Curator::gather(Lake& lake, const Touched& touched, Micros previous_as_of, Micros as_of) const {
  for (const char* set : {"touched_shipments", "touched_drivers", "touched_driver_rows"})
    FF_TRY(lake.run(std::string("delete from temp.") + set));
  FF_TRY(lake.insert("temp.touched_driver_rows", touched.driver_rows));
  FF_TRY(lake.insert("temp.touched_shipments", touched.shipments));
  FF_TRY(lake.insert("temp.touched_drivers", touched.drivers));
  const std::string before = timestamp_literal(previous_as_of), now = timestamp_literal(as_of);
  if (previous_as_of != none)
    FF_TRY(lake.run(
        "insert into temp.touched_shipments select distinct shipment_id from ops.shipment_deadlines where due_at > " +
        before + " and due_at <= " + now));
  if (!touched.driver_rows.empty())  // An unknown driver became known (S6.2): whoever names it is judged again.
    FF_TRY(lake.run(
        "insert into temp.touched_shipments select shipment_id from core.shipment_events where driver_key in (select "
        "key from temp.touched_driver_rows) or named_driver_key in (select key from temp.touched_driver_rows) "
        "union select shipment_id from core.assignment_commands where driver_key in (select key from "
        "temp.touched_driver_rows)"));
  // Whoever holds something has measures that grow with the clock (S4.4).
  if (previous_as_of != none && previous_as_of != as_of)
    FF_TRY(
        lake.run("insert into temp.touched_drivers select distinct driver_key from core.driver_assignments where "
                 "coalesce(valid_to, counts_to_at_most) > " +
                 before + " and valid_from < " + now));
  return {};
}

Result<void> Curator::replace(Lake& lake, const Model& m) const {
  const std::string keys = touched_table(m);
  const auto in_touched = " where " + m.key + " in (select key from " + keys + ")";
  const auto each_group_of_this = [&](const auto& run) -> Result<void> {
    for (const Model& rollup : models_)
      for (const GroupsFrom& g : rollup.groups)
        if (g.parent == m.name) FF_TRY(run(rollup, g));
    return {};
  };
  const auto note_groups = [&](const Model& rollup, const GroupsFrom& g) {
    return lake.run("insert into " + touched_table(rollup) + " select distinct " + g.column + " from " + m.table() +
                    in_touched + " and " + g.column + " is not null");
  };
  FF_TRY(each_group_of_this(note_groups));
  FF_TRY(lake.run("delete from " + m.table() + in_touched));
  FF_TRY(lake.run("insert into " + m.table() + " select * from (" + render(m, models_, keys) + "\n)" + in_touched));
  return each_group_of_this(note_groups);
}

/// Compares the model's rows with those kept in temp.findings_before (S6.1: what was noticed, when).
Result<void> Curator::log_findings(Lake& lake, const Model& m, Micros as_of, std::int64_t publish_seq) const {
  const std::string rows_now =
      "select * from " + m.table() +
      (m.key.empty() ? "" : " where " + m.key + " in (select key from " + touched_table(m) + ")");
  return lake.run(
      "insert into ops.finding_log select coalesce(n.check_name, b.check_name), coalesce(n.subject, b.subject), "
      "coalesce(n.anchor, b.anchor), "
      "case when b.check_name is null then 'opened' when n.check_name is null then 'withdrawn' when n.resolved_at is "
      "null then 'reopened' else 'resolved' end, " +
      timestamp_literal(as_of) + ", " + std::to_string(publish_seq) + " from (" + rows_now +
      ") n full join temp.findings_before b on b.check_name = n.check_name and b.subject = n.subject and b.anchor = "
      "n.anchor "
      "where b.check_name is null or n.check_name is null or b.resolved_at is distinct from n.resolved_at");
}

Result<void> Curator::publish(Lake& lake, const Touched& touched, Micros previous_as_of, Micros as_of,
                              std::int64_t publish_seq) const {
  FF_TRY(gather(lake, touched, previous_as_of, as_of));
  for (const Model& m : models_)
    if (!m.groups.empty()) FF_TRY(lake.run("delete from " + touched_table(m)));
  for (const Model& m : models_) {
    if (!is_table(m)) continue;
    const auto start = std::chrono::steady_clock::now();
    const bool logged = !m.is_view && m.schema == "ops" && m.name.rfind("findings_", 0) == 0;
    if (logged)
      FF_TRY(lake.run(
          "create or replace temp table findings_before as select check_name, subject, anchor, resolved_at from " +
          m.table() + (m.key.empty() ? "" : " where " + m.key + " in (select key from " + touched_table(m) + ")")));
    if (is_sliced(m))
      FF_TRY(replace(lake, m));
    else
      FF_TRY(lake.run("delete from " + m.table() + "; insert into " + m.table() + " " + render(m, models_, {})));
    if (logged) FF_TRY(log_findings(lake, m, as_of, publish_seq));
    if (on_step)
      on_step(m.name,
              std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start).count());
  }
  return {};
}

Result<void> Curator::rebuild(Lake& lake) const {
  for (const Model& m : models_)
    if (is_table(m))
      FF_TRY(lake.run("delete from " + m.table() + "; insert into " + m.table() + " " + render(m, models_, {})));
  return {};
}

}  // namespace ff
