#include "sim/world.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/repository_testing.h"

namespace ff::sim {
namespace {

constexpr Micros start = 1'772'409'600'000'000;

TEST(World, promises_what_the_reference_data_promises) {
  std::ifstream file(testing::repository() / "reference/sla_policy.csv");
  ASSERT_TRUE(file) << "reference/sla_policy.csv";
  std::string line;
  std::getline(file, line);
  for (const auto& level : service_levels) {
    std::ostringstream expected;
    expected << level.name << ',' << level.pickup_within_h << ',' << level.delivery_within_h << ',' << level.grace_min
             << ',' << level.early_window_min << ',' << level.risk_window_min << ',';
    ASSERT_TRUE(std::getline(file, line));
    EXPECT_TRUE(line.starts_with(expected.str())) << line << " is not " << expected.str();
  }
}

TEST(World, orders_come_in_order_within_their_days) {
  Micros before = start;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const Micros t = birth_of(3, i, 10'000, start, 2);
    EXPECT_GE(t, before);
    before = t;
  }
  EXPECT_LT(before, start + 2 * us_per_day);
  EXPECT_GT(before, start + 47 * us_per_hour);
}

TEST(World, a_window_opens_by_the_hub_s_clock) {
  const int seattle = 0;  // Eight hours behind: midnight UTC is four in the afternoon.
  EXPECT_EQ(into_window(start, seattle, 15 * 60, 18 * 60), start);
  EXPECT_EQ(into_window(start, seattle, 17 * 60, 18 * 60), start + us_per_hour);
  EXPECT_EQ(into_window(start, seattle, 8 * 60, 10 * 60), start + 16 * us_per_hour);
}

TEST(World, lanes_lead_elsewhere_and_drivers_have_a_hub_and_a_crew) {
  const World world(5, 20'000);
  for (int hub = 0; hub < hub_count; ++hub) {
    for (std::uint64_t draw = 0; draw < 4; ++draw) {
      const Lane& lane = world.lane(hub, draw);
      EXPECT_NE(lane.destination, hub);
      EXPECT_NE(lane.carrier_choice[0], lane.carrier_choice[1]);
      for (int i = 0; i < lane.stops; ++i)
        EXPECT_TRUE(lane.via[static_cast<std::size_t>(i)] != hub &&
                    lane.via[static_cast<std::size_t>(i)] != lane.destination);
    }
    const int driver = world.driver_of(hub, Crew::line_night, 123);
    EXPECT_EQ(world.driver_hub(driver), hub);
    EXPECT_EQ(world.driver_crew(driver), Crew::line_night);
    EXPECT_NE(world.colleague_of(driver, 9), driver);
    EXPECT_EQ(world.driver_hub(world.colleague_of(driver, 9)), hub);
  }
}

TEST(World, personal_data_is_nobody_else_s) {
  std::set<std::string> all;
  for (std::uint64_t person = 0; person < 2'000; ++person) {
    const auto p = personal_data(1, person);
    for (const auto& s : {p.name, p.phone, p.email, p.licence_number, p.home_address})
      EXPECT_TRUE(all.insert(s).second) << s;
  }
}

}  // namespace
}  // namespace ff::sim
