#include "engine/stager.h"

#include <algorithm>

#include "engine/publisher.h"

namespace ff {

void Stager::Facts::add(Fact& fact) {
  switch (fact.type()) {
    case FactType::driver:
      drivers.push_back(&fact);
      break;
    case FactType::gps_location:
      pings.push_back(&fact);
      break;
    default:
      shipments.push_back(&fact);
  }
}

void Stager::stage_record(const Decoded& d, Commit& commit) {
  const Provenance& from = d.from();
  const Contract& contract = names_.contracts[from.feed];
  commit.counts.add(d, contract);
  const Refusal* const refusal = d.refusal();
  const int type = !refusal                  ? static_cast<int>(d.fact()->type())
                   : refusal->fact_type >= 0 ? refusal->fact_type
                                             : static_cast<int>(contract.mappings.front().fact);
  commit.staging.raw[type]
      .inserts.text(contract.id)
      .text(names_.partitions[from.partition])
      .integer(from.position)
      .integer(from.ingest_time)
      .text(contract.id)
      .text(contract.version)
      .text_or_null(d.subject())
      .text_or_null(refusal ? refusal->reason : std::string_view())
      .text(d.payload)
      .text_or_null(d.headers);
  if (!refusal) {
    commit.as_of = std::max(commit.as_of, from.ingest_time);
    return;
  }
  ++commit.refused;
  Rows& q = commit.staging.quarantine.inserts;
  q.text(contract.id)
      .text(names_.partitions[from.partition])
      .integer(from.position)
      .integer(from.ingest_time)
      .text(contract.id)
      .text(contract.version)
      .text_or_null(refusal->fact_type >= 0 ? fact_name(static_cast<FactType>(refusal->fact_type)) : std::string_view())
      .text_or_null(refusal->subject)
      .text(refusal->reason)
      .text_or_null(refusal->field)
      .text_or_null(refusal->detail)
      .text_or_null(refusal->raw)
      .text(refusal->content_hash);
}

void Stager::stage_drift(const SourceBatch& batch, Staging& staging) {
  for (const Drift& drift : batch.batch.drifts) {
    const std::string& contract = names_.contracts[drift.from.feed].id;  // A batch may hold records of several feeds.
    const auto [known, is_new] = drifts.emplace(contract + '\x1f' + drift.field, drift.from.ingest_time);
    if (!is_new && known->second <= drift.from.ingest_time) continue;
    known->second = drift.from.ingest_time;
    staging.drift.deletes.text(contract).text(drift.field);
    staging.drift.inserts.text(contract)
        .text(drift.field)
        .integer(drift.from.ingest_time)
        .text(contract)
        .text(names_.partitions[drift.from.partition])
        .integer(drift.from.position);
  }
}

Result<void> Stager::fold(const Facts& facts, Commit& commit) {
  const Recall recall = [this](auto types, auto keys) {
    auto found = recall_(types, keys);
    names_.partitions = partitions_.names();  // It may come from partitions that this run has not read.
    return found;
  };
  const FoldContext context{store_, names_, zone_, recall, hot_for_, commit.publish_seq, commit.as_of};
  {
    const StageClock clock(on_stage, "fold shipments");
    FF_TRY(stage_shipments(context, facts.shipments, commit.staging));
  }
  const StageClock clock(on_stage, "fold drivers and pings");
  FF_TRY(stage_drivers(context, facts.drivers, commit.staging));
  FF_TRY(stage_pings(context, facts.pings, commit.staging));
  commit.counts.add_duplicates(commit.staging.duplicates);
  return {};
}

void Stager::stage_state_marks(Commit& commit) {
  for (const Reached& r : commit.reached) {
    std::int64_t& mark = state_marks[r.name];
    mark = std::max(mark, r.mark.position);
    commit.staging.state.emplace_back(partition_prefix + std::to_string(r.partition), r.name);
    commit.staging.state.emplace_back(mark_prefix + r.name, std::to_string(mark));
  }
}

Result<void> Stager::stage(Pending& pending, Commit& commit) {
  names_.partitions = partitions_.names();
  commit.as_of = std::max(commit.as_of, commit.previous_as_of);
  Facts facts;
  std::map<std::uint32_t, Reached> reached;
  {
    const StageClock clock(on_stage, "stage raw");
    for (SourceBatch& batch : pending.batches) {
      const std::string& name = names_.partitions[batch.partition];
      Mark& mark = marks[name];
      Reached& r =
          reached.try_emplace(batch.partition, Reached{batch.feed, batch.partition, name, mark.position}).first->second;
      for (Decoded& d : batch.batch.records) {
        if (d.from().position <= mark.position) continue;
        ++commit.records;
        stage_record(d, commit);
        if (d.fact()) facts.add(*d.fact());
      }
      stage_drift(batch, commit.staging);
      if (batch.last_position >= mark.position) mark = {batch.last_position, batch.resume};  // A mark never goes back.
      r.feed = batch.feed;
      r.mark = mark;
      r.file_done |= batch.file_done;
    }
  }
  for (auto& [partition, r] : reached) commit.reached.push_back(std::move(r));
  FF_TRY(fold(facts, commit));
  stage_state_marks(commit);
  return {};
}

Result<void> Stager::stage_again(Pending& pending, Commit& commit) {
  names_.partitions = partitions_.names();
  Facts facts;
  for (SourceBatch& batch : pending.batches) {
    for (Decoded& d : batch.batch.records)
      if (d.fact()) facts.add(*d.fact());
    commit.reached.push_back(
        {batch.feed, batch.partition, names_.partitions[batch.partition], 0, 0, {batch.last_position, {}}, false});
  }
  FF_TRY(fold(facts, commit));
  stage_state_marks(commit);
  return {};
}

}  // namespace ff
