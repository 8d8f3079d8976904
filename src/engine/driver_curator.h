/// The models of drivers beside the engine's commits, in transactions of their own, on a connection and a thread of their own,
/// so that what a driver's whole day costs keeps nobody waiting.
///
/// A round brings all drivers that wait to where the lake was when it began, or further, part by part (Curator::DriverRound).
/// Meanwhile the engine's cycles let drivers wait: nobody else writes what a part writes, and it writes nothing that they do
/// (ops.finding_log, where both append, takes it). How far rounds have come says ops.driver_clock; what is done is crossed
/// off ops.touched by the engine's next cycle. A round that is broken off is done anew, which changes nothing twice.
/// Threads: all is called by the engine's.
#pragma once

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "curate/curator.h"
#include "lake/lake.h"

namespace ff {

class DriverCurator {
 public:
  /// `lake` is a connection of its own, of a file that is nobody else's.
  static Result<std::unique_ptr<DriverCurator>> open(std::unique_ptr<Lake> lake, Curator curator);
  /// stop().
  ~DriverCurator();

  /// Starts the next part of the round, or a new round. No part is_under_way().
  Result<void> start();
  bool is_under_way() const { return under_way_.valid(); }
  bool is_in_round() const { return is_under_way() || !round_.is_over(); }
  /// The commit that the last round began behind; 0: there was none.
  std::int64_t begun() const { return round_.publish_seq; }

  struct Done {
    Curator::DriverRound round;
    std::chrono::steady_clock::duration took;
    std::map<std::string, std::int64_t> step_us;  ///< wall-clock time by model
  };
  /// What a part came to, once; nothing while it goes on, or if none was started.
  Result<std::optional<Done>> take();
  /// Breaks off what is under way; drivers go on waiting.
  void stop();

 private:
  DriverCurator(std::unique_ptr<Lake> lake, Curator curator) : lake_(std::move(lake)), curator_(std::move(curator)) {}
  Result<Done> publish_part(Curator::DriverRound round);

  std::unique_ptr<Lake> lake_;
  Curator curator_;
  Curator::DriverRound round_;
  std::map<std::string, std::int64_t> step_us_;
  std::future<Result<Done>> under_way_;
};

}  // namespace ff
