#include "engine/turn_counts.h"

#include <gtest/gtest.h>

#include "decode/decode_testing.h"

namespace ff {
namespace {

using namespace ff::testing;

const Micros heard = *parse_rfc3339("2026-03-02T08:00:00Z");

SourceBatch batch_of(std::vector<Decoded> records) {
  SourceBatch batch;
  batch.batch.records = std::move(records);
  return batch;
}

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
  const ContractSet contracts({native("events")});
  TurnCounts counts;
  const std::int64_t bound = native("events").late_after_s;
  counts.add(batch_of({event(0), event(bound), event(bound + 1), refusal("malformed_record")}), contracts);
  counts.add_duplicates({{0, 1}});
  const FeedReport& feed = counts.feeds.at(0);
  EXPECT_EQ(feed.contract, native("events").id);
  EXPECT_EQ(feed.accepted, 3);
  EXPECT_EQ(feed.late, 1);
  EXPECT_EQ(feed.duplicates, 1);
  EXPECT_EQ(feed.refused.at("malformed_record"), 1);
  EXPECT_EQ(feed.bytes, 6);
  EXPECT_EQ(feed.newest_ingest_time, heard + (bound + 1) * us_per_second);
}

TEST(TurnCounts, LatencyEndsWhenCuratedShowsIt) {
  const ContractSet contracts({native("events")});
  TurnCounts waiting, first, second;
  first.add(batch_of({event(0)}), contracts);
  second.add(batch_of({event(10)}), contracts);
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
  const ContractSet contracts({old});
  TurnCounts counts;
  counts.add(batch_of({event(100'000)}), contracts);
  EXPECT_EQ(counts.feeds.at(0).accepted, 1);
  EXPECT_EQ(counts.feeds.at(0).late, 0);
  EXPECT_TRUE(counts.visible_at(heard).empty());
}

}  // namespace
}  // namespace ff
