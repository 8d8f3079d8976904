#include "source/read_ahead.h"

#include <gtest/gtest.h>

#include <thread>

namespace ff {
namespace {

using std::chrono::milliseconds;

SourceBatch batch(std::uint32_t partition, std::int64_t position, Micros heard, std::string_view payload = {}) {
  SourceBatch out;
  Decoded& d = out.batch.records.emplace_back();
  std::get<Fact>(d.what).from = {0, partition, position, heard};
  d.payload = out.batch.keep(payload);
  out.partition = partition;
  out.last_position = position;
  return out;
}

std::string taken(ReadAhead& ahead) {
  auto out = ahead.take(milliseconds(0));
  if (!out.ok()) return out.error().cause;
  if (!out.value()) return "nothing";
  return std::to_string(out.value()->partition) + "@" + std::to_string(out.value()->last_position);
}

TEST(ReadAhead, WhatWasHeardOfFirstComesFirstAndAPartitionStaysInItsOrder) {
  ReadAhead ahead(1 << 20);
  ahead.open(1, 0);
  ahead.open(2, 0);
  ahead.put(batch(1, 1, 30));
  ahead.put(batch(1, 2, 10));  // older than the one before it in its partition
  ahead.put(batch(2, 1, 20));
  EXPECT_EQ(taken(ahead), "2@1");
  EXPECT_EQ(taken(ahead), "1@1");
  EXPECT_EQ(taken(ahead), "1@2");
  EXPECT_EQ(taken(ahead), "nothing");
  EXPECT_EQ(ahead.handed_out(1), std::pair(std::int64_t{2}, Micros{10}));
}

TEST(ReadAhead, OfAClosedPartitionNothingComesOut) {
  ReadAhead ahead(1 << 20);
  ahead.open(1, 0);
  ahead.open(2, 0);
  ahead.put(batch(1, 1, 10));
  ahead.put(batch(2, 1, 20));
  ahead.close(1);
  ahead.put(batch(1, 2, 11));
  EXPECT_EQ(taken(ahead), "2@1");
  EXPECT_EQ(taken(ahead), "nothing");
  EXPECT_EQ(ahead.bytes(), 0);
}

TEST(ReadAhead, IsFullByBytesAndHasRoomAtHalf) {
  const std::string payload(3000, 'x');
  ReadAhead ahead(10'000);
  ahead.open(1, 0);
  for (int i = 1; !ahead.is_full(); ++i) ahead.put(batch(1, i, i, payload));
  EXPECT_FALSE(ahead.wait_for_room(milliseconds(1)));
  while (ahead.bytes() > 5000) taken(ahead);
  EXPECT_TRUE(ahead.wait_for_room(milliseconds(0)));
}

TEST(ReadAhead, OneTroubleThatIsOverHidesNoOther) {
  ReadAhead ahead(1 << 20);
  ahead.fail({Recourse::retry, "kafka_no_topic", ""});
  ahead.fail({Recourse::retry, "kafka_away", ""});
  EXPECT_EQ(taken(ahead), "kafka_away");
  ahead.recover("kafka_away");
  EXPECT_EQ(taken(ahead), "kafka_no_topic");
}

TEST(ReadAhead, AnErrorComesAfterWhatIsReadyAndOnlyAHaltStays) {
  ReadAhead ahead(1 << 20);
  ahead.open(1, 0);
  ahead.put(batch(1, 1, 1));
  ahead.fail({Recourse::retry, "kafka_away", ""});
  EXPECT_EQ(taken(ahead), "1@1");
  EXPECT_EQ(taken(ahead), "kafka_away");
  ahead.recover("kafka_away");
  EXPECT_EQ(taken(ahead), "nothing");
  ahead.fail({Recourse::halt, "kafka_gap", ""});
  ahead.fail({Recourse::retry, "kafka_away", ""});
  ahead.recover("kafka_gap");
  EXPECT_EQ(taken(ahead), "kafka_gap");
}

TEST(ReadAhead, AHaltIsSaidThoughOtherPartitionsWouldFlowOn) {
  ReadAhead ahead(1 << 20);
  ahead.open(1, 0);
  ahead.open(2, 0);
  ahead.put(batch(1, 1, 1));
  ahead.fail({Recourse::halt, "kafka_gap", ""});
  ahead.put(batch(2, 1, 2));
  EXPECT_EQ(taken(ahead), "1@1");
  EXPECT_EQ(taken(ahead), "kafka_gap");
}

TEST(ReadAhead, ATroubleIsKnownWhileBatchesFlow) {
  ReadAhead ahead(1 << 20);
  ahead.open(1, 0);
  ahead.put(batch(1, 1, 1));
  ahead.fail({Recourse::retry, "kafka_no_topic", "there is no topic gps"});
  EXPECT_EQ(ahead.trouble(), "there is no topic gps");
  EXPECT_EQ(taken(ahead), "1@1");
  ahead.recover("kafka_no_topic");
  EXPECT_EQ(ahead.trouble(), "");
}

TEST(ReadAhead, OneThreadReadsWhileAnotherPolls) {
  constexpr int batches = 300;
  ReadAhead ahead(10'000);
  ahead.open(1, 0);
  std::thread reader([&] {
    for (int i = 1; i <= batches; ++i) {
      while (ahead.is_full() && !ahead.wait_for_room(milliseconds(100))) {}
      ahead.put(batch(1, i, i));
    }
  });
  for (int i = 1; i <= batches;) {
    const auto next = ahead.take(milliseconds(100)).value();
    if (!next) continue;
    EXPECT_EQ(next->last_position, i);
    EXPECT_EQ(ahead.handed_out(1)->first, i);
    ++i;
  }
  reader.join();
  EXPECT_EQ(ahead.bytes(), 0);
}

}  // namespace
}  // namespace ff
