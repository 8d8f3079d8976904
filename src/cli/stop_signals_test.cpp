#include "cli/stop_signals.h"

#include <gtest/gtest.h>

#include <unistd.h>
#include <csignal>

namespace ff::cli {
namespace {

using namespace std::chrono_literals;

void wait_for_stop(const StopSignals& signals) {
  while (!signals.token().stop_requested()) std::this_thread::sleep_for(1ms);
}

// In a process of its own ("threadsafe": the program starts anew), which must not die of the first signal.
TEST(StopSignalsDeathTest, TheFirstSignalAsks) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const int signal : {SIGTERM, SIGINT})
    EXPECT_EXIT(
        {
          {
            StopSignals signals;
            kill(getpid(), signal);
            wait_for_stop(signals);
          }
          _exit(7);
        },
        ::testing::ExitedWithCode(7), "");
}

TEST(StopSignalsDeathTest, TheSecondSignalEndsTheProcessAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        StopSignals signals;
        kill(getpid(), SIGTERM);
        wait_for_stop(signals);
        kill(getpid(), SIGINT);
        std::this_thread::sleep_for(10s);
      },
      ::testing::ExitedWithCode(128 + SIGINT), "");
}

}  // namespace
}  // namespace ff::cli
