#include "domain/gps_day.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "base/time.h"

namespace ff {
namespace {

auto order(const PingTelling& p) { return std::tuple_cat(p.identity(), p.content()); }

/// Compares `cm` in `us` with a speed, without a division: (cm · 10) / (us / 1e6) <=> mm_s. Half the Earth is 2e9 cm and
/// `us` at most 15 minutes, so both products stay below 2^63.
std::strong_ordering compare_speed(std::int64_t cm, Micros us, std::int64_t mm_s) {
  return cm * 10 * us_per_second <=> mm_s * us;
}

/// Adds the part of the segment (a, b), which is `cm` long, that lies in [day_start, day_end).
void add_segment(const GoodPing& a, const GoodPing& b, std::int64_t cm, Micros day_start, Micros day_end,
                 DriverDayRows& rows) {
  const Micros dt = b.at - a.at;
  if (dt <= 0 || dt > silence_after_us) return;
  const bool driving =
      b.speed_mm_s != none ? b.speed_mm_s >= driving_speed_mm_s : compare_speed(cm, dt, driving_speed_mm_s) >= 0;
  const Micros from = std::max(a.at, day_start), to = std::min(b.at, day_end);
  if (from >= to) return;
  const auto before_midnight = [&](Micros midnight) { return cm * (midnight - a.at) / dt; };
  rows.day.distance_cm += b.at > day_end     ? before_midnight(day_end)
                          : a.at < day_start ? cm - before_midnight(day_start)
                                             : cm;
  (driving ? rows.day.driving_us : rows.day.idle_us) += to - from;
  if (!rows.segments.empty() && rows.segments.back().end_at == from && rows.segments.back().is_driving == driving)
    rows.segments.back().end_at = to;
  else
    rows.segments.push_back({from, to, driving});
}

}  // namespace

bool DayPings::add(const PingTelling& ping) {
  const auto at = std::lower_bound(pings.begin(), pings.end(), ping,
                                   [](const PingTelling& a, const PingTelling& b) { return order(a) < order(b); });
  const bool is_new = at == pings.end() || order(*at) != order(ping);
  if (!is_new && ping.from.ingest_time >= at->from.ingest_time) return false;
  for (auto behind = at; behind != pings.end(); ++behind) behind->way_cm = none;
  if (is_new)
    pings.insert(at, ping);
  else
    at->from = ping.from;
  return true;
}

std::int64_t distance_cm(const GoodPing& a, const GoodPing& b) {
  constexpr double radius_cm = 637'100'880.0;
  constexpr double rad = std::numbers::pi / 180.0 / 1e7;
  const double phi1 = a.latitude_e7 * rad, phi2 = b.latitude_e7 * rad;
  const double s1 = std::sin((phi2 - phi1) / 2);
  const double s2 = std::sin((static_cast<double>(b.longitude_e7) - static_cast<double>(a.longitude_e7)) * rad / 2);
  const double h = s1 * s1 + std::cos(phi1) * std::cos(phi2) * s2 * s2;
  return std::llround(2 * radius_cm * std::asin(std::min(1.0, std::sqrt(h))));
}

void fold_pings(DayPings& pings, DayFold& day) {
  day.good.clear();
  day.anomalies.clear();
  day.primary_device_id = {};
  day.pings = day.faults = 0;

  // The winning content of each ping is the greatest; a second content is a conflict.
  std::vector<PingTelling*> told;
  std::map<std::string_view, std::int64_t> by_device;
  for (std::size_t i = 0; i < pings.pings.size(); ++i) {
    PingTelling& p = pings.pings[i];
    const bool last_content = i + 1 == pings.pings.size() || pings.pings[i + 1].identity() != p.identity();
    if (!last_content) continue;
    if (std::size_t first = i; first > 0 && pings.pings[first - 1].identity() == p.identity()) {
      while (first > 0 && pings.pings[first - 1].identity() == p.identity()) --first;
      std::vector<Micros> heard;
      for (std::size_t j = first; j <= i; ++j) heard.push_back(pings.pings[j].from.ingest_time);
      std::nth_element(heard.begin(), heard.begin() + 1, heard.end());
      day.anomalies.push_back({p.device_id, p.event_time, Anomaly::conflicting_duplicate, heard[1]});
    }
    if (p.event_time > p.from.ingest_time + future_tolerance_us) {
      day.anomalies.push_back({p.device_id, p.event_time, Anomaly::future_event, p.event_time});
      continue;
    }
    told.push_back(&p);
    ++by_device[p.device_id];
  }
  for (const auto& [device, count] : by_device)
    if (count > day.pings) day.primary_device_id = device, day.pings = count;

  for (PingTelling* p : told) {
    if (p->device_id != day.primary_device_id) continue;
    GoodPing ping{p->event_time, p->latitude_e7, p->longitude_e7, p->speed_mm_s};
    if (!day.good.empty() && ping.at - day.good.back().at <= silence_after_us) {
      if (p->way_cm == none) p->way_cm = distance_cm(day.good.back(), ping);
      ping.from_previous_cm = p->way_cm;
      if (compare_speed(ping.from_previous_cm, ping.at - day.good.back().at, fault_speed_mm_s) > 0) {
        ++day.faults;
        day.anomalies.push_back({p->device_id, p->event_time, Anomaly::implausible_speed, p->event_time});
        continue;
      }
    }
    day.good.push_back(ping);
  }
  std::sort(day.anomalies.begin(), day.anomalies.end());
}

void fold_day(const DayFold& day, const GoodPing* before, const GoodPing* after, Micros day_start, Micros day_end,
              DriverDayRows& rows) {
  rows.segments.clear();
  rows.silences.clear();
  rows.day = {};
  rows.day.exists = !day.good.empty();
  rows.day.primary_device_id = day.primary_device_id;
  rows.day.pings = day.pings;
  rows.day.faults = day.faults;
  if (!rows.day.exists) return;
  rows.day.first_ping_at = day.good.front().at;
  rows.day.last_ping_at = day.good.back().at;
  if (before) add_segment(*before, day.good.front(), distance_cm(*before, day.good.front()), day_start, day_end, rows);
  for (std::size_t i = 0; i + 1 < day.good.size(); ++i) {
    add_segment(day.good[i], day.good[i + 1], day.good[i + 1].from_previous_cm, day_start, day_end, rows);
    if (day.good[i + 1].at - day.good[i].at > silence_after_us)
      rows.silences.push_back({day.good[i].at, day.good[i + 1].at});
  }
  if (after) add_segment(day.good.back(), *after, distance_cm(day.good.back(), *after), day_start, day_end, rows);
  if (!after || after->at - day.good.back().at > silence_after_us)
    rows.silences.push_back({day.good.back().at, after ? after->at : none});
}

std::string_view name(Anomaly anomaly) {
  constexpr std::string_view names[] = {"implausible_speed", "future_event", "conflicting_duplicate"};
  return names[static_cast<std::size_t>(anomaly)];
}

}  // namespace ff
