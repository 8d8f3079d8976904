#include "curate/curator.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "base/integer.h"
#include "lake/lent.h"
#include "lake/schema.h"

namespace ff {
namespace {

constexpr std::string_view shipments = "shipments", drivers = "drivers", hours = "hours";

/// Of which keys a model replaces the rows: 'shipments', 'drivers', 'hours', or '' for roll-ups and whole tables.
std::string_view kind_of(const Model& m) {
  if (m.touched == shipments) return shipments;
  if (m.touched == hours) return hours;
  return m.touched == "drivers" || m.touched == "driver_days" || m.touched == "driver_times" ? drivers : "";
}

/// The temporary table that holds the touched keys a model is replaced by.
std::string touched_name(const Model& m) { return "temp.touched_" + (m.groups.empty() ? m.touched : m.name); }

std::string fresh_name(const Model& m) { return "temp.fresh_" + m.name; }
std::string old_name(const Model& m) { return "temp.old_" + m.name; }

bool has_spans(const Model& m) {
  return m.touched == "driver_days" || m.touched == "driver_times" || m.touched == hours;
}

bool is_rollup(const Model& m) { return !m.groups.empty(); }

bool is_sliced(const Model& m) { return !m.key.empty() && (!kind_of(m).empty() || is_rollup(m)); }

bool is_findings(const Model& m) { return m.schema == "ops" && m.name.rfind("findings_", 0) == 0; }

/// Of a driver's rows, those in its touched span; and, so that the scan can skip the others' pages, those in any.
std::string in_span(const Model& m, const TouchedTable& touched) {
  if (m.is_by_day())
    return "key = " + m.key + " and " + m.within + " between first_date and last_date and " + m.within +
           " between cast(" + touched.least_start + " as date) - 1 and cast(" + touched.greatest_end + " as date) + 1";
  return "key = " + m.key + " and " + m.within + " between span_start and span_end and " + m.within + " between " +
         touched.least_start + " and " + touched.greatest_end;
}

/// `rows` (a table, or a query in parentheses), narrowed to what was touched.
std::string touched_of(const std::string& rows, const Model& m, const TouchedTable& touched) {
  if (m.within.empty())
    return "(select * from " + rows + " where " + m.key + " in (select key from " + touched.name + "))";
  return "(select * from " + rows + " semi join " + touched.name + " on " + in_span(m, touched) + ")";
}

Result<std::vector<std::string>> keys_of(Lake& lake, const std::string& from) {
  std::vector<std::string> keys;
  for (auto& row : FF_TRY(lake.query("select key" + from + " order by key")).rows) keys.push_back(std::move(*row[0]));
  return keys;
}

/// Where to cut the gathered keys of one kind into so many parts: the first key of each part but the first. Parts are ranges,
/// since a scan for a range of keys passes by the others, in half of the time of as many scattered ones.
Result<std::vector<std::string>> cuts_of(Lake& lake, std::string_view kind, std::int64_t parts) {
  if (parts <= 1) return std::vector<std::string>();
  return keys_of(lake, " from (select min(key) as key from (select key, ntile(" + std::to_string(parts) +
                           ") over (order by key) as part from temp.all_" + std::string(kind) +
                           ") where part > 1 group by part)");
}

/// A condition on keys: those of one part.
std::string in_part(const std::vector<std::string>& cuts, std::size_t part) {
  return (part == 0 ? "true" : "key >= " + sql_literal(cuts[part - 1])) +
         (part == cuts.size() ? "" : " and key < " + sql_literal(cuts[part]));
}

std::string joined(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + column;
  return list;
}

Result<void> set_driver_clock(Lake& lake, Micros as_of, std::int64_t publish_seq) {
  return lake.run("delete from ops.driver_clock; insert into ops.driver_clock values (" + timestamp_literal(as_of) +
                  ", " + std::to_string(publish_seq) + ")");
}

/// How ops.touched names a group of a roll-up: by the model and the group.
std::string note_group_of(const Model& m, const std::string& groups, std::int64_t publish_seq) {
  return "insert into ops.touched select distinct " + sql_literal(m.name) + ", " + groups + ", null, null, " +
         std::to_string(publish_seq);
}

std::string delete_touched(const Model& m, const TouchedTable& touched) {
  if (m.within.empty())
    return "delete from " + m.table() + " where " + m.key + " in (select key from " + touched.name + ")";
  return "delete from " + m.table() + " using " + touched.name + " where " + in_span(m, touched);
}

}  // namespace

Result<Curator> Curator::load(const std::string& models_directory) {
  std::vector<Model> models = FF_TRY(load_models(models_directory));
  for (const Model& m : models)
    if (!m.is_view && m.touched != "all" &&
        (!is_sliced(m) || (kind_of(m) == drivers && m.touched != drivers) != !m.within.empty()))
      return Error{
          Recourse::halt, "model_meta",
          "model " + m.name + ": meta.touched is '" + m.touched +
              "'; it is shipments, drivers, driver_days, driver_times, hours, all, or {from, column}; all but 'all' "
              "have a key, and driver_days and driver_times a column 'within'"};
  return Curator(std::move(models));
}

Result<void> Curator::create(Lake& lake, Views views) {
  views_ = views;
  FF_TRY(create_gathered(lake));
  for (const Model& m : models_) {
    const std::string sql = render(m, models_, {});
    if (!is_table(m))
      FF_TRY(lake.run("create or replace view " + m.table() + " as " + sql));
    else
      FF_TRY(create_table(lake, m, sql));
    for (const GroupsFrom& g : m.groups)
      FF_TRY(lake.run("create or replace temp table touched_" + m.name + " as select " + g.column + " as key from " +
                      table_of(g.parent) + " limit 0"));
  }
  return {};
}

std::string Curator::table_of(const std::string& model) const {
  return std::find_if(models_.begin(), models_.end(), [&](const Model& m) { return m.name == model; })->table();
}

/// A model that came later than the lake has everything to do: noted before there is a table, or a kill in between would leave
/// an empty one.
Result<void> Curator::create_table(Lake& lake, const Model& m, const std::string& sql) const {
  const auto known = FF_TRY(lake.value(
      "select 1 from information_schema.tables where table_catalog = current_database() and table_schema = " +
      sql_literal(m.schema) + " and table_name = " + sql_literal(m.name)));
  if (known) return {};
  if (kind_of(m) == shipments && FF_TRY(lake.value("select 1 from ops.clock")))
    FF_TRY(
        lake.run("insert into ops.touched select 'shipment', shipment_id, null, null, 0 from (select shipment_id from "
                 "core.shipments union select shipment_id from core.shipment_events)"));
  for (const GroupsFrom& g : m.groups)
    FF_TRY(lake.run(note_group_of(m, g.column, 0) + " from " + table_of(g.parent) + " where " + g.column +
                    " is not null"));
  return lake.run("create table if not exists " + m.table() + " as select * from (" + sql + "\n) limit 0");
}

/// Groups of roll-ups that this cycle has touched, or found noted.
Result<void> Curator::note_waiting_groups(Lake& lake, std::int64_t publish_seq) const {
  for (const Model& m : models_)
    if (is_rollup(m)) FF_TRY(lake.run(note_group_of(m, "key", publish_seq) + " from " + touched_name(m)));
  return {};
}

Result<void> Curator::clear(Lake& lake) const {
  FF_TRY(clear_gathered(lake));
  for (const Model& m : models_)
    if (is_rollup(m)) FF_TRY(lake.run("delete from " + touched_name(m)));
  return {};
}

/// What was touched earlier and noted: all of it, or `which` says what.
Result<void> Curator::gather_waiting(Lake& lake, const std::string& which) const {
  FF_TRY(gather_noted(lake, which));
  for (const Model& m : models_)
    if (is_rollup(m))
      FF_TRY(lake.run("insert into " + touched_name(m) + " select distinct key from ops.touched where " + which +
                      " and kind = " + sql_literal(m.name)));
  return {};
}

/// Everything that a cycle recomputes, from what was noted and touched, and what the clock turned.
Result<void> Curator::gather(Lake& lake, const Cycle& cycle) const {
  FF_TRY(gather_turned(lake, cycle.previous_as_of, cycle.as_of));
  if (cycle.follow != Follow::all) return {};
  FF_TRY(gather_drivers(lake, cycle.as_of));
  return set_driver_clock(lake, cycle.as_of, cycle.publish_seq);
}

/// What a cycle has gathered is done with; what drivers wait for stays, once a driver, and once more if they are at it.
Result<void> Curator::forget_done(Lake& lake, Follow follow, std::int64_t drivers_begun) const {
  const std::string stays = follow == Follow::all
                                ? "false"
                                : "kind in ('driver', 'driver_row') and publish_seq > (select max(publish_seq) from "
                                  "ops.driver_clock)";
  // Replacing a table of an Iceberg catalog was not tried.
  if (views_ == Views::as_tables) return lake.run("delete from ops.touched where not (" + stays + ")");
  // Deleting millions of rows of a DuckDB file takes memory that cannot be spilled.
  return lake.run(
      "create or replace table ops.touched as select kind, key, min(from_at) as from_at, max(until_at) as until_at, "
      "max(publish_seq) as publish_seq from ops.touched where " +
      stays + " group by kind, key, publish_seq > " + std::to_string(drivers_begun));
}

/// The touched set of a model; null: nothing was touched.
Result<std::optional<TouchedTable>> Curator::touched_table(Lake& lake, const Model& m, const std::string& name) const {
  TouchedTable touched{name};
  if (has_spans(m)) {
    const Table span = FF_TRY(lake.query("select min(span_start), max(span_end) from " + name));
    if (!span.rows.front()[0]) return std::optional<TouchedTable>();
    touched.least_start = "timestamp " + sql_literal(*span.rows.front()[0]);
    touched.greatest_end = "timestamp " + sql_literal(*span.rows.front()[1]);
  } else if (!FF_TRY(lake.value("select 1 from " + name + " limit 1"))) {
    return std::optional<TouchedTable>();
  }
  return std::optional(std::move(touched));
}

/// The roll-ups whose groups are found among the rows of m, each with the column that says the group.
std::vector<std::pair<const Model*, std::string>> Curator::rollups_of(const Model& m) const {
  std::vector<std::pair<const Model*, std::string>> found;
  for (const Model& rollup : models_)
    for (const GroupsFrom& g : rollup.groups)
      if (g.parent == m.name) found.emplace_back(&rollup, g.column);
  return found;
}

/// The groups of roll-ups that `rows` of m belong to are touched.
Result<void> Curator::note_groups(Lake& lake, const Model& m, const std::string& rows) const {
  for (const auto& [rollup, column] : rollups_of(m))
    FF_TRY(lake.run("insert into " + touched_name(*rollup) + " select distinct " + column + " from " + rows +
                    " where " + column + " is not null"));
  return {};
}

/// Removes the rows of touched keys, all at once: finding them reads the keys of the whole table. Of the rows that leave,
/// temp.old_<model> keeps what is asked of them later.
Result<void> Curator::take_out(Lake& lake, const Model& m, const std::string& name) const {
  const auto touched = FF_TRY(touched_table(lake, m, name));
  if (!touched) return {};
  std::vector<std::string> asked;
  for (const auto& [rollup, column] : rollups_of(m)) asked.push_back(column);
  if (is_findings(m)) asked.insert(asked.end(), {m.key + " as key", "check_name", "subject", "anchor", "resolved_at"});
  if (!asked.empty())
    FF_TRY(lake.run("create or replace temp table " + old_name(m) + " as select distinct " + joined(asked) + " from " +
                    touched_of(m.table(), m, *touched)));
  FF_TRY(note_groups(lake, m, old_name(m)));
  return lake.run(delete_touched(m, *touched));
}

/// Whether someone asks for the rows just computed: the models behind, roll-ups, or the log of findings. What a temporary
/// table takes is free only when the transaction ends.
bool Curator::is_fresh_wanted(const Model& m) const {
  return kind_of(m) == shipments || is_findings(m) || !rollups_of(m).empty();
}

/// Computes the rows of touched keys, which were taken out, and puts them in.
Result<void> Curator::put_in(Lake& lake, const Model& m, const TouchedTable& touched, const Cycle& cycle) const {
  const std::string rows = touched_of("(" + render(m, models_, touched) + "\n)", m, touched);
  if (!is_fresh_wanted(m)) return lake.run("insert into " + m.table() + " from " + rows);
  const std::string fresh = fresh_name(m);
  FF_TRY(lake.run("create or replace temp table " + fresh + " as from " + rows));
  FF_TRY(lake.run("insert into " + m.table() + " from " + fresh));
  FF_TRY(note_groups(lake, m, fresh));
  return is_findings(m) ? log_findings(lake, m, touched, cycle) : Result<void>();
}

/// Compares the fresh rows with those that were taken out (S6.1: what was noticed, when).
Result<void> Curator::log_findings(Lake& lake, const Model& m, const TouchedTable& touched, const Cycle& cycle) const {
  return lake.run(
      "insert into ops.finding_log select coalesce(n.check_name, b.check_name), coalesce(n.subject, b.subject), "
      "coalesce(n.anchor, b.anchor), "
      "case when b.check_name is null then 'opened' when n.check_name is null then 'withdrawn' when n.resolved_at is "
      "null then 'reopened' else 'resolved' end, " +
      timestamp_literal(cycle.as_of) + ", " + std::to_string(cycle.publish_seq) + " from " + fresh_name(m) +
      " n full join (select * from " + old_name(m) + " where key in (select key from " + touched.name +
      ")) b on b.check_name = n.check_name and b.subject = n.subject "
      "and b.anchor = n.anchor "
      "where b.check_name is null or n.check_name is null or b.resolved_at is distinct from n.resolved_at");
}

Result<void> Curator::step(const std::string& name, const std::function<Result<void>()>& work) const {
  const auto start = std::chrono::steady_clock::now();
  FF_TRY(work());
  if (on_step)
    on_step(name,
            std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start).count());
  return {};
}

