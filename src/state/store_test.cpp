#include "state/store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "state/codec.h"

namespace ff {
namespace {

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(directory_);
    open();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  void open() {
    store_.reset();
    store_ = Store::open({.directory = directory_}).value();
  }
  void put(Store::Changes changes) {
    store_->stage(std::move(changes));
    ASSERT_TRUE(store_->write_staged(0).ok());
  }
  std::string before(const std::string& key) {
    const auto entry = store_->neighbours().before(key, 1).value();
    return entry ? entry->first + "=" + entry->second : "";
  }
  std::string after(const std::string& key) {
    const auto entry = store_->neighbours().after(key, 1).value();
    return entry ? entry->first + "=" + entry->second : "";
  }

  const std::string directory_ = ::testing::TempDir() + "fleetflow-store-test-" + std::to_string(getpid());
  std::unique_ptr<Store> store_;
};

/// The state of a shipment of one fact, heard of at 100; it expires at 110.
std::string expires_at_110() {
  ShipmentFacts facts;
  EventTelling event;
  event.event_id = "e1";
  event.from.ingest_time = 100;
  facts.add(event);
  return encode(facts, 10);
}

/// A full disk must not end the process by a line that its log does not take (tests/suites/44-full-disk.sh).
TEST_F(StoreTest, WritesNoLogOfItsOwn) {
  put({{"s1", "x"}});
  ASSERT_TRUE(store_->flush().ok());
  open();
  for (const auto& file : std::filesystem::directory_iterator(directory_))
    EXPECT_FALSE(file.path().filename().string().starts_with("LOG")) << file.path();
}

TEST_F(StoreTest, WhatHasExpiredIsCutWhenItIsWritten) {
  store_->stage({{"s1", expires_at_110()}});
  ASSERT_TRUE(store_->write_staged(110).ok());
  const auto stub = stub_of(store_->get("s1").value());
  ASSERT_TRUE(stub);
  EXPECT_EQ(stub->tellings, 1);
}

TEST_F(StoreTest, WhatExpiresLaterIsCutByCompaction) {
  store_->stage({{"s1", expires_at_110()}, {"!mark/x", "7"}});
  ASSERT_TRUE(store_->write_staged(109).ok());
  ASSERT_TRUE(store_->compact().ok());
  EXPECT_EQ(store_->get("s1").value(), expires_at_110());
  store_->stage({{"!mark/x", "8"}});
  ASSERT_TRUE(store_->write_staged(110).ok());
  ASSERT_TRUE(store_->compact().ok());
  EXPECT_TRUE(stub_of(store_->get("s1").value()));
  EXPECT_EQ(store_->get("!mark/x").value(), "8");
}

TEST_F(StoreTest, WhatIsStagedIsSeenBeforeItIsWritten) {
  put({{"a1", "old"}, {"a2", "kept"}});
  store_->stage({{"a1", "new"}, {"a3", "fresh"}});
  EXPECT_EQ(store_->get("a1").value(), "new");
  EXPECT_EQ(store_->get(std::vector<std::string>{"a1", "a2", "a3", "a4"}).value(),
            (std::vector<std::string>{"new", "kept", "fresh", ""}));
  EXPECT_TRUE(store_->scan("a3").value().empty()) << "a scan tells of what is written only";
}

TEST_F(StoreTest, WhatIsStagedIsSeenWhileAnotherThreadWritesIt) {
  for (int round = 0; round < 50; ++round) {
    const std::string told = std::to_string(round);
    store_->stage({{"a1", told}});
    std::thread writer([&] { EXPECT_TRUE(store_->write_staged(0).ok()); });
    for (int look = 0; look < 20; ++look) EXPECT_EQ(store_->get("a1").value(), told);
    writer.join();
  }
}

TEST_F(StoreTest, NeighboursComeFromBoth) {
  put({{"a1", "1"}, {"a5", "5"}, {"b1", "other"}});
  store_->stage({{"a3", "3"}, {"a5", "five"}, {"b0", "other"}});
  EXPECT_EQ(before("a3"), "a1=1");
  EXPECT_EQ(before("a4"), "a3=3");
  EXPECT_EQ(before("a6"), "a5=five");
  EXPECT_EQ(after("a1"), "a3=3");
  EXPECT_EQ(after("a3"), "a5=five");
  EXPECT_EQ(after("a5"), "") << "b0 is another driver's";
  EXPECT_EQ(before("a1"), "");
}

TEST_F(StoreTest, WhatWasStagedAndNeverWrittenIsGoneWithItsEngine) {
  put({{"a1", "1"}});
  ASSERT_TRUE(store_->flush().ok());
  store_->stage({{"a1", "2"}});
  open();
  EXPECT_EQ(store_->get("a1").value(), "1");
}

}  // namespace
}  // namespace ff
