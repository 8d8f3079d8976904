// The example by contract only: 336,776 real flights become facts, and the figures that others computed from the rows come
// out of the facts (../shared/data/flights-nyc13/expected.json).
#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "base/time.h"
#include "decode/decode_testing.h"
#include "domain/status.h"

namespace ff {
namespace {

using namespace ff::testing;

struct Leg {
  Micros promise = 0, promised_departure = 0, arrival = none;
  std::string carrier, tail;
  std::int64_t air_s = 0;
  bool is_cancelled = false, is_diverted = false;
};

/// Keeps what the figures need of each leg, as core and curated do.
struct Legs final : Sink {
  std::map<std::string, Leg> by_id;
  std::set<std::string> drivers;
  std::int64_t shipments = 0, refusals = 0;

  Result<void> accept(Batch batch) override {
    for (const Decoded& d : batch.records) {
      if (d.refusal())
        ++refusals;
      else
        std::visit([&](const auto& body) { take(body); }, d.fact()->body);
    }
    return {};
  }
  void take(const ShipmentFact& order) {
    ++shipments;
    Leg& leg = by_id[order.shipment_id];
    leg.promise = order.promised_delivery_by;
    leg.promised_departure = order.promised_pickup_by;
    leg.carrier = order.carrier_id;
  }
  void take(const ShipmentEventFact& event) {
    Leg& leg = by_id[event.shipment_id];
    leg.tail = event.driver_key;
    if (event.status == delivered) leg.arrival = event.event_time, leg.air_s = event.driving_s;
    if (event.status == cancelled) leg.is_cancelled = true;
    if (event.status == exception && event.reason == "diverted") leg.is_diverted = true;
  }
  void take(const DriverFact& driver) { drivers.insert(driver.driver_key); }
  void take(const DriverAssignmentFact&) {}
  void take(const GpsLocationFact&) {}
};

using Figures = std::map<std::string, std::int64_t>;

TEST(Flights, TheFactsGiveTheExpectedFigures) {
  const auto folder = samples() / "flights-nyc13";
  if (samples().empty()) GTEST_SKIP() << "no sample data (FLEETFLOW_SAMPLES)";
  const TemporaryFile csv("", ".csv");
  const std::string unzip =
      "python3 -c 'import shutil,sys,zipfile; shutil.copyfileobj(zipfile.ZipFile(sys.argv[1]).open(\"flights.csv\"), "
      "open(sys.argv[2], \"wb\"))' ";
  if (std::system((unzip + (folder / "flights.csv.zip").string() + " " + csv.path()).c_str()) != 0)
    GTEST_SKIP() << "python3 is needed to unzip the sample";

  auto contract = load_contract(repository() / "examples/flights/contract.yaml");
  ASSERT_TRUE(contract.ok()) << contract.error().message;
  auto decoder = make_decoder(contract.value(), 0, PseudonymKey::demo());
  ASSERT_TRUE(decoder.ok()) << decoder.error().message;
  Legs legs;
  const auto stats = decoder.value()->decode({csv.path(), 0, 0}, 0, legs);
  ASSERT_TRUE(stats.ok()) << stats.error().message;
  EXPECT_EQ(legs.refusals, 0);
  EXPECT_EQ(legs.shipments, static_cast<std::int64_t>(legs.by_id.size()));  // no two legs share an id

  const auto zone = Zone::load(contract.value().reporting_zone).value();
  const std::int64_t grace_us = contract.value().sla_policies.at(0).grace_min * us_per_minute;
  std::map<std::string, Figures> by_carrier, by_month, by_tail;
  std::map<std::string, std::set<std::string>> days;
  std::int64_t cancelled_legs = 0, diverted_legs = 0;
  for (const auto& [id, leg] : legs.by_id) {
    const std::string month = format_rfc3339(zone->to_local(leg.promised_departure)).substr(5, 2);
    const bool arrived = leg.arrival != none;
    for (Figures* f : {&by_carrier[leg.carrier], &by_month[std::to_string(std::stoi(month))]}) {
      ++(*f)["rows"];
      (*f)["cancelled"] += leg.is_cancelled;
      (*f)["diverted"] += leg.is_diverted;
      (*f)["on_time0"] += arrived && leg.arrival <= leg.promise;
      (*f)["on_time15"] += arrived && leg.arrival <= leg.promise + grace_us;
    }
    cancelled_legs += leg.is_cancelled;
    diverted_legs += leg.is_diverted;
    if (!leg.tail.empty()) days[leg.tail].insert(format_rfc3339(zone->to_local(leg.promised_departure)).substr(0, 10));
    by_tail[leg.tail]["legs"] += arrived;
    by_tail[leg.tail]["air_minutes"] += leg.air_s / 60;
  }

  simdjson::dom::parser parser;
  const simdjson::dom::element expected = parser.load((folder / "expected.json").string());
  const auto number = [](simdjson::dom::element e, std::string_view key) { return e[key].get_int64().value(); };
  EXPECT_EQ(legs.shipments, number(expected, "rows"));
  EXPECT_EQ(cancelled_legs, number(expected, "cancelled"));
  EXPECT_EQ(diverted_legs, number(expected, "diverted"));
  EXPECT_EQ(static_cast<std::int64_t>(legs.drivers.size()), number(expected, "distinct_tailnum"));
  for (const auto& [groups, ours] : {std::pair{"by_carrier", &by_carrier}, {"by_month", &by_month}})
    for (const auto& [key, figures] : expected[groups].get_object())
      for (const char* name : {"rows", "cancelled", "diverted", "on_time0", "on_time15"})
        if (std::int64_t want = 0; !figures[name].get(want)) {
          EXPECT_EQ((*ours)[std::string(key)][name], want) << groups << " " << key << " " << name;
        }
  for (const auto& [tail, figures] : expected["utilization_top20_tailnum_air_minutes"].get_object()) {
    const std::string key = PseudonymKey::demo().driver_key("bts", tail, 0);
    EXPECT_EQ(by_tail[key]["air_minutes"], number(figures, "air_minutes")) << tail;
    EXPECT_EQ(by_tail[key]["legs"], number(figures, "legs")) << tail;
    EXPECT_EQ(static_cast<std::int64_t>(days[key].size()), number(figures, "active_days")) << tail;
  }
}

}  // namespace
}  // namespace ff