/// One model, for what is in its touched table.
Result<void> Curator::run(Lake& lake, const Model& m, const Cycle& cycle, InHand& in_hand) const {
  if (!is_sliced(m))
    return lake.run("delete from " + m.table() + "; insert into " + m.table() + " " + render(m, models_, {}));
  auto touched = FF_TRY(touched_table(lake, m, touched_name(m)));
  if (!touched) return {};
  touched->in_hand = in_hand;
  if (kind_of(m).empty()) FF_TRY(take_out(lake, m, touched->name));
  FF_TRY(put_in(lake, m, *touched, cycle));
  if (kind_of(m) != shipments) return lake.run("drop table if exists " + fresh_name(m));
  in_hand[m.table()] = fresh_name(m);  // The models behind it are asked about the same shipments.
  return {};
}

/// All models of one kind.
Result<void> Curator::run_kind(Lake& lake, std::string_view kind, const Cycle& cycle) const {
  for (const Model& m : models_)
    if (is_table(m) && kind_of(m) == kind)
      FF_TRY(step(m.name, [&] { return take_out(lake, m, "temp.all_" + m.touched); }));
  return run_parts(lake, kind, cycle);
}

/// How much there is to do for what was gathered: shipments, hours, or rows of ops.driver_work in the days of drivers, about.
Result<std::int64_t> Curator::size_of(Lake& lake, std::string_view kind) const {
  if (kind != drivers) return lake.integer("select count(*) from temp.all_" + std::string(kind));
  // Of all rows as many as these days are of all days; where the models are at it, their own rows are taken out.
  return lake.integer(
      "select case when keys > 0 then 1 + work * days // greatest(days + other_days, 1) else 0 end from "
      "(select count(*) as keys from temp.all_drivers), (select count(*) as work from ops.driver_work), "
      "(select coalesce(sum(last_date - first_date + 1), 0) as days from temp.all_driver_days), "
      "(select count(*) as other_days from curated.driver_utilization)");
}

