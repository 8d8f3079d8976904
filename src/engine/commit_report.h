/// What the engine did in one turn of its loop, told once after it: plain numbers, for whoever observes (src/ops turns them
/// into metrics and readiness). Counts are of this turn alone; the observer adds them up.
///
/// Always: told after the lake's commit has ended, one way or the other, and before the next begins. Without news a live
/// engine commits its clock, or tells `idle` if none of a shared lake's partitions is its own, every few seconds: silence
/// means trouble.
/// Thread: the engine's. Whoever observes must return at once.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "domain/fact.h"

namespace ff {

/// How often each latency occurred: a histogram that costs one addition per record.
struct LatencyCounts {
  /// Upper bounds in seconds, inclusive; what is longer counts in one bucket more. 180 s is the promise (S8).
  static constexpr std::array<double, 14> bounds_s = {0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 90, 120, 180, 600, 3600};

  std::array<std::int64_t, bounds_s.size() + 1> counts{};
  double sum_s = 0;

  void add(std::int64_t us, std::int64_t times = 1);
  std::int64_t total() const;
};

/// One feed's share of a turn.
struct FeedReport {
  std::string contract;                         ///< the contract's id; the label `source` of metrics
  std::int64_t accepted = 0;                    ///< facts that passed the door
  std::map<std::string, std::int64_t> refused;  ///< by ops.quarantine.reason
  std::int64_t duplicates = 0;                  ///< accepted facts that were known already
  std::int64_t late = 0;                        ///< accepted events beyond the contract's bound of lateness (S6.5)
  std::int64_t bytes = 0;                       ///< payload of its records
  Micros newest_ingest_time = none;             ///< of the records of this turn; `none`: there was none
  LatencyCounts
      latency;  ///< since ingest_time, of the facts that curated (in a shared lake: core) shows with this turn; not of `historical` feeds
};

/// What a source says of itself; see Source in source/source.h.
struct SourceReport {
  std::string name;  ///< of the configuration
  bool is_connected = true;
  std::string trouble;        ///< why it is not; for a person
  Micros heard_until = none;  ///< see Source::heard_until
};

struct CommitReport {
  enum class Result : std::uint8_t {
    ok,        ///< visible to readers
    idle,      ///< there was nothing to commit
    conflict,  ///< another writer won, nothing of ours is visible; the same facts come again
    unknown,   ///< it may have happened; the engine looks before it goes on
    failed,    ///< nothing is visible, and the engine stops unless the error is `retry`
  };
  Result result = Result::idle;
  std::int64_t publish_seq = 0;     ///< of the newest commit that is visible; 0: the lake is empty
  Micros as_of = none;              ///< of that commit
  Micros visible_until = none;      ///< everything heard of by then is visible in core; `none`: not known yet
  Micros curated_until = none;      ///< the same of curated, which may lag core by a cycle
  std::int64_t transaction_us = 0;  ///< from begin to the end of commit, wall clock; 0 iff idle
  std::map<std::string, std::int64_t> stage_us;  ///< CPU of this turn's stages, by the names of the profile
  std::vector<FeedReport> feeds;                 ///< those with a record, or a latency, in this turn
  std::vector<SourceReport> sources;             ///< all of them, at each turn

  // As things stand after this turn.
  std::vector<std::string> tables;        ///< what commits publish: `core.shipments`, `curated.shipment_sla`
  std::map<std::string, Micros> lagging;  ///< `curated_until` of those of curated that may lag the others by some more
  std::int64_t inflight_bytes = 0;        ///< decoded and not yet committed
  std::int64_t backpressure_us = 0;       ///< of this turn: how long sources waited because the engine was busy
  std::int64_t quarantine_records = 0;    ///< in ops.quarantine
  std::int64_t state_bytes = 0;           ///< keyed state, on disk and in memory tables
};

using CommitObserver = std::function<void(const CommitReport&)>;

constexpr std::string_view name(CommitReport::Result r) {
  constexpr std::string_view names[] = {"ok", "idle", "conflict", "unknown", "failed"};
  return names[static_cast<int>(r)];
}

}  // namespace ff
