/// Makes CommitReports: keeps what has to be remembered from turn to turn (which facts wait for curated, how many records
/// are in quarantine) and tells the observer. The thread that drives the engine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "contract/contract.h"
#include "engine/commit.h"
#include "engine/commit_report.h"
#include "lake/lake.h"

namespace ff {

class TurnReporter {
 public:
  /// Without an observer nothing is asked and nothing kept. In a shared lake another may curate, so latencies end at core.
  Result<void> start(CommitObserver observer, const ContractSet& contracts, Lake& lake,
                     const std::map<std::string, Curator::Follow>& followed_from, bool is_shared);

  /// How long things took in this turn, and how things stand.
  struct Turn {
    std::map<std::string, std::int64_t> stage_us;
    std::int64_t transaction_us = 0, backpressure_us = 0, inflight_bytes = 0, state_bytes = 0;
    Micros caught_up_at = none;  ///< everything heard of by then is in this commit or one before; `none`: more waits
    std::vector<SourceReport> sources;
  };
  /// `error`: why the commit failed; null: it did not.
  void tell(Commit& commit, const Error* error, Turn turn);
  /// What tables of drivers show since a moment ago; the next tell() says it.
  void drivers_followed(Micros until);
  Micros curated_until() const { return last_.curated_until; }
  /// The engine is well and has nothing to commit: none of the shared lake's partitions is its own just now.
  void tell_idle();

 private:
  CommitObserver observer_;
  const ContractSet* contracts_ = nullptr;
  bool is_shared_ = false;
  CommitReport last_;
  std::map<std::string, Curator::Follow> followed_from_;  ///< by table: those of curated that may wait
  TurnCounts waiting_;                                    ///< in core, not yet in curated
};

}  // namespace ff
