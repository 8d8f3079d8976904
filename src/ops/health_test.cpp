#include "ops/health.h"

#include <gtest/gtest.h>

#include "ops/ops_testing.h"

namespace ff::ops {
namespace {

using namespace ff::testing;
using namespace std::chrono_literals;

std::string obstacles(const Health& health, Micros now) {
  std::string out;
  for (const auto& each : health.readiness(now).obstacles) out += (out.empty() ? "" : " ") + each.what;
  return out;
}

TEST(Health, IsNotReadyBeforeTheLakeIsOpen) {
  Health health(60s);
  EXPECT_EQ(obstacles(health, noon), "lake_not_open");
  health.lake_opened(noon);
  EXPECT_EQ(obstacles(health, noon), "");
}

TEST(Health, ATurnIsDueWithinTheLimit) {
  Health health(60s);
  health.lake_opened(noon);
  health.observe(eventful_turn(), noon);
  EXPECT_EQ(obstacles(health, noon + 60 * us_per_second), "");
  EXPECT_EQ(obstacles(health, noon + 61 * us_per_second), "commit_too_old");
  CommitReport idle = eventful_turn();
  idle.result = CommitReport::Result::idle;
  health.observe(idle, noon + 61 * us_per_second);
  EXPECT_EQ(obstacles(health, noon + 62 * us_per_second), "");
}

TEST(Health, NamesTheSourceThatIsAwayAndTheCommitThatFailed) {
  Health health(60s);
  health.lake_opened(noon);
  CommitReport turn = eventful_turn();
  turn.result = CommitReport::Result::unknown;
  turn.sources[0].is_connected = false;
  turn.sources[0].trouble = "the broker \"k1\" does not answer";
  health.observe(turn, noon);
  EXPECT_EQ(obstacles(health, noon), "source_not_connected commit_failed");
  EXPECT_EQ(health.readiness(noon).json(),
            R"({"ready":false,"publish_seq":7,"last_turn":"2026-03-02T12:00:00Z","obstacles":[)"
            R"({"what":"source_not_connected","why":"source 'scans': the broker \"k1\" does not answer"},)"
            R"({"what":"commit_failed","why":"the last commit ended as 'unknown'; see the log"}]})"
            "\n");
  health.observe(eventful_turn(), noon);
  EXPECT_EQ(obstacles(health, noon), "");
}

}  // namespace
}  // namespace ff::ops
