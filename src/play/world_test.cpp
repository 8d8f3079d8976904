#include "play/world.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/time.h"

namespace ff::play {
namespace {

struct OnDisk : testing::Test {
  OnDisk() : folder(std::filesystem::temp_directory_path() / ("play_world_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder);
  }
  ~OnDisk() override { std::filesystem::remove_all(folder); }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }
  std::filesystem::path folder;
};

std::string heard(const std::string& what, const std::string& clock) {
  return R"({"x":")" + what + R"(","ingest_time":"2026-03-02T)" + clock + "Z\"}\n";
}

TEST_F(OnDisk, all_feeds_are_one_stream_in_the_order_of_hearing) {
  write("events-0001.ndjson", heard("a", "10:00:00") + heard("b", "10:00:05"));
  write("events-0002.ndjson", "");
  write("events-0003.ndjson", heard("e", "10:00:09") + R"({"x":"f","inge)");
  write("orders-0001.ndjson", heard("c", "10:00:05") + heard("d", "10:00:07"));
  write("notes.txt", "no feed");
  auto world = World::open(folder);
  ASSERT_TRUE(world.ok()) << world.error().message;
  for (int round = 0; round < 2; ++round) {
    std::string order;
    std::int64_t before = 0;
    while (const auto line = world.value().next()) {
      order += line->text.substr(6, 1);
      EXPECT_GE(line->heard, before);
      before = line->heard;
    }
    EXPECT_EQ(order, "acbdef")
        << "at one moment in the order of Feed; a line without its moment with the one before it";
    world.value().rewind();
  }
}

TEST_F(OnDisk, a_folder_without_a_world_is_refused) {
  const auto world = World::open(folder);
  ASSERT_FALSE(world.ok());
  EXPECT_EQ(world.error().cause, "no_input");
}

}  // namespace
}  // namespace ff::play