/// All models of one kind, part by part, once the rows of all are taken out.
Result<void> Curator::run_parts(Lake& lake, std::string_view kind, const Cycle& cycle) const {
  std::vector<std::string> sets{std::string(kind)};
  if (kind == drivers) sets.insert(sets.end(), {"driver_days", "driver_times"});
  const std::int64_t size = FF_TRY(size_of(lake, kind));
  const auto at_once = kind == drivers ? driver_work_at_once : shipments_at_once;
  if (size == 0) return {};
  const std::vector<std::string> cuts = FF_TRY(cuts_of(lake, kind, (size + at_once - 1) / at_once));
  const auto of_part = [&](const std::string& set, std::size_t part) {
    return " from temp.all_" + set + " where " + in_part(cuts, part);
  };
  // What the next part needs is brought to hand while the lake works on this one.
  std::future<Result<AtHand>> next;
  const auto bring = [&](std::size_t part) -> Result<void> {
    if (kind != shipments || !cycle.shipments_of || part > cuts.size()) return {};
    std::vector<std::string> ids = FF_TRY(keys_of(lake, of_part(sets.front(), part)));
    next = std::async(std::launch::async, [&cycle, ids = std::move(ids)] { return cycle.shipments_of(ids); });
    return {};
  };
  FF_TRY(bring(0));
  Rows elsewhere("s");
  for (std::size_t part = 0; part <= cuts.size(); ++part) {
    for (const std::string& set : sets)
      FF_TRY(lake.run("create or replace temp table touched_" + set + " as select *" + of_part(set, part)));
    const AtHand at_hand = next.valid() ? FF_TRY(next.get()) : AtHand();
    FF_TRY(bring(part + 1));
    if (!at_hand.elsewhere.empty()) {
      Rows here("s");
      for (const std::string& id : at_hand.elsewhere) elsewhere.text(id), here.text(id);
      FF_TRY(lake.run_with("delete from temp.touched_shipments t using batch b where t.key = b.key", here, {"key"}));
    }
    FF_TRY(run_part(lake, kind, cycle, at_hand));
  }
  return elsewhere.empty() ? Result<void>() : run_elsewhere(lake, cycle, elsewhere);
}

