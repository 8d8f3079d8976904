/// A driver's day on the road, computed from the pings of that day: distance, driving, standing, silences, faults.
///
/// Pings are folded in event-time order from the day's primary device; the first of a day is trusted, so that a day
/// depends on its neighbours only through the segment across midnight, and a late ping re-folds one day.
/// Pure; borrowed text as in shipment.h. Source: docs/semantics.md S5.10; haversine with the IUGG mean Earth radius.
#pragma once

#include <string_view>
#include <tuple>
#include <vector>

#include "domain/fact.h"
#include "domain/shipment.h"

namespace ff {

/// One content of one ping.
struct PingTelling {
  std::string_view device_id;
  Micros event_time = 0;
  std::int32_t latitude_e7 = 0, longitude_e7 = 0;
  std::int64_t speed_mm_s = none;
  Provenance from;
  std::int64_t way_cm = none;  ///< from the good ping before it, as fold_pings found it; `none`: not looked for since

  auto identity() const { return std::tie(event_time, device_id); }
  auto content() const { return std::tie(latitude_e7, longitude_e7, speed_mm_s); }
};

/// The distinct pings of one driver on one date of the reporting zone, sorted by (event_time, device_id, content). What comes
/// in among them unsettles the ways of those behind it: a way depends on no others than those before.
struct DayPings {
  std::vector<PingTelling> pings;
  bool add(const PingTelling& ping);
};

enum class Anomaly : std::uint8_t { implausible_speed, future_event, conflicting_duplicate };
std::string_view name(Anomaly anomaly);

struct AnomalyRow {
  std::string_view device_id;
  Micros event_time = 0;
  Anomaly kind = Anomaly::implausible_speed;
  Micros opened_at = 0;
  auto operator<=>(const AnomalyRow&) const = default;
};

struct GoodPing {
  Micros at = 0;
  std::int32_t latitude_e7 = 0, longitude_e7 = 0;
  std::int64_t speed_mm_s = none;
  std::int64_t from_previous_cm = none;  ///< `none`: the good ping before it lies on another day, or too far back
};

/// An unbroken run of driving, or of standing.
struct SegmentRow {
  Micros start_at = 0, end_at = 0;
  bool is_driving = false;
  auto operator<=>(const SegmentRow&) const = default;
};

struct SilenceRow {
  Micros last_ping_at = 0, next_ping_at = none;  ///< none: nothing since
  auto operator<=>(const SilenceRow&) const = default;
};

/// What the pings of one day say by themselves.
struct DayFold {
  std::string_view primary_device_id;
  std::int64_t pings = 0, faults = 0;  ///< pings of the primary device, faults included
  std::vector<GoodPing> good;
  std::vector<AnomalyRow> anomalies;
};
/// Finds the ways that `pings` do not know yet, and notes them there.
void fold_pings(DayPings& pings, DayFold& day);

struct DriverDayRow {
  bool exists = false;  ///< there is a ping that is not from the future
  std::string_view primary_device_id;
  std::int64_t pings = 0, faults = 0;
  Micros driving_us = 0, idle_us = 0;
  std::int64_t distance_cm = 0;
  Micros first_ping_at = none, last_ping_at = none;
  auto operator<=>(const DriverDayRow&) const = default;
};

struct DriverDayRows {
  DriverDayRow day;
  std::vector<SegmentRow> segments;
  std::vector<SilenceRow> silences;  ///< those that begin on this day
};

/// The rows of the day [day_start, day_end). `before` is the last good ping before the day and `after` the first one
/// after it, on whichever day; null where there is none.
void fold_day(const DayFold& day, const GoodPing* before, const GoodPing* after, Micros day_start, Micros day_end,
              DriverDayRows& rows);

/// Great-circle distance, rounded to a centimetre.
std::int64_t distance_cm(const GoodPing& a, const GoodPing& b);

inline constexpr Micros silence_after_us = 15LL * 60 * 1'000'000;
inline constexpr std::int64_t fault_speed_mm_s = 70'000;
inline constexpr std::int64_t driving_speed_mm_s = 1'500;

}  // namespace ff
