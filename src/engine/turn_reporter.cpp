#include "engine/turn_reporter.h"

#include "base/time.h"

namespace ff {
namespace {

CommitReport::Result result_of(const Error* error) {
  if (!error) return CommitReport::Result::ok;
  if (error->recourse == Recourse::reconcile) return CommitReport::Result::unknown;
  const bool another_won = error->cause == "commit_conflict" || error->cause == "partition_moved" ||
                           (error->cause == "fenced" && error->recourse == Recourse::retry);
  return another_won ? CommitReport::Result::conflict : CommitReport::Result::failed;
}

}  // namespace

Result<void> TurnReporter::start(CommitObserver observer, const ContractSet& contracts, Lake& lake,
                                 const std::map<std::string, Curator::Follow>& followed_from, bool is_shared) {
  is_shared_ = is_shared;
  observer_ = std::move(observer);
  contracts_ = &contracts;
  if (!observer_) return {};
  const Table tables =
      FF_TRY(lake.query("select table_schema || '.' || table_name from information_schema.tables where table_catalog = "
                        "current_database() and table_schema in ('core', 'curated') order by 1"));
  for (const auto& row : tables.rows) last_.tables.push_back(*row[0]);
  for (const auto& [model, from] : followed_from)
    if (from != Curator::Follow::shipments) followed_from_["curated." + model] = from;
  for (const auto& [table, from] : followed_from_) last_.lagging[table] = none;
  last_.quarantine_records = FF_TRY(lake.integer("select count(*) from ops.quarantine"));
  return {};
}

void TurnReporter::tell(Commit& commit, const Error* error, Turn turn) {
  if (!observer_) return;
  CommitReport& r = last_;
  r.result = result_of(error);
  r.transaction_us = turn.transaction_us;
  r.stage_us = std::move(turn.stage_us);
  r.backpressure_us = turn.backpressure_us;
  r.inflight_bytes = turn.inflight_bytes;
  r.state_bytes = turn.state_bytes;
  r.sources = std::move(turn.sources);
  r.feeds.clear();
  if (!error) {
    r.publish_seq = commit.publish_seq;
    r.as_of = commit.as_of;
    r.quarantine_records += static_cast<std::int64_t>(commit.staging.quarantine.inserts.size());
    if (turn.caught_up_at != none) r.visible_until = turn.caught_up_at;
    auto feeds = std::move(commit.counts.feeds);
    waiting_.wait_with(std::move(commit.counts));
    if (commit.follow) {
      r.curated_until = r.visible_until;
      for (const auto& [table, from] : followed_from_)
        if (*commit.follow >= from) r.lagging[table] = r.visible_until;
    }
    if (commit.follow || is_shared_)
      for (const auto& [feed, latency] : waiting_.visible_at(now_micros())) feeds[feed].latency = latency;
    for (auto& [feed, report] : feeds) {
      report.contract = (*contracts_)[feed].id;
      r.feeds.push_back(std::move(report));
    }
  }
  observer_(r);
}

void TurnReporter::drivers_followed(Micros until) {
  for (const auto& [table, from] : followed_from_)
    if (from == Curator::Follow::all) last_.lagging[table] = until;
}

void TurnReporter::tell_idle() {
  if (!observer_) return;
  last_.result = CommitReport::Result::idle;
  last_.transaction_us = last_.backpressure_us = last_.inflight_bytes = 0;
  last_.stage_us.clear();
  last_.feeds.clear();
  observer_(last_);
}

}  // namespace ff
