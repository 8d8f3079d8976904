/// Random facts for property tests: few ids, hours and words, so that everything meets everything.
#pragma once

#include <rapidcheck.h>

#include <vector>

#include "domain/driver.h"
#include "domain/gps_day.h"
#include "domain/shipment.h"

namespace ff::testing_domain {

inline std::string_view word(std::initializer_list<std::string_view> words) {
  return *rc::gen::elementOf(std::vector<std::string_view>(words));
}
inline std::int64_t below(std::int64_t end) { return *rc::gen::inRange<std::int64_t>(0, end); }

template <class T>
void provenance(T& t) {
  t.version.ordinal = below(3);
  t.from.ingest_time = below(40) * 1'800'000'000;
}

inline ClaimTelling random_claim() {
  ClaimTelling c;
  c.name_space = word({"acme", "bolt"});
  c.order_ref = word({"O1", "O2"});
  c.carrier_id = word({"", "K1", "K2"});
  c.created_at = below(3) * 1'800'000'000;
  c.promised_delivery_by = below(2) ? none : below(9) * 1'800'000'000;
  c.is_deleted = below(6) == 0;
  provenance(c);
  return c;
}

inline EventTelling random_event() {
  EventTelling e;
  e.name_space = word({"acme", "bolt"});
  e.event_id = word({"e1", "e2", "e3", "e4", "e5"});
  e.status = static_cast<StatusId>(below(status_count));
  e.event_time = below(30) * 1'800'000'000;
  e.driver_key = word({"", "D1", "D2", "D3"});
  e.facility = word({"", "F1"});
  e.driving_s = below(2) ? none : below(9);
  e.is_retracted = below(8) == 0;
  provenance(e);
  return e;
}

inline CommandTelling random_command() {
  CommandTelling c;
  c.name_space = "acme";
  c.assignment_id = word({"a1", "a2", "a3", "a4", "a5", "a6"});
  c.action = static_cast<Action>(below(3));
  c.driver_key = word({"", "D1", "D2", "D3"});
  c.effective_at = below(30) * 1'800'000'000;
  c.is_deleted = below(8) == 0;
  provenance(c);
  return c;
}

inline PingTelling random_ping() {
  PingTelling p;
  p.device_id = word({"T1", "T2"});
  p.event_time = below(200) * 60'000'000;
  p.latitude_e7 = static_cast<std::int32_t>(400'000'000 + below(5) * 100'000);
  p.longitude_e7 = -740'000'000;
  p.speed_mm_s = below(2) ? none : below(20'000);
  p.from.ingest_time = p.event_time + below(4) * 60'000'000;
  return p;
}

template <class Make>
auto several(Make make, int most) {
  std::vector<decltype(make())> all;
  for (std::int64_t n = below(most + 1); n > 0; --n) all.push_back(make());
  return all;
}

}  // namespace ff::testing_domain
