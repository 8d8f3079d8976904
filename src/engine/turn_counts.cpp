#include "engine/turn_counts.h"

#include <algorithm>

#include "base/time.h"

namespace ff {
namespace {
constexpr std::int64_t latency_grain_us = us_per_second / 10;
}

void TurnCounts::add(const Decoded& record, const Contract& contract) {
  const Fact* const fact = record.fact();
  const Provenance& from = record.from();
  FeedReport& feed = feeds[from.feed];
  feed.bytes += static_cast<std::int64_t>(record.payload.size());
  feed.newest_ingest_time =
      feed.newest_ingest_time == none ? from.ingest_time : std::max(feed.newest_ingest_time, from.ingest_time);
  if (!fact) {
    ++feed.refused[record.refusal()->reason];
    return;
  }
  ++feed.accepted;
  if (contract.historical) return;
  ++ingest_times[from.feed][from.ingest_time / latency_grain_us * latency_grain_us];
  const auto* event = std::get_if<ShipmentEventFact>(&fact->body);
  if (event && from.ingest_time - event->event_time > contract.late_after_s * us_per_second) ++feed.late;
}

void TurnCounts::add_duplicates(const std::map<std::uint32_t, std::int64_t>& of_feeds) {
  for (const auto& [feed, n] : of_feeds) feeds[feed].duplicates += n;
}

void TurnCounts::wait_with(TurnCounts&& later) {
  for (auto& [feed, times] : later.ingest_times)
    for (const auto& [time, n] : times) ingest_times[feed][time] += n;
}

std::map<std::uint32_t, LatencyCounts> TurnCounts::visible_at(Micros now) {
  std::map<std::uint32_t, LatencyCounts> out;
  for (const auto& [feed, times] : ingest_times)
    for (const auto& [time, n] : times) out[feed].add(std::max<std::int64_t>(now - time, 0), n);
  ingest_times.clear();
  return out;
}

}  // namespace ff
