#include "engine/history.h"

#include <algorithm>
#include <limits>
#include <map>

#include "base/hash.h"
#include "base/integer.h"
#include "base/time.h"
#include "curate/touched.h"
#include "engine/raw_reader.h"
#include "lake/schema.h"

namespace ff {

std::string zone_of(const std::string& wanted, const ContractSet& contracts) {
  if (!wanted.empty()) return wanted;
  for (const Contract& c : contracts)
    if (!c.reporting_zone.empty()) return c.reporting_zone;
  return "UTC";
}

std::string generation_of(const ContractSet& contracts, const std::string& zone_name, const PseudonymKey& key) {
  return hex(hash128(contracts.content_hash() + '\x1f' + zone_name + '\x1f' + key.key_id()));
}

Result<void> prepare_lake(Lake& lake, const ContractSet& contracts, const std::string& home,
                          const std::string& zone_name, const std::string& generation, const std::string& directory) {
  FF_TRY(create_tables(lake));
  const auto made_with = FF_TRY(lake.value("select max(generation) from ops.commits"));
  if (made_with && *made_with != generation)
    return Error{Recourse::halt, "generation_changed",
                 "the lake " + directory +
                     " was made with other contracts, another reporting zone or another pseudonym key; use a new "
                     "--lake and read the sources again"};
  FF_TRY(load_reference(lake, home + "/reference", zone_name));
  for (const Contract& c : contracts)
    for (const SlaPolicy& p : c.sla_policies) {
      Rows row("siiiiii");
      row.text(p.service_level)
          .integer(p.pickup_within_h)
          .integer(p.delivery_within_h)
          .integer(p.grace_min)
          .integer(p.early_window_min)
          .integer(p.risk_window_min)
          .integer(p.stalled_after_h);
      FF_TRY(lake.insert("ops.sla_policy", row));
    }
  Rows feeds("siii");
  for (const Contract& c : contracts)
    feeds.text(c.id).integer(c.silent_after_min).integer(c.records_per_day_min).integer(c.records_per_day_max);
  FF_TRY(lake.run("delete from ops.feeds"));
  return lake.insert("ops.feeds", feeds);
}

Result<History> load_history(Lake& lake, Store& store, const std::string& generation, Partitions& partitions,
                             Stager& stager) {
  History h;
  h.generation = generation;
  h.publish_seq = FF_TRY(lake.integer("select max(publish_seq) from ops.commits"));
  h.epoch = FF_TRY(lake.integer("select max(epoch) from ops.commits")) + 1;
  h.as_of = FF_TRY(lake.integer("select epoch_us(max(as_of)) from ops.commits", none));
  h.curated_as_of = FF_TRY(lake.integer("select epoch_us(as_of) from ops.clock", none));
  h.is_curated = !FF_TRY(is_anything_noted(lake));
  const Table marks = FF_TRY(lake.query("select partition, position, resume from ops.marks"));
  for (const auto& row : marks.rows) stager.marks[*row[0]] = {to_integer(row[1]), row[2].value_or("")};
  const Table drifts =
      FF_TRY(lake.query("select contract || chr(31) || field, epoch_us(first_ingest_time) from ops.schema_drift"));
  for (const auto& row : drifts.rows) stager.drifts[*row[0]] = to_integer(row[1]);

  const std::string state_generation = FF_TRY(store.get(generation_key));
  if (!state_generation.empty() && state_generation != generation)
    return Error{Recourse::halt, "generation_changed",
                 "the keyed state of this lake belongs to other contracts; remove its folder state/, it is rebuilt"};
  for (const auto& [k, name] : FF_TRY(store.scan(partition_prefix)))
    partitions.restore(static_cast<std::uint32_t>(std::stoul(k.substr(std::string_view(partition_prefix).size()))),
                       name);
  for (const auto& [k, position] : FF_TRY(store.scan(mark_prefix))) {
    const std::string name = k.substr(std::string_view(mark_prefix).size());
    const std::int64_t mark = stager.state_marks[name] = to_integer(position);
    if (const auto known = stager.marks.find(name); known == stager.marks.end() || known->second.position < mark)
      return Error{Recourse::halt, "state_ahead",
                   "the keyed state knows more of " + name +
                       " than the lake does: it belongs to another lake; remove the folder state, it is rebuilt"};
  }
  return h;
}

Result<Mark> read_mark(Lake& lake, const std::string& partition) {
  const Table table = FF_TRY(
      lake.query("select max(position), max(resume) from ops.marks where partition = " + sql_literal(partition)));
  return Mark{to_integer(table.rows[0][0]), table.rows[0][1].value_or("")};
}

namespace {
constexpr std::int64_t rows_at_once = 100'000;

std::vector<Stretch> lacking_stretches(Stager& stager) {
  std::vector<Stretch> out;
  for (const auto& [name, mark] : stager.marks)
    if (const std::int64_t after = stager.state_marks[name]; after < mark.position)
      out.push_back({name, after, mark.position});
  return out;
}

}  // namespace

Result<std::int64_t> catch_up_state(Lake& lake, Store& store, const ContractSet& contracts, const PseudonymKey& key,
                                    Partitions& partitions, Stager& stager, const History& history) {
  const std::vector<Stretch> stretches = lacking_stretches(stager);
  if (stretches.empty()) return std::int64_t{0};
  const auto fold = [&](std::vector<SourceBatch> batches, Micros as_of) -> Result<void> {
    Pending pending;
    pending.batches = std::move(batches);
    Commit commit;
    commit.publish_seq = history.publish_seq;
    commit.as_of = history.as_of;
    FF_TRY(stager.stage_again(pending, commit));
    commit.staging.state.emplace_back(generation_key, history.generation);
    store.stage(std::move(commit.staging.state));
    return store.write_staged(as_of);
  };
  std::int64_t replayed = 0;
  RawReader reader(lake, contracts, key, partitions);
  const std::int64_t rows = FF_TRY(reader.gather(stretches));
  for (std::int64_t first = 0; first < rows; first += rows_at_once) {
    std::vector<SourceBatch> batches = FF_TRY(reader.read_gathered(first, rows_at_once));
    for (SourceBatch& b : batches) {
      replayed += static_cast<std::int64_t>(b.batch.records.size());
      b.last_position = 0;  // The marks move at the end; until then it is all read again, which changes nothing.
    }
    FF_TRY(fold(std::move(batches), none));  // Nothing expires yet: what is old is just being told.
  }
  FF_TRY(reader.drop_gathered());
  std::vector<SourceBatch> ends;
  for (const Stretch& s : stretches) {
    SourceBatch& end = ends.emplace_back();
    end.partition = partitions.id_of(s.partition);
    end.last_position = s.to;
  }
  FF_TRY(fold(std::move(ends), history.curated_as_of));
  return replayed;
}

}  // namespace ff
