#include "play/retelling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/time.h"

namespace ff::play {
namespace {

/// A world in which an hour passes in a second, from 2026-03-02T00:00 on, told from 2026-11-24T12:00 on.
struct Retold : testing::Test {
  Retold()
      : schedule(Rate{.base = 1000, .burst = 1000, .period_seconds = 60, .burst_seconds = 0}), retelling(schedule) {
    for (int i = 0; i <= 24'000; ++i) schedule.add(*parse_rfc3339("2026-03-02T00:00:00Z") + i * 3'600'000LL);
    schedule.start(*parse_rfc3339("2026-11-24T12:00:00Z"));
  }
  Schedule schedule;
  Retelling retelling;
};

TEST(Member, is_found_by_its_whole_name) {
  constexpr std::string_view line = R"({"shipment_id":"S1","reason":null,"version":3,"note":"version","last":true})";
  EXPECT_EQ(member(line, "shipment_id"), "S1");
  EXPECT_EQ(member(line, "version"), "3");
  EXPECT_EQ(member(line, "last"), "true");
  EXPECT_EQ(member(line, "reason"), std::nullopt);
  EXPECT_EQ(member(line, "id"), std::nullopt);
  EXPECT_EQ(member(R"({"shipment_id":"S)", "shipment_id"), std::nullopt) << "cut";
}

TEST_F(Retold, an_event_keeps_everything_but_its_time_and_the_moment_it_was_heard) {
  const auto record = retelling.record(
      {Feed::events, 0,
       R"({"event_id":"E1","shipment_id":"S1","event_time":"2026-03-02T02:00:00Z","driver_id":null,"gust":4.5,"ingest_time":"2026-03-02T02:01:00Z"})"});
  EXPECT_EQ(record.key, "S1");
  EXPECT_EQ(record.value,
            R"({"event_id":"E1","shipment_id":"S1","event_time":"2026-11-24T12:00:02Z","driver_id":null,"gust":4.5})");
}

TEST_F(Retold, a_broken_line_stays_as_broken_as_it_was) {
  for (const std::string_view text :
       {R"({"event_id":"E1","shipment_id":"S1","eve)", R"({"shipment_id":"S1","event_time":"around noon")"})
    EXPECT_EQ(retelling.record({Feed::events, 0, text}).value, text);
  EXPECT_EQ(retelling.record({Feed::events, 0, R"({"event_id":"E1","event_time":"2026-03-02T02:00:00Z")"}).key, "");
}

double speed_m_s(std::string_view a, std::string_view b) {
  const auto degrees = [](std::string_view text, std::string_view name) {
    return std::stod(std::string(*member(text, name)));
  };
  const double metres =
      111'195 * std::hypot(degrees(b, "lat") - degrees(a, "lat"), degrees(b, "lon") - degrees(a, "lon"));
  return metres / (1e-6 * static_cast<double>(*parse_rfc3339(*member(b, "event_time")) -
                                              *parse_rfc3339(*member(a, "event_time"))));
}

TEST_F(Retold, a_vehicle_is_as_fast_as_it_was) {
  const std::string first =
      R"({"driver_id":"D1","device_id":"T1","event_time":"2026-03-02T10:00:00Z","lat":0.100000,"lon":10.000000,"speed_mps":20.0)";
  const std::string second =
      R"({"driver_id":"D1","device_id":"T1","event_time":"2026-03-02T10:01:00Z","lat":0.110000,"lon":10.000000,"speed_mps":20.0)";
  const std::string told_first(
      retelling.record({Feed::gps, 0, first + R"(,"ingest_time":"2026-03-02T10:00:01Z"})"}).value);
  const std::string told_second(
      retelling.record({Feed::gps, 0, second + R"(,"ingest_time":"2026-03-02T10:01:01Z"})"}).value);
  EXPECT_NEAR(speed_m_s(told_first, told_second), speed_m_s(first, second), 1);
  EXPECT_EQ(member(told_second, "speed_mps"), "20.0");
  const std::string third =
      R"({"driver_id":"D1","device_id":"T1","event_time":"2026-03-02T10:05:00Z","lat":0.130000,"lon":10.010000,"speed_mps":20.0)";
  retelling.record({Feed::gps, 0, third + R"(,"ingest_time":"2026-03-02T10:05:01Z"})"});
  EXPECT_EQ(retelling.record({Feed::gps, 0, second + R"(,"ingest_time":"2026-03-02T10:09:00Z"})"}).value, told_second)
      << "a copy is a copy";
}

TEST_F(Retold, a_place_that_does_not_exist_stays_one) {
  const auto record = retelling.record(
      {Feed::gps, 0,
       R"({"driver_id":"D1","event_time":"2026-03-02T10:00:00Z","lat":95.500000,"lon":10.000000,"ingest_time":"2026-03-02T10:00:01Z"})"});
  EXPECT_EQ(member(record.value, "lat"), "95.500000");
}

TEST_F(Retold, a_command_becomes_a_row) {
  const auto row = retelling.row(
      {Feed::assignments, 0,
       R"({"namespace":"acme","assignment_id":"A1","shipment_id":"S1","driver_id":null,"action":"unassign","effective_at":"2026-03-02T01:00:00Z","version":1})"});
  ASSERT_TRUE(row);
  EXPECT_EQ(*row, (Retelling::Row{"A1", "S1", std::nullopt, "unassign", "2026-11-24T12:00:01Z"}));
}

TEST_F(Retold, what_a_table_would_not_take_is_no_row) {
  EXPECT_FALSE(retelling.row({Feed::drivers, 0, R"({"home_hub":"ORD","name":"N"})"}));
  EXPECT_FALSE(retelling.row({Feed::orders, 0, R"({"order_ref":"O1","shipment_id":"S1","created_at":"soon"})"}));
}

}  // namespace
}  // namespace ff::play
