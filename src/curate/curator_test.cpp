/// Publishing on a small lake: only what was touched is replaced, what was noted is not lost, and the clock turns what it turns.
#include "curate/curator.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/repository_testing.h"
#include "base/time.h"
#include "lake/schema.h"

namespace ff {
namespace {
namespace fs = std::filesystem;

Micros at(const std::string& day_and_time) { return *parse_rfc3339("2026-03-" + day_and_time + ":00Z"); }

class CuratorTest : public ::testing::Test {
 protected:
  const fs::path home = testing::repository();
  std::unique_ptr<Lake> lake = Lake::open({.threads = 1}).value();
  Curator curator = Curator::load((home / "models").string()).value();
  Micros clock = none;
  std::int64_t publish_seq = 0;

  void SetUp() override {
    ASSERT_TRUE(create_tables(*lake).ok());
    ASSERT_TRUE(load_reference(*lake, (home / "reference").string(), "UTC").ok());
    ASSERT_TRUE(curator.create(*lake, Curator::Views::yes).ok());
  }

  void run(const std::string& sql) {
    const auto done = lake->run(sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  std::string value(const std::string& sql) {
    const auto got = lake->value(sql);
    return !got.ok() ? got.error().message : got.value().value_or("null");
  }

  /// An express order of 2 March, 8:00, due a day later, with 15 minutes of grace.
  void order(const std::string& id) {
    run("insert into core.shipments by name select '" + id +
        "' as shipment_id, true as has_order, 'O' as order_ref, "
        "'K1' as carrier_id, 'express' as service_level, false as is_deleted, timestamp '2026-03-02 08:00:00' as "
        "created_at, "
        "'created' as state, 'created' as current_status, 0 as attempts, timestamp '2026-03-02 08:00:00' as "
        "order_first_ingest_time");
  }
  /// `driver` holds `shipment` in [from, to).
  void hold(const std::string& driver, const std::string& shipment, const std::string& from, const std::string& to) {
    run("insert into core.driver_assignments by name select '" + shipment + "' as shipment_id, '" + driver +
        "' as driver_key, timestamp '2026-03-" + from + "' as valid_from, timestamp '2026-03-" + to + "' as valid_to");
  }

  void publish(Micros as_of, const Touched& touched = {}, const Curator::ShipmentsOf& shipments_of = {},
               Curator::Follow follow = Curator::Follow::all, std::int64_t drivers_begun = 0) {
    ASSERT_TRUE(set_clock(*lake, as_of, "UTC").ok());
    const auto done = curator.publish(*lake, touched, clock, as_of, ++publish_seq, shipments_of, follow, drivers_begun);
    ASSERT_TRUE(done.ok()) << done.error().message;
    clock = as_of;
  }

  /// Every table is what a full build would give.
  void expect_full_build() {
    for (const Model& m : curator.models()) {
      if (m.is_view) continue;
      const std::string kept = "select * from " + m.table(),
                        fresh = "select * from (" + render(m, curator.models(), {}) + "\n)";
      EXPECT_EQ(value("select count(*) from ((" + kept + " except all " + fresh + ") union all (" + fresh +
                      " except all " + kept + "))"),
                "0")
          << m.name;
    }
  }
};

Touched shipments(std::initializer_list<const char*> ids) {
  Touched touched;
  for (const char* id : ids) touched.shipments.text(id);
  return touched;
}

Touched driver(const char* key, Micros from, Micros until) {
  Touched touched;
  touched.touch_driver(key, from, until);
  return touched;
}

TEST_F(CuratorTest, ReplacesTheRowsOfTouchedKeysAndNoOthers) {
  order("S1"), order("S2");
  publish(at("02T09:00"), shipments({"S1", "S2"}));
  expect_full_build();
  run("update core.shipments set carrier_id = 'K2'");
  publish(at("02T09:00"), shipments({"S1"}));
  EXPECT_EQ(value("select string_agg(shipment_id || carrier_id, ' ' order by shipment_id) from curated.shipment_sla"),
            "S1K2 S2K1");
  EXPECT_EQ(value("select string_agg(carrier_id || due, ' ' order by carrier_id) from curated.promise_performance"),
            "K11 K21");
}

/// What the first commits touched counted up to the clock of then; nothing was curated before it moved on.
TEST_F(CuratorTest, TheFirstCycleFindsHoldingsThatWentOnSinceTheyWereNoted) {
  order("S1");
  hold("D1", "S1", "02T10:00", "04T06:00");
  ASSERT_TRUE(note_touched(*lake, driver("D1", at("02T10:00"), at("02T12:00")), ++publish_seq).ok());
  publish(at("04T05:00"), shipments({"S1"}));
  EXPECT_EQ(value("select string_agg(date || ' ' || assigned_s, ', ' order by date) from curated.driver_utilization"),
            "2026-03-02 50400, 2026-03-03 86400, 2026-03-04 21600");
  expect_full_build();
}

TEST_F(CuratorTest, WhatIsGoneFromCoreAndAGroupLeftEmptyDisappear) {
  order("S1");
  publish(at("02T09:00"), shipments({"S1"}));
  run("delete from core.shipments");
  publish(at("02T09:00"), shipments({"S1"}));
  EXPECT_EQ(
      value("select (select count(*) from curated.shipment_sla) + (select count(*) from curated.promise_performance)"),
      "0");
}

TEST_F(CuratorTest, WhatWasNotedIsPublishedByTheNextCycle) {
  order("S1"), hold("D1", "S1", "02 09:00:00", "02 11:00:00");
  ASSERT_TRUE(note_touched(*lake, shipments({"S1"}), 1).ok());
  ASSERT_TRUE(note_touched(*lake, driver("D1", at("02T09:00"), at("02T11:00")), 1).ok());
  EXPECT_TRUE(is_anything_noted(*lake).value());
  EXPECT_EQ(value("select count(*) from curated.shipment_sla"), "0");
  publish(at("02T12:00"));
  EXPECT_FALSE(is_anything_noted(*lake).value());
  EXPECT_EQ(value("select assigned_s from curated.driver_utilization"), "7200");
  expect_full_build();
}

/// What they hold grows with the clock (S4.4), also while nobody looks.
TEST_F(CuratorTest, DriversThatWaitMissNeitherWhatWasTouchedNorTheTimeThatPassed) {
  order("S1"), order("S2");
  run("insert into core.driver_assignments by name select 'S1' as shipment_id, 'D1' as driver_key, timestamp "
      "'2026-03-02 09:00:00' as valid_from, timestamp '2026-03-05 09:00:00' as counts_to_at_most");
  Touched touched = shipments({"S1"});
  touched.touch_driver("D1", at("02T09:00"), at("02T10:00"));
  publish(at("02T10:00"), touched);
  EXPECT_EQ(value("select assigned_s from curated.driver_utilization"), "3600");

  hold("D2", "S2", "02 09:00:00", "02 11:00:00");
  touched = shipments({"S2"});
  touched.touch_driver("D2", at("02T09:00"), at("02T11:00"));
  publish(at("02T11:00"), touched, {}, Curator::Follow::rollups);
  publish(at("02T12:00"), driver("D2", at("02T10:00"), at("02T10:30")), {}, Curator::Follow::rollups);
  EXPECT_EQ(value("select count(*) from curated.shipment_sla"), "2") << "shipments did not wait";
  EXPECT_EQ(value("select sum(assigned_s) from curated.driver_utilization"), "3600");
  EXPECT_EQ(
      value("select key || ' ' || strftime(min(from_at), '%H:%M') || ' ' || strftime(max(until_at), '%H:%M') from "
            "ops.touched group by key"),
      "D2 09:00 11:00");
  EXPECT_EQ(value("select as_of from ops.driver_clock"), "2026-03-02 10:00:00");

  publish(at("02T12:00"));
  EXPECT_FALSE(is_anything_noted(*lake).value());
  EXPECT_EQ(value("select string_agg(driver_key || ' ' || assigned_s, ', ' order by driver_key) from "
                  "curated.driver_utilization"),
            "D1 10800, D2 7200");
  expect_full_build();
}

TEST_F(CuratorTest, RollUpsThatWaitCountWhatLeftADayAndWhatCame) {
  const auto due = [&] {
    return value(
        "select string_agg(strftime(promised_date, '%d') || ': ' || due, ', ' order by promised_date) from "
        "curated.promise_performance");
  };
  order("S1"), order("S2");
  publish(at("02T10:00"), shipments({"S1", "S2"}));
  EXPECT_EQ(due(), "03: 2");

  run("update core.shipments set created_at = timestamp '2026-03-03 08:00:00' where shipment_id = 'S1'");
  publish(at("02T11:00"), shipments({"S1"}), {}, Curator::Follow::shipments);
  run("update core.shipments set created_at = timestamp '2026-03-04 08:00:00' where shipment_id = 'S1'");
  publish(at("02T12:00"), shipments({"S1"}), {}, Curator::Follow::shipments);
  EXPECT_EQ(due(), "03: 2");
  EXPECT_EQ(value("select string_agg(distinct key, ' ' order by key) from ops.touched where kind = "
                  "'promise_performance'"),
            "2026-03-03 2026-03-04 2026-03-05");

  publish(at("02T12:00"), {}, {}, Curator::Follow::rollups);
  EXPECT_EQ(due(), "03: 1, 05: 1");
  EXPECT_FALSE(is_anything_noted(*lake).value());
  expect_full_build();
}

TEST_F(CuratorTest, ARollUpThatIsNewToALakeCountsAllThatIsThere) {
  order("S1");
  publish(at("02T10:00"), shipments({"S1"}));
  run("drop table curated.promise_performance");
  ASSERT_TRUE(curator.create(*lake, Curator::Views::yes).ok());
  publish(at("02T10:00"));
  EXPECT_EQ(value("select sum(due) from curated.promise_performance"), "1");
  expect_full_build();
}

/// On a connection of their own, while another cycle goes by: they show what was there when they began.
TEST_F(CuratorTest, DriversFollowBesideFurtherCycles) {
  auto drivers_lake = lake->connect().value();
  Curator drivers_curator = Curator::load((home / "models").string()).value();
  ASSERT_TRUE(drivers_curator.create(*drivers_lake, Curator::Views::yes).ok());
  const auto day_of = [&](const std::string& of) {
    return value("select string_agg(driver_key || ' ' || assigned_s, ', ' order by driver_key) from " + of);
  };
  publish(at("02T08:00"));
  hold("D1", "S1", "02 09:00:00", "02 11:00:00"), hold("D2", "S2", "02 09:00:00", "02 11:00:00");
  Touched touched = driver("D1", at("02T09:00"), at("02T11:00"));
  touched.touch_driver("D2", at("02T09:00"), at("02T11:00"));
  publish(at("02T10:00"), touched, {}, Curator::Follow::rollups);
  run("insert into ops.commits by name select " + std::to_string(publish_seq) + " as publish_seq");

  auto round = Curator::begin_drivers(*drivers_lake).value();
  const std::int64_t begun = round.publish_seq;
  EXPECT_EQ(begun, publish_seq);
  ASSERT_TRUE(drivers_lake->begin().ok());
  ASSERT_TRUE(drivers_lake->value("select as_of from ops.clock").ok());
  hold("D2", "S3", "02 11:00:00", "02 12:00:00"), hold("D3", "S4", "02 11:00:00", "02 12:00:00");
  touched = driver("D2", at("02T11:00"), at("02T12:00"));
  touched.touch_driver("D3", at("02T11:00"), at("02T12:00"));
  publish(at("02T12:00"), touched, {}, Curator::Follow::rollups, begun);
  publish(at("02T12:00"), {}, {}, Curator::Follow::rollups, begun);
  const auto done = drivers_curator.publish_drivers(*drivers_lake, round);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_TRUE(done.value().is_over());
  EXPECT_EQ(day_of("curated.driver_utilization"), "null");
  ASSERT_TRUE(drivers_lake->commit().ok());
  EXPECT_EQ(day_of("curated.driver_utilization"), "D1 7200, D2 7200");
  EXPECT_EQ(value("select as_of || ' ' || publish_seq from ops.driver_clock"), "2026-03-02 10:00:00 2");

  publish(at("02T12:00"), {}, {}, Curator::Follow::rollups, begun);
  EXPECT_EQ(value("select string_agg(kind || ' ' || key || ' ' || strftime(from_at, '%H:%M'), ', ' order by kind, key) "
                  "from ops.touched"),
            "driver D2 11:00, driver D3 11:00");
  publish(at("02T12:00"));
  EXPECT_EQ(day_of("curated.driver_utilization"), "D1 7200, D2 10800, D3 3600");
  EXPECT_FALSE(is_anything_noted(*lake).value());
  expect_full_build();
}

/// Each part sees the lake as it is then; ops.driver_clock says what all of them show.
TEST_F(CuratorTest, DriversFollowPartByPartWhileTheLakeGoesOn) {
  auto drivers_lake = lake->connect().value();
  Curator drivers_curator = Curator::load((home / "models").string()).value();
  ASSERT_TRUE(drivers_curator.create(*drivers_lake, Curator::Views::yes).ok());
  drivers_curator.driver_work_at_once = 6;
  publish(at("02T08:00"));
  const auto work = [&](int shipment, const std::string& hour) {
    const std::string id = "S" + std::to_string(shipment), key = "D" + std::to_string(shipment % 7);
    hold(key, id, "02 " + hour + ":00:00", "02 " + hour + ":30:00");
    run("insert into core.shipment_events by name select '" + id + "' as shipment_id, '" + key +
        "' as driver_key, 'apply' as effect, 'delivered' as status, timestamp '2026-03-02 " + hour +
        ":10:00' as event_time");
    Touched touched = driver(key.c_str(), at("02T" + hour + ":00"), at("02T" + hour + ":30"));
    touched.shipments.text(id);
    return touched;
  };
  int shipment = 0;
  for (; shipment < 20; ++shipment) publish(at("02T10:00"), work(shipment, "09"), {}, Curator::Follow::rollups);
  run("insert into ops.commits by name select " + std::to_string(publish_seq) + " as publish_seq");

  auto round = Curator::begin_drivers(*drivers_lake).value();
  const std::int64_t begun = round.publish_seq;
  int parts = 0;
  do {
    ASSERT_TRUE(drivers_lake->begin().ok());
    const auto done = drivers_curator.publish_drivers(*drivers_lake, round);
    ASSERT_TRUE(done.ok()) << done.error().message;
    ASSERT_TRUE(drivers_lake->commit().ok());
    round = done.value();
    ++parts;
    EXPECT_EQ(value("select epoch_us(as_of) from ops.driver_clock"),
              std::to_string(at(round.is_over() ? "02T10:00" : "02T08:00")));
    publish(at("02T11:00"), work(shipment++, "10"), {}, Curator::Follow::rollups, begun);
  } while (!round.is_over());
  EXPECT_EQ(parts, 4);
  EXPECT_EQ(value("select sum(deliveries) >= 20 from curated.driver_utilization"), "true");
  publish(at("02T11:00"));
  EXPECT_EQ(value("select sum(deliveries) from curated.driver_utilization"), std::to_string(shipment));
  expect_full_build();
}

TEST_F(CuratorTest, AModelThatCameLaterThanTheLakeIsFilledByTheNextCycle) {
  order("S1");
  run("insert into core.shipment_events by name select 'S1' as shipment_id, 'D1' as driver_key, 'apply' as effect, "
      "'delivered' as status, timestamp '2026-03-02 10:00:00' as event_time");
  Touched touched = driver("D1", at("02T10:00"), at("02T10:00"));
  touched.shipments.text("S1");
  publish(at("02T12:00"), touched);
  run("drop table ops.driver_work");
  ASSERT_TRUE(curator.create(*lake, Curator::Views::yes).ok());
  publish(at("02T13:00"));
  EXPECT_EQ(value("select deliveries from ops.driver_work"), "1");
  expect_full_build();
}

TEST_F(CuratorTest, TheClockAloneTurnsWhatADeadlineTurns) {
  order("S1");
  publish(at("02T09:00"), shipments({"S1"}));
  EXPECT_EQ(value("select sla_status from curated.shipment_sla"), "on_track");
  publish(at("03T08:00"));
  EXPECT_EQ(value("select sla_status from curated.shipment_sla"), "at_risk");
  publish(at("03T08:16"));
  EXPECT_EQ(value("select sla_status from curated.shipment_sla"), "breached");
  EXPECT_EQ(value("select count(*) from ops.exceptions_shipment where type = 'late_delivery'"), "1");
  expect_full_build();
}

TEST_F(CuratorTest, ADriversOtherDaysAreLeftAlone) {
  hold("D1", "S1", "02 09:00:00", "02 11:00:00"), hold("D1", "S2", "09 09:00:00", "09 11:00:00");
  publish(at("10T00:00"), driver("D1", at("02T09:00"), at("09T11:00")));
  expect_full_build();
  run("update curated.driver_utilization set deliveries = 99; update curated.hours_of_service set on_duty_s = 99");
  run("update core.driver_assignments set valid_to = timestamp '2026-03-09 12:00:00' where shipment_id = 'S2'");
  publish(at("10T00:00"), driver("D1", at("09T09:00"), at("09T12:00")));
  EXPECT_EQ(
      value("select string_agg(deliveries || ' ' || assigned_s, ', ' order by date) from curated.driver_utilization"),
      "99 7200, 0 10800");
  EXPECT_EQ(value("select string_agg(on_duty_s, ', ' order by duty_start_at) from curated.hours_of_service"),
            "99, 10800");
}

TEST_F(CuratorTest, WorkBetweenTwoDutyPeriodsMakesThemOne) {
  hold("D1", "S1", "02 00:00:00", "02 04:00:00"), hold("D1", "S2", "02 20:00:00", "02 22:00:00");
  publish(at("03T00:00"), driver("D1", at("02T00:00"), at("02T22:00")));
  EXPECT_EQ(value("select count(*) from curated.hours_of_service"), "2");
  hold("D1", "S3", "02 12:00:00", "02 13:00:00");
  publish(at("03T00:00"), driver("D1", at("02T12:00"), at("02T13:00")));
  EXPECT_EQ(value("select count(*) || ' of ' || max(on_duty_s) from curated.hours_of_service"), "1 of 25200");
  expect_full_build();
}

/// The first cycle's clock has moved from nowhere; that touches no more of a driver than the driving itself.
TEST_F(CuratorTest, DrivingReportedBeforeTheFirstCycleTouchesItsDay) {
  order("S1");
  run("insert into core.shipment_events by name select 'S1' as shipment_id, 'D1' as driver_key, 'apply' as effect, "
      "'in_transit' as status, timestamp '2026-03-02 10:00:00' as event_time, 3600 as driving_s");
  int steps = 0;
  curator.on_step = [&](const std::string& model, std::int64_t) { steps += model == "driver_utilization"; };
  publish(at("02T12:00"));
  EXPECT_EQ(steps, 2) << "taking out, and one part";
  EXPECT_EQ(value("select sum(last_date - first_date + 1) from temp.all_driver_days"), "1");
  EXPECT_EQ(value("select driving_s from curated.driver_utilization"), "3600");
}

TEST_F(CuratorTest, PartByPartIsAllAtOnce) {
  Touched touched;
  for (int i = 0; i < 20; ++i) {
    const std::string id = "S" + std::to_string(i);
    const std::string driver = "D" + std::to_string(i % 7);
    order(id), hold(driver, id, "02 09:00:00", "02 11:00:00");
    run("insert into core.shipment_events by name select '" + id + "' as shipment_id, '" + driver +
        "' as driver_key, 'apply' as effect, 'delivered' as status, timestamp '2026-03-02 10:00:00' as event_time");
    touched.shipments.text(id);
    touched.touch_driver(driver, at("02T09:00"), at("02T11:00"));
  }
  curator.shipments_at_once = 3, curator.driver_work_at_once = 6;
  int steps = 0;
  curator.on_step = [&](const std::string& model, std::int64_t) { steps += model == "driver_utilization"; };
  publish(at("02T12:00"), touched);
  EXPECT_EQ(steps, 1 + 4) << "taking out, and the work on twenty shipments by six";
  EXPECT_EQ(value("select sum(deliveries) from curated.driver_utilization"), "20");
  EXPECT_EQ(value("select count(*) from curated.shipment_sla"), "20");
  EXPECT_EQ(value("select sum(shipments) from curated.driver_utilization"), "20");
  expect_full_build();
}

TEST_F(CuratorTest, ShipmentsThatAreNotAtHandAreJudgedTogetherAtTheEnd) {
  Touched touched;
  for (int i = 0; i < 20; ++i) {
    const std::string id = "S" + std::to_string(i);
    order(id), touched.shipments.text(id);
  }
  const Curator::ShipmentsOf every_third_is_elsewhere = [](const std::vector<std::string>& ids) {
    Curator::AtHand out;
    for (std::size_t i = 0; i < ids.size(); i += 3) out.elsewhere.push_back(ids[i]);
    return Result<Curator::AtHand>(std::move(out));
  };
  curator.shipments_at_once = 4;
  int steps = 0;
  curator.on_step = [&](const std::string& model, std::int64_t) { steps += model == "shipment_sla"; };
  publish(at("02T12:00"), touched, every_third_is_elsewhere);
  EXPECT_LE(steps, 1 + 5 + 3) << "taking out, five parts, and what was left of them in parts as large";
  publish(at("04T12:00"), {}, every_third_is_elsewhere);  // Deadlines pass.
  EXPECT_EQ(value("select count(*) from ops.finding_log where change = 'opened'"),
            value("select count(*) from ops.findings"));
  expect_full_build();
}

TEST_F(CuratorTest, NotesWhichFindingsCameAndWent) {
  run("insert into core.drivers by name select 'D1' as driver_key, timestamp '2026-03-02 09:00:00' as conflict_at");
  publish(at("02T10:00"), driver("D1", at("02T10:00"), at("02T10:00")));
  run("update core.drivers set conflict_at = null");
  publish(at("02T11:00"), driver("D1", at("02T11:00"), at("02T11:00")));
  EXPECT_EQ(value("select string_agg(publish_seq || ' ' || change, ', ' order by publish_seq) from ops.finding_log"),
            "1 opened, 2 withdrawn");
}

}  // namespace
}  // namespace ff
