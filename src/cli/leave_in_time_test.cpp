#include "cli/leave_in_time.h"

#include <gtest/gtest.h>

namespace ff::cli {
namespace {

using namespace std::chrono_literals;

TEST(LeaveInTimeDeathTest, WhatDoesNotCloseIsLeft) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const LeaveInTime closing(10ms, 5, "it does not close");
        std::this_thread::sleep_for(10s);
      },
      ::testing::ExitedWithCode(5), "it does not close");
}

TEST(LeaveInTime, WhatIsClosedInTimeIsNotLeft) {
  { const LeaveInTime closing(50ms, 5, "it does not close"); }
  std::this_thread::sleep_for(100ms);
}

}  // namespace
}  // namespace ff::cli
