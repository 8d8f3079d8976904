/// One commit on its way: what a stretch of records changes, and how far its partitions are then. Staged by one thread,
/// published by another; nobody changes it in between.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "curate/curator.h"
#include "engine/staging.h"
#include "engine/turn_counts.h"
#include "source/source.h"

namespace ff {

/// How far a partition is with a commit.
struct Reached {
  std::uint32_t feed = 0, partition = 0;
  std::string name;         ///< of the partition
  std::int64_t before = 0;  ///< the position that the lake must have it at until this commit
  std::int64_t epoch = 0;   ///< under which it is ours
  Mark mark;
  bool file_done = false;
};

struct Commit {
  std::int64_t publish_seq = 0, epoch = 0;
  Micros previous_as_of = none, as_of = none;
  /// Which curated tables follow in this commit; null: none, what was touched is kept for a later one.
  std::optional<Curator::Follow> follow = Curator::Follow::all;
  std::int64_t drivers_begun = 0;  ///< the commit whose snapshot drivers on their own took last
  Micros curated_as_of = none;     ///< the as_of of the cycle before
  std::int64_t records = 0, refused = 0;
  std::vector<Reached> reached;  ///< one a partition
  Staging staging;
  TurnCounts counts;
};

}  // namespace ff
