/// Turns in a lake that several processes write to: one transaction at a time.
///
/// All commits write ops.marks and ops.commits, so of two that overlap one would be refused, with all that it has written.
/// And not every catalog makes a commit of many tables at once: SeaweedFS 4.48, when two requests meet, refuses one after
/// some of its tables were changed. So whoever wants to commit first takes the row 'turn' of ops.leases, a change of one
/// table, which every catalog makes or refuses as a whole; nothing else writes ops.leases together with another table.
///
/// A turn ends by itself after a while, so that a process that died stops nobody for long. It makes commits cheap, and does
/// not make them right: who oversleeps its turn is refused by the catalog, since others have committed, and by the epochs of
/// ops.marks.
/// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "lake/lake.h"

namespace ff {

/// Runs `attempt`, a whole transaction from begin to commit, until no other process wins against it, with pauses that grow.
/// One of unknown outcome is run again too: `attempt` reads anew what is there, and whatever the lost one wrote, or the
/// catalog refuses it. Other errors are the caller's; nothing is open then.
Result<void> until_no_conflict(Lake& lake, const std::function<Result<void>()>& attempt);

class Turn {
 public:
  /// `lake`: a connection of its own.
  explicit Turn(std::unique_ptr<Lake> lake);

  /// As until_no_conflict, and each attempt is made in a turn of ours.
  Result<void> run(Lake& lake, const std::function<Result<void>()>& attempt);

  /// Waits until it is our turn. Errors: those of the lake.
  Result<void> take();
  /// Nothing happens if it is not our turn.
  Result<void> give_back();

 private:
  Result<bool> try_to_take();

  std::unique_ptr<Lake> lake_;
  const std::int64_t owner_;  ///< stands for the epoch in ops.leases; by chance, and no other's
  std::chrono::steady_clock::duration lasts_;
  std::chrono::steady_clock::time_point taken_at_;
};

}  // namespace ff
