/// Whether the service can do its work now, and if not, why: the answer of /readyz.
///
/// Ready: the lake is open, every source is connected, and the engine's last turn (a commit, or a look at its sources that
/// found nothing) is not older than the limit. Not ready is no reason to kill the process: it may be reconnecting.
/// Threads: any.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "engine/commit_report.h"

namespace ff::ops {

struct Readiness {
  struct Obstacle {
    std::string what;  ///< stable word: lake_not_open, source_not_connected, commit_failed, commit_too_old
    std::string why;   ///< for a person: names the thing and the knob
  };
  std::vector<Obstacle> obstacles;  ///< none: ready
  std::int64_t publish_seq = 0;
  Micros last_turn = none;

  std::string json() const;
};

class Health {
 public:
  explicit Health(std::chrono::seconds commit_age_max) : commit_age_max_(commit_age_max) {}

  /// From here on a turn is due within the limit.
  void lake_opened(Micros now);
  /// `now`: wall clock at the end of the turn.
  void observe(const CommitReport& report, Micros now);
  Readiness readiness(Micros now) const;

 private:
  const std::chrono::seconds commit_age_max_;
  mutable std::mutex mutex_;      ///< of the following
  Micros last_good_turn_ = none;  ///< `none` iff the lake is not open
  CommitReport last_;
};

}  // namespace ff::ops
