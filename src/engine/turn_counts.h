/// What a commit takes, feed by feed, counted while it is staged.
#pragma once

#include <map>

#include "contract/contract.h"
#include "decode/decoder.h"
#include "engine/commit_report.h"

namespace ff {

struct TurnCounts {
  std::map<std::uint32_t, FeedReport> feeds;  ///< without name and latency
  /// When the accepted facts of a feed were heard of, to a tenth of a second; none of `historical` feeds.
  std::map<std::uint32_t, std::map<Micros, std::int64_t>> ingest_times;

  void add(const Decoded& record, const Contract& contract);
  void add_duplicates(const std::map<std::uint32_t, std::int64_t>& of_feeds);

  /// Moves the ingest times of `later` here: all of it becomes visible in curated at once.
  void wait_with(TurnCounts&& later);
  /// The latencies of all that waited, by feed; nothing waits then.
  std::map<std::uint32_t, LatencyCounts> visible_at(Micros now);
};

}  // namespace ff
