/// Which partitions of a shared lake are this worker's: taken over, held, given up.
///
/// Several workers, members of one consumer group, write into one lake. Who takes a partition over writes a greater epoch
/// to its mark; from then on no commit of an earlier owner passes (see Publisher). What it had before keeps the epoch it has.
/// A partition is given up once nothing of it is on its way any more, so that its next owner begins at a mark that stays.
/// What the group believes meanwhile does not matter: an owner that it has given up for dead is stopped by the epoch.
///
/// Threads: `take` and `give_up` by the source's, the rest by the engine's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/turn.h"
#include "lake/lake.h"
#include "source/source.h"

namespace ff {

/// In a transaction that is open, in a turn of ours: an epoch greater than all before it, whose owner alone has it once the transaction is
/// committed. Commits of its owner have the numbers (epoch << 32) + n.
Result<std::int64_t> draw_epoch(Lake& lake, const std::string& generation);

constexpr std::int64_t first_publish_seq(std::int64_t epoch) { return epoch << 32; }

class Shards {
 public:
  struct Held {
    std::int64_t epoch = 0;
    Mark mark;  ///< at the takeover
  };
  using HeldByName = std::map<std::string, Held>;

  /// `lake`: a connection of its own; so is that of `turn`.
  Shards(std::unique_ptr<Lake> lake, std::unique_ptr<Turn> turn, std::string generation)
      : lake_(std::move(lake)), turn_(std::move(turn)), generation_(std::move(generation)) {}

  /// Writes a new epoch to their marks. Errors: those of the lake.
  Result<void> take(const std::vector<std::string>& partitions);
  /// Returns when the engine has let go of them, or is closed.
  void give_up(const std::vector<std::string>& partitions);

  /// Somebody waits in give_up: finish what is under way, drop the rest, then let_go().
  bool is_giving_up() const;
  void let_go();
  /// What was taken since the last call.
  HeldByName taken();
  bool holds(const std::string& partition) const;
  /// The engine reads no more: give_up does not wait for it.
  void close();

 private:
  const std::unique_ptr<Lake> lake_;
  const std::unique_ptr<Turn> turn_;
  const std::string generation_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  HeldByName held_, taken_;
  std::vector<std::string> going_;
  bool is_closed_ = false;
};

}  // namespace ff
