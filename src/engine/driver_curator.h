/// The models of drivers beside the engine's commits: a transaction of their own, on a connection and a thread of their own,
/// so that what a driver's whole day costs keeps nobody waiting.
///
/// It begins when a cycle that let drivers wait is committed, with the very snapshot that this left, and what it makes is
/// right as of that cycle's clock. Meanwhile the engine's cycles let drivers wait: nobody else writes what it writes, and it
/// writes nothing that they do (ops.finding_log, where both append, takes it). How far they are says
/// ops.driver_clock; what is done is crossed off ops.touched by the engine's next cycle.
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

  /// Starts a cycle. No commit is under way, the newest one was a publish() that let drivers wait, and no cycle is_started().
  Result<void> start();
  bool is_started() const { return under_way_.valid(); }

  struct Done {
    std::chrono::steady_clock::duration took;
    std::map<std::string, std::int64_t> step_us;  ///< wall-clock time by model
  };
  /// What the cycle came to, once; nothing while it goes on, or if none was started.
  Result<std::optional<Done>> take();
  /// Breaks off what is under way; drivers go on waiting.
  void stop();

 private:
  DriverCurator(std::unique_ptr<Lake> lake, Curator curator) : lake_(std::move(lake)), curator_(std::move(curator)) {}
  Result<Done> cycle();

  std::unique_ptr<Lake> lake_;
  Curator curator_;
  std::map<std::string, std::int64_t> step_us_;
  std::future<Result<Done>> under_way_;
};

}  // namespace ff
