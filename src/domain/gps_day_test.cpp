/// A day on the road, ping by ping. A ping is told as {minute, latitude in 0.01°}; 0.01° of latitude is 111,195 cm.
#include "domain/gps_day.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "domain/domain_testing.h"

namespace ff {
namespace {

constexpr Micros minute = 60LL * 1'000'000;
constexpr Micros day = 24 * 60 * minute;

PingTelling ping(int at_min, int hundredths, std::string_view device = "T1", std::int64_t speed = none) {
  PingTelling p;
  p.device_id = device;
  p.event_time = at_min * minute;
  p.latitude_e7 = 400'000'000 + hundredths * 100'000;
  p.longitude_e7 = -740'000'000;
  p.speed_mm_s = speed;
  p.from.ingest_time = p.event_time;
  return p;
}

DayFold folded(std::initializer_list<PingTelling> pings) {
  DayPings all;
  for (const PingTelling& p : pings) all.add(p);
  DayFold fold;
  fold_pings(all, fold);
  return fold;
}

DriverDayRows rows_of(const DayFold& fold, const GoodPing* before = nullptr, const GoodPing* after = nullptr,
                      Micros start = 0) {
  DriverDayRows rows;
  fold_day(fold, before, after, start, start + day, rows);
  return rows;
}

TEST(GpsDay, AHundredthOfADegreeIsThatManyCentimetres) {
  const GoodPing a{0, 400'000'000, -740'000'000}, b{0, 400'100'000, -740'000'000};
  EXPECT_EQ(distance_cm(a, b), 111'195);
}

TEST(GpsDay, DrivingThenStanding) {
  const auto rows = rows_of(folded({ping(540, 0), ping(550, 1), ping(560, 1)}));
  EXPECT_EQ(rows.day.driving_us, 10 * minute);
  EXPECT_EQ(rows.day.idle_us, 10 * minute);
  EXPECT_EQ(rows.day.distance_cm, 111'195);
  EXPECT_EQ(rows.segments.size(), 2u);
}

TEST(GpsDay, TheDevicesWordAboutSpeedCounts) {
  EXPECT_EQ(rows_of(folded({ping(0, 0), ping(10, 0, "T1", 1500)})).day.driving_us, 10 * minute);
}

TEST(GpsDay, AJumpIsAFaultAndTheNextPingIsJudgedFromTheLastGoodOne) {
  const auto fold = folded({ping(0, 0), ping(5, 800), ping(10, 1)});
  EXPECT_EQ(fold.faults, 1);
  EXPECT_EQ(fold.anomalies[0].kind, Anomaly::implausible_speed);
  EXPECT_EQ(rows_of(fold).day.distance_cm, 111'195);
}

TEST(GpsDay, AGapAddsNothingAndIsASilence) {
  const auto rows = rows_of(folded({ping(0, 0), ping(16, 1)}));
  EXPECT_EQ(rows.day.distance_cm, 0);
  ASSERT_EQ(rows.silences.size(), 2u);
  EXPECT_EQ(rows.silences[0].next_ping_at, 16 * minute);
  EXPECT_EQ(rows.silences[1].next_ping_at, none);
}

TEST(GpsDay, TheDeviceWithMorePingsSpeaks) {
  const auto fold = folded({ping(0, 0, "T2"), ping(1, 0, "T1"), ping(2, 0, "T2")});
  EXPECT_EQ(fold.primary_device_id, "T2");
  EXPECT_EQ(folded({ping(0, 0, "T2"), ping(1, 0, "T1")}).primary_device_id, "T1");
}

TEST(GpsDay, MidnightCutsASegmentWithoutLosingACentimetre) {
  const auto evening = folded({ping(1437, 0)}), morning = folded({ping(1444, 1)});
  const auto first = rows_of(evening, nullptr, &morning.good.front()),
             second = rows_of(morning, &evening.good.back(), nullptr, day);
  EXPECT_EQ(first.day.distance_cm, 111'195 * 3 / 7);
  EXPECT_EQ(first.day.distance_cm + second.day.distance_cm, 111'195);
  EXPECT_EQ(first.day.driving_us, 3 * minute);
  EXPECT_EQ(second.day.driving_us, 4 * minute);
}

/// Crowded, so that pings come twice, contradict each other, lie in the future, and jump.
PingTelling crowded_ping() {
  PingTelling p = testing_domain::random_ping();
  p.event_time = testing_domain::below(25) * minute;
  p.from.ingest_time = p.event_time + (testing_domain::below(5) - 1) * 60 * minute;
  return p;
}

RC_GTEST_PROP(GpsDayProperty, WaysThatAreKeptAreThoseThatWouldBeFound, ()) {
  DayPings kept, fresh;
  DayFold of_kept, of_fresh;
  for (const PingTelling& p : testing_domain::several(crowded_ping, 40)) {
    kept.add(p), fresh.add(p);
    fold_pings(kept, of_kept);
  }
  fold_pings(fresh, of_fresh);
  const auto ways = [](const DayFold& fold) {
    std::vector<std::tuple<Micros, std::int32_t, std::int64_t>> all;
    for (const GoodPing& g : fold.good) all.emplace_back(g.at, g.latitude_e7, g.from_previous_cm);
    return all;
  };
  RC_ASSERT(ways(of_kept) == ways(of_fresh));
  RC_ASSERT(of_kept.anomalies == of_fresh.anomalies);
  RC_ASSERT(of_kept.faults == of_fresh.faults);
}

}  // namespace
}  // namespace ff
