/// What is told of a turn: how it ended, and how things stand.
#include "engine/turn_reporter.h"

#include <gtest/gtest.h>

#include "lake/schema.h"

namespace ff {
namespace {

class TurnReporterTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(create_tables(*lake_).ok());
    ASSERT_TRUE(reporter_.start([this](const CommitReport& r) { told_ = r; }, contracts_, *lake_, {}, true).ok());
  }

  CommitReport::Result told(const Error& error) {
    Commit commit;
    reporter_.tell(commit, &error, {});
    return told_.result;
  }

  std::unique_ptr<Lake> lake_ = Lake::open({.threads = 1}).value();
  ContractSet contracts_{std::vector<Contract>()};
  TurnReporter reporter_;
  CommitReport told_;
};

TEST_F(TurnReporterTest, WhoHasNothingToCommitSaysSoAndKeepsHowThingsStand) {
  Commit commit;
  commit.publish_seq = 7;
  commit.as_of = 1000;
  reporter_.tell(commit, nullptr, {.transaction_us = 5, .caught_up_at = 900, .sources = {{"topics", true, "", 800}}});
  ASSERT_EQ(told_.result, CommitReport::Result::ok);
  reporter_.tell_idle();
  EXPECT_EQ(told_.result, CommitReport::Result::idle);
  EXPECT_EQ(told_.transaction_us, 0);
  EXPECT_EQ(told_.publish_seq, 7);
  EXPECT_EQ(told_.as_of, 1000);
  EXPECT_EQ(told_.visible_until, 900);
  ASSERT_EQ(told_.sources.size(), 1u);
  EXPECT_EQ(told_.sources[0].name, "topics");
}

TEST_F(TurnReporterTest, ATableIsAsOldAsTheLastCycleThatItFollowedIn) {
  using Follow = Curator::Follow;
  TurnReporter reporter;
  const std::map<std::string, Follow> from = {
      {"sla", Follow::shipments}, {"day", Follow::rollups}, {"driver", Follow::all}};
  ASSERT_TRUE(reporter.start([this](const CommitReport& r) { told_ = r; }, contracts_, *lake_, from, false).ok());
  const auto tell = [&](std::optional<Follow> follow, Micros until) {
    Commit commit;
    commit.follow = follow;
    reporter.tell(commit, nullptr, {.caught_up_at = until, .sources = {}});
    return std::vector{told_.curated_until, told_.lagging.at("curated.day"), told_.lagging.at("curated.driver")};
  };
  using Until = std::vector<Micros>;
  EXPECT_EQ(tell({}, 100), (Until{none, none, none}));
  EXPECT_EQ(tell(Follow::all, 200), (Until{200, 200, 200}));
  EXPECT_EQ(tell(Follow::rollups, 300), (Until{300, 300, 200}));
  EXPECT_EQ(tell(Follow::shipments, 400), (Until{400, 300, 200}));
  reporter.drivers_followed(350);
  EXPECT_EQ(tell({}, 500), (Until{400, 300, 350}));
  EXPECT_FALSE(told_.lagging.contains("curated.sla"));
}

TEST_F(TurnReporterTest, WhatAnotherWonIsAConflictAndWhatNobodySawIsUnknown) {
  using Result = CommitReport::Result;
  EXPECT_EQ(told({Recourse::retry, "commit_conflict", ""}), Result::conflict);
  EXPECT_EQ(told({Recourse::retry, "partition_moved", ""}), Result::conflict);
  EXPECT_EQ(told({Recourse::retry, "fenced", ""}), Result::conflict);
  EXPECT_EQ(told({Recourse::halt, "fenced", ""}), Result::failed);
  EXPECT_EQ(told({Recourse::reconcile, "lake_error", ""}), Result::unknown);
  EXPECT_EQ(told({Recourse::retry, "disk_full", ""}), Result::failed);
}

}  // namespace
}  // namespace ff
