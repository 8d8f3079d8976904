/// The fold, case by case. A line of history is told as {"e1", picked_up, 10}: id, status, hour.
#include "domain/shipment.h"

#include <gtest/gtest.h>

namespace ff {
namespace {

constexpr Micros hour = 3600LL * 1'000'000;

struct Told {
  std::string_view id;
  StatusId status;
  int at_h;
  std::string_view driver = {};
  std::int64_t version = 0;
  bool retracted = false;
  int heard_h = -1;  ///< -1: at once
};

EventTelling telling(const Told& t) {
  EventTelling e;
  e.name_space = "acme";
  e.event_id = t.id;
  e.status = t.status;
  e.event_time = t.at_h * hour;
  e.driver_key = t.driver;
  e.version.ordinal = t.version;
  e.is_retracted = t.retracted;
  e.from.ingest_time = (t.heard_h < 0 ? t.at_h : t.heard_h) * hour;
  return e;
}

CommandTelling command(std::string_view id, Action action, std::string_view driver, int at_h) {
  CommandTelling c;
  c.name_space = "acme";
  c.assignment_id = id;
  c.action = action;
  c.driver_key = driver;
  c.effective_at = at_h * hour;
  c.from.ingest_time = c.effective_at;
  return c;
}

ShipmentRows folded(std::initializer_list<Told> events, std::initializer_list<CommandTelling> commands = {}) {
  ShipmentFacts facts;
  for (const Told& t : events) facts.add(telling(t));
  for (const CommandTelling& c : commands) facts.add(c);
  ShipmentRows rows;
  fold(facts, rows);
  return rows;
}

const EventRow& row(const ShipmentRows& rows, std::string_view id) {
  for (const EventRow& e : rows.events)
    if (e.told.event_id == id) return e;
  throw std::out_of_range(std::string(id));
}

TEST(ShipmentFold, WithoutFactsThereIsNothing) { EXPECT_FALSE(folded({}).shipment.exists); }

TEST(ShipmentFold, CommandsAloneMakeNoShipment) {
  EXPECT_FALSE(folded({}, {command("a1", Action::assign, "D1", 9)}).shipment.exists);
}

TEST(ShipmentFold, ADeliveryIsTakenAndASecondOneMovesNothing) {
  const auto rows =
      folded({{"e1", picked_up, 10}, {"e2", out_for_delivery, 11}, {"e3", delivered, 12}, {"e4", delivered, 13}});
  EXPECT_EQ(rows.shipment.state, delivered);
  EXPECT_EQ(rows.shipment.delivered_at, 12 * hour);
  EXPECT_EQ(row(rows, "e4").effect, Effect::repeat);
}

TEST(ShipmentFold, AnEventAfterTheEndIsRejected) {
  const auto rows = folded({{"e1", picked_up, 10}, {"e2", delivered, 12}, {"e3", in_transit, 13}});
  EXPECT_EQ(row(rows, "e3").effect, Effect::reject);
  EXPECT_EQ(rows.shipment.state, delivered);
}

TEST(ShipmentFold, AnExceptionIsNoState) {
  const auto rows = folded({{"e1", picked_up, 10}, {"e2", exception, 11}});
  EXPECT_EQ(rows.shipment.state, picked_up);
  EXPECT_TRUE(rows.shipment.shows_exception);
}

TEST(ShipmentFold, ARetractionWinsAtEqualVersionAndAGreaterVersionRestores) {
  EXPECT_EQ(row(folded({{"e1", delivered, 12}, {"e1", delivered, 12, "", 0, true}}), "e1").effect, Effect::ignored);
  EXPECT_EQ(row(folded({{"e1", delivered, 12}, {"e1", delivered, 12, "", 0, true}, {"e1", delivered, 12, "", 1}}), "e1")
                .effect,
            Effect::flag);
}

TEST(ShipmentFold, AnEventFromTheFutureIsKeptButNotJudged) {
  const auto rows = folded({{"e1", delivered, 12, "", 0, false, 11}});
  EXPECT_TRUE(row(rows, "e1").is_future);
  EXPECT_EQ(row(rows, "e1").effect, Effect::ignored);
}

TEST(ShipmentFold, TwoContentsOfOneVersionAreAConflictSinceTheSecondWasHeard) {
  const auto rows = folded({{"e1", picked_up, 10, "", 0, false, 14},
                            {"e1", picked_up, 11, "", 0, false, 12},
                            {"e1", picked_up, 11, "", 0, false, 16}});
  EXPECT_EQ(row(rows, "e1").chain.conflict_at, 14 * hour);
  EXPECT_EQ(row(rows, "e1").chain.first_ingest_time, 12 * hour);
  EXPECT_EQ(row(rows, "e1").told.event_time, 11 * hour);
}

TEST(ShipmentTimeline, TheDeliveryEndsTheHoldingAndBelongsToIt) {
  const auto rows =
      folded({{"e1", picked_up, 10}, {"e2", delivered, 12, "D2"}}, {command("a1", Action::assign, "D1", 9)});
  ASSERT_EQ(rows.intervals.size(), 1u);
  EXPECT_EQ(rows.intervals[0].valid_to, 12 * hour);
  EXPECT_EQ(rows.intervals[0].closed_by, "e2");
  EXPECT_EQ(row(rows, "e2").driver_key, "D1");
  EXPECT_EQ(rows.shipment.delivered_by, "D1");
}

TEST(ShipmentTimeline, AStrangerCannotGiveItUp) {
  const auto rows = folded({{"e1", picked_up, 10}},
                           {command("a1", Action::assign, "D1", 9), command("a2", Action::unassign, "D9", 11)});
  EXPECT_EQ(rows.commands[1].effect, CommandEffect::unassign_mismatch);
  EXPECT_EQ(rows.intervals[0].valid_to, none);
}

TEST(ShipmentTimeline, AnInstantOfHoldingLeavesNoInterval) {
  const auto rows =
      folded({{"e1", picked_up, 10}}, {command("a1", Action::assign, "D1", 9), command("a2", Action::assign, "D2", 9)});
  ASSERT_EQ(rows.intervals.size(), 1u);
  EXPECT_EQ(rows.intervals[0].driver_key, "D2");
}

}  // namespace
}  // namespace ff
