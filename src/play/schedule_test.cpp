#include "play/schedule.h"

#include <gtest/gtest.h>

namespace ff::play {
namespace {

TEST(Rate, holds_its_rate_and_bursts_at_the_end_of_each_period) {
  const Rate rate{.base = 100, .burst = 1000, .period_seconds = 10, .burst_seconds = 2};
  EXPECT_DOUBLE_EQ(rate.due_after(8), 800);
  EXPECT_DOUBLE_EQ(rate.due_after(9), 1800);
  EXPECT_DOUBLE_EQ(rate.due_after(10), 2800);
  EXPECT_DOUBLE_EQ(rate.due_after(21), 5700);
  for (const double n : {0.0, 799.0, 801.0, 2799.0, 2800.0, 5700.5})
    EXPECT_NEAR(rate.due_after(rate.seconds_until(n)), n, 1e-6);
}

TEST(Schedule, a_moment_of_the_world_becomes_the_moment_at_which_it_is_told) {
  // A quiet night (one record a minute), then a busy morning (100 a second): told at 10 a second, both.
  Schedule schedule(Rate{.base = 10});
  std::int64_t t = 1'000'000;
  for (int i = 0; i < 2000; ++i) schedule.add(t += 60'000'000);
  const std::int64_t morning = t;
  for (int i = 0; i < 3001; ++i) schedule.add(t += 10'000);
  schedule.start(5'000'000'000);
  EXPECT_EQ(schedule.real(61'000'000), 5'000'000'000);
  EXPECT_NEAR(static_cast<double>(schedule.real(morning)), 5'200e6, 1e5);
  EXPECT_NEAR(static_cast<double>(schedule.real(t)), 5'500e6, 1e3);
  EXPECT_EQ(schedule.records(), 5001u);
}

TEST(Schedule, time_never_runs_backwards_not_even_outside_the_world) {
  Schedule schedule(Rate{.base = 1000});
  std::int64_t t = 1'000'000'000;
  for (int i = 0; i < 5000; ++i) schedule.add(t += (i % 7) * 1'000'000);
  schedule.start(0);
  std::int64_t before = schedule.real(0);
  for (std::int64_t world = 0; world < 2 * t; world += 999'983) {
    const std::int64_t real = schedule.real(world);
    EXPECT_GE(real, before);
    before = real;
  }
}

}  // namespace
}  // namespace ff::play
