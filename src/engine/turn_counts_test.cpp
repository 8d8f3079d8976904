#include "engine/turn_counts.h"

#include <gtest/gtest.h>

#include "decode/decode_testing.h"

namespace ff {
namespace {

using namespace ff::testing;

const Micros heard = *parse_rfc3339("2026-03-02T08:00:00Z");

Decoded event(std::int64_t heard_after_s) {
  Decoded out;
  Fact& fact = out.what.emplace<Fact>();
  fact.body = ShipmentEventFact{.event_time = heard};
  fact.from = {0, 0, 1, heard + heard_after_s * us_per_second};
  out.payload = "{}";
  return out;
}

Decoded refusal(const char* reason) {
  Decoded out;
  out.what = Refusal{.from = {0, 0, 1, heard}, .reason = reason};
  return out;
}

TEST(TurnCounts, CountWhatPassesTheDoorAndWhatDoesNot) {
  TurnCounts counts;
  const std::int64_t bound = native("events").late_after_s;
  for (const Decoded& record : {event(0), event(bound), event(bound + 1), refusal("malformed_record")})
    counts.add(record, native("events"));
  counts.add_duplicates({{0, 1}});
  const FeedReport& feed = counts.feeds.at(0);
  EXPECT_EQ(feed.accepted, 3);
  EXPECT_EQ(feed.late, 1);
  EXPECT_EQ(feed.duplicates, 1);
  EXPECT_EQ(feed.refused.at("malformed_record"), 1);
  EXPECT_EQ(feed.bytes, 6);
  EXPECT_EQ(feed.newest_ingest_time, heard + (bound + 1) * us_per_second);
}

TEST(TurnCounts, LatencyEndsWhenCuratedShowsIt) {
  TurnCounts waiting, first, second;
  first.add(event(0), native("events"));
  second.add(event(10), native("events"));
  waiting.wait_with(std::move(first));
  waiting.wait_with(std::move(second));
  const auto latency = waiting.visible_at(heard + 12 * us_per_second);
  EXPECT_EQ(latency.at(0).total(), 2);
  EXPECT_DOUBLE_EQ(latency.at(0).sum_s, 12 + 2);
  EXPECT_TRUE(waiting.visible_at(heard).empty());
}

TEST(TurnCounts, AFeedOfOldRecordsHasNoLatency) {
  Contract old = native("events");
  old.historical = true;
  old.late_after_s = none;
  TurnCounts counts;
  counts.add(event(100'000), old);
  EXPECT_EQ(counts.feeds.at(0).accepted, 1);
  EXPECT_EQ(counts.feeds.at(0).late, 0);
  EXPECT_TRUE(counts.visible_at(heard).empty());
}

}  // namespace
}  // namespace ff