/// All models of shipments, for those that nobody has at hand: each part reads all of the lake.
Result<void> Curator::run_elsewhere(Lake& lake, const Cycle& cycle, const Rows& ids) const {
  FF_TRY(lake.run("delete from temp.all_shipments"));
  FF_TRY(lake.insert("temp.all_shipments", ids));
  return run_parts(lake, shipments, {cycle.previous_as_of, cycle.as_of, cycle.publish_seq});
}

/// All models of one kind, for the keys in the touched tables.
Result<void> Curator::run_part(Lake& lake, std::string_view kind, const Cycle& cycle, const AtHand& at_hand) const {
  std::vector<std::unique_ptr<Lent>> lent;
  InHand in_hand;
  for (const CoreRows& core : at_hand.tables) {
    const Lent& loan = *lent.emplace_back(std::make_unique<Lent>(core.rows, core.columns));
    in_hand[core.table] = "(from staged(" + std::to_string(loan.id()) + "))";
  }
  for (const Model& m : models_)
    if (is_table(m) && kind_of(m) == kind) FF_TRY(step(m.name, [&] { return run(lake, m, cycle, in_hand); }));
  for (const Model& m : models_)
    if (in_hand.contains(m.table())) FF_TRY(lake.run("drop table " + fresh_name(m)));
  return {};
}

