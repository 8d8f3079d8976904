#include "source/murmur2.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <random>
#include <string>

namespace ff {
namespace {

// Vectors of Apache Kafka's own UtilsTest.testMurmur2.
TEST(Murmur2, IsJavas) {
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("21")), -973932308);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("foobar")), -790332482);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("a-little-bit-long-string")), -985981536);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("a-little-bit-longer-string")), -1486304829);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")), -58897971);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("abc")), 479470107);
}

TEST(Murmur2, ShardIsThePartitionThatLibrdkafkaChooses) {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string key(random() % 24, ' ');
    for (char& c : key) c = static_cast<char>(random());
    EXPECT_EQ(shard_of(key), static_cast<std::uint32_t>(rd_kafka_msg_partitioner_murmur2(
                                 nullptr, key.data(), key.size(), 64, nullptr, nullptr)));
  }
}

}  // namespace
}  // namespace ff
