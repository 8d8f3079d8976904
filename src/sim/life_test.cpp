#include "sim/life.h"

#include <gtest/gtest.h>

#include "sim/simulate.h"

namespace ff::sim {
namespace {

SimOptions plain() {
  SimOptions options;
  options.faults = FaultRates::none();
  options.drain_h = 24 * 30;
  return options;
}

TEST(Life, without_faults_is_heard_as_it_happened) {
  const SimOptions options = plain();
  const World world(options.seed, 10'000);
  Life life;
  std::uint64_t scans = 0, lives = 2'000;
  for (std::uint64_t i = 0; i < lives; ++i) {
    live(options, world, i, life);
    scans += life.scans.size();
    Micros time = life.born, heard = life.order_heard;
    std::size_t command = 0;
    const auto happens = [&](Micros t, Micros h) {
      ASSERT_GE(t - time, 2 * us_per_minute);
      ASSERT_GT(h, heard);
      ASSERT_LE(h - t, us_per_minute);
      time = t, heard = h;
    };
    for (const Scan& scan : life.scans) {
      for (; command < life.commands.size() && life.commands[command].time < scan.time; ++command)
        happens(life.commands[command].time, life.commands[command].heard);
      happens(scan.time, scan.heard);
    }
    EXPECT_GE(life.scans.back().status, Status::delivered) << "a life ends";
    EXPECT_TRUE(life.findings.empty());
  }
  EXPECT_NEAR(static_cast<double>(scans) / static_cast<double>(lives), options.events_per_shipment, 1.0);
}

TEST(Life, whoever_has_it_is_named) {
  const SimOptions options = plain();
  const World world(options.seed, 10'000);
  Life life;
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    live(options, world, i, life);
    for (const Scan& scan : life.scans) {
      int holder = nobody;
      for (const Holding& h : life.holdings) {
        const bool ends_it = h.to == scan.time && scan.status >= Status::delivered;
        if (h.from <= scan.time && (scan.time < h.to || ends_it)) holder = h.driver;
      }
      EXPECT_EQ(scan.holder, holder);
      if (scan.driver != nobody && holder != nobody) {
        EXPECT_EQ(scan.driver, holder);
      }
      if (scan.status == Status::delivered || scan.status == Status::picked_up) {
        EXPECT_NE(scan.driver, nobody);
      }
    }
  }
}

TEST(Life, is_the_same_whenever_it_is_lived) {
  SimOptions options;
  const World world(options.seed, 10'000);
  Life first, again;
  live(options, world, 17, first);
  for (std::uint64_t i = 40; i-- > 0;) live(options, world, i, again);
  live(options, world, 17, again);
  ASSERT_EQ(first.tellings.size(), again.tellings.size());
  for (std::size_t i = 0; i < first.tellings.size(); ++i) EXPECT_EQ(first.tellings[i].heard, again.tellings[i].heard);
}

}  // namespace
}  // namespace ff::sim