Result<void> Curator::publish(Lake& lake, const Touched& touched, Micros previous_as_of, Micros as_of,
                              std::int64_t publish_seq, const ShipmentsOf& shipments_of, Follow wanted,
                              std::int64_t drivers_begun) const {
  const Follow follow = previous_as_of == none ? Follow::all : wanted;
  FF_TRY(clear(lake));
  FF_TRY(gather_touched(lake, touched));
  if (FF_TRY(is_anything_noted(lake))) {
    FF_TRY(gather_waiting(lake, "true"));
    FF_TRY(forget_done(lake, follow, drivers_begun));
  }
  if (follow != Follow::all) FF_TRY(note_drivers(lake, touched, publish_seq));
  return run_models(lake, {previous_as_of, as_of, publish_seq, shipments_of, follow});
}

Result<Curator::DriverRound> Curator::begin_drivers(Lake& lake) {
  const Table at =
      FF_TRY(lake.query("select (select epoch_us(as_of) from ops.clock), coalesce((select min(publish_seq) - 1 from "
                        "ops.touched where kind = 'shipment'), (select max(publish_seq) from ops.commits))"));
  return DriverRound{to_integer(at.rows.front()[0], none), to_integer(at.rows.front()[1], 0)};
}

Result<Curator::DriverRound> Curator::publish_drivers(Lake& lake, DriverRound round) const {
  const DriverRound now = FF_TRY(begin_drivers(lake));
  const auto gather_waiting_drivers = [&]() -> Result<void> {
    FF_TRY(clear_gathered(lake));
    return gather_noted(lake, "kind in ('driver', 'driver_row')");
  };
  if (!round.cuts) {
    FF_TRY(gather_waiting_drivers());
    FF_TRY(gather_drivers(lake, now.as_of));
    const std::int64_t size = FF_TRY(size_of(lake, drivers));
    round.cuts = FF_TRY(cuts_of(lake, drivers, 1 + size / driver_work_at_once));
  }
  const std::string of_others = " where not (" + in_part(*round.cuts, round.next_part) + ")";
  FF_TRY(gather_waiting_drivers());
  FF_TRY(lake.run("delete from temp.known_drivers" + of_others));
  FF_TRY(step("(gather)", [&] { return gather_drivers(lake, now.as_of, of_others); }));
  ++round.next_part;
  if (round.is_over()) FF_TRY(set_driver_clock(lake, round.as_of, round.publish_seq));
  FF_TRY(run_kind(lake, drivers, {none, now.as_of, now.publish_seq}));
  return round;
}

std::map<std::string, Curator::Follow> Curator::followed_from() const {
  std::map<std::string, Follow> from;
  for (const Model& m : models_) {
    Follow& own = from[m.name] = kind_of(m) == drivers ? Follow::all
                                 : is_rollup(m)        ? Follow::rollups
                                                       : Follow::shipments;
    if (m.is_view)
      for (const std::string& ref : m.refs) own = std::max(own, from.at(ref));
  }
  return from;
}

Result<void> Curator::publish_listed(Lake& lake, Micros previous_as_of, Micros as_of, std::int64_t publish_seq) const {
  FF_TRY(clear(lake));
  FF_TRY(gather_waiting(lake, "publish_seq in (select publish_seq from temp.noted_commits)"));
  return run_models(lake, {previous_as_of, as_of, publish_seq});
}

Result<void> Curator::run_models(Lake& lake, const Cycle& cycle) const {
  FF_TRY(step("(gather)", [&] { return gather(lake, cycle); }));
  for (const std::string_view kind : {shipments, drivers, hours})
    if (kind != drivers || cycle.follow == Follow::all) FF_TRY(run_kind(lake, kind, cycle));
  if (cycle.follow == Follow::shipments) FF_TRY(note_waiting_groups(lake, cycle.publish_seq));
  InHand nothing;
  for (const Model& m : models_) {
    if (!is_table(m) || !kind_of(m).empty()) continue;
    if (is_rollup(m) && cycle.follow == Follow::shipments) continue;
    FF_TRY(step(m.name, [&] { return run(lake, m, cycle, nothing); }));
  }
  return {};
}

}  // namespace ff
