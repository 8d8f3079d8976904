#include "sim/fleet.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sim/truth.h"

namespace ff::sim {
namespace {

constexpr Micros second = us_per_second, minute = us_per_minute, hour = us_per_hour;
constexpr double metres_per_degree = 111'195;

}  // namespace

Fleet::Fleet(const SimOptions& options, const World& world, Truth& truth)
    : options_(options), world_(world), truth_(truth) {
  if (options.pings_per_shipment <= 0) return;
  // A shift lasts 12 hours on average. Seven minutes at most: two pings may be missing without a gap of 15.
  const double per_day = options.pings_per_shipment * static_cast<double>(options.shipments) / options.days;
  interval_ = std::clamp<Micros>(static_cast<Micros>(world.driver_count() * 12.0 * 3600 / per_day), 2, 420) * second;
  gps_end_ = std::min(options.end(), options.start + options.days * us_per_day);
  if (!options.contracts.empty()) plan_faults_of_the_feed();
  cursors_.resize(static_cast<std::size_t>(world.driver_count()));
  for (int driver = 0; driver < world.driver_count(); ++driver) {
    Cursor& cursor = cursors_[static_cast<std::size_t>(driver)];
    Rng rng(options.seed, Kind::driver, static_cast<std::uint64_t>(driver));
    const auto& hub = hubs[static_cast<std::size_t>(world.driver_hub(driver))];
    cursor.delay = rng.between(2'000, 20'000) * 1000;
    cursor.latitude = hub.latitude + (rng.unit() - 0.5) / 10;
    cursor.longitude = hub.longitude + (rng.unit() - 0.5) / 10;
    cursor.heading = rng.unit() * 2 * std::numbers::pi;
    start_shift(driver, cursor, options.start - us_per_day);
    while (cursor.next < options.start) {
      cursor.next += interval_;
      if (cursor.next >= cursor.shift_end) start_shift(driver, cursor, cursor.shift_end);
    }
  }
}

Fleet::Expectation Fleet::expectation() const {
  if (interval_ == 0) return {};
  const auto usual = world_.driver_count() * (12 * hour / interval_);
  return {.per_day_min = usual * 4 / 10, .per_day_max = usual * 16 / 10};
}

void Fleet::plan_faults_of_the_feed() {
  Rng rng(options_.seed, Kind::fault, ~std::uint64_t{1});
  const auto days = static_cast<std::uint64_t>((gps_end_ - options_.start) / us_per_day);
  if (rng.chance(options_.faults[Fault::silent_feed]) && days > 0) {
    const Micros length = rng.between(120, 300) * minute;
    silent_from_ = options_.start + static_cast<Micros>(rng.below(days)) * us_per_day + hour +
                   rng.between(0, (22 * hour - length) / minute) * minute;
    silent_until_ = silent_from_ + length;
    truth_.count(Fault::silent_feed);
  }
  if (rng.chance(options_.faults[Fault::odd_volume]) && days > 1) {
    odd_day_ = options_.start + (1 + static_cast<Micros>(rng.below(days - 1))) * us_per_day;
    is_flood_ = rng.chance(0.5);
    truth_.count(Fault::odd_volume);
  }
}

/// In the order in which it would have been heard, within seconds.
Micros Fleet::heard_after_silence(Micros heard) const {
  if (silent_from_ == none || heard < silent_from_ || heard >= silent_until_) return heard;
  return silent_until_ + (heard - silent_from_) / 1'000'000 * 1000;
}

void Fleet::start_shift(int driver, Cursor& cursor, Micros after) {
  const Shift shift = shifts[static_cast<std::size_t>(world_.driver_crew(driver))];
  const int hub = world_.driver_hub(driver);
  const Micros into_day = local_time_of_day(after, hub);
  cursor.shift_start = after - into_day + shift.from_h * hour;
  while (cursor.shift_start < after) cursor.shift_start += us_per_day;
  cursor.shift_end = cursor.shift_start + shift.hours * hour;
  cursor.next = cursor.shift_start + static_cast<Micros>(mix(static_cast<std::uint64_t>(driver)) %
                                                         static_cast<std::uint64_t>(interval_ / second)) *
                                         second;
}

void Fleet::drive(Micros until, FeedWriter& gps) {
  for (auto it = held_back_.begin(); it != held_back_.end() && it->first.first < until; it = held_back_.erase(it)) {
    gps.text() += it->second;
    gps.end_line(it->first.first, it->first.second);
  }
  for (std::size_t d = 0; d < cursors_.size(); ++d) {
    Cursor& cursor = cursors_[d];
    const int driver = static_cast<int>(d);
    while (cursor.next + cursor.delay < std::min(until, gps_end_)) {
      Rng rng(options_.seed, Kind::ping, (static_cast<std::uint64_t>(d) << 32) | ++cursor.number);
      Ping ping{.time = cursor.next, .heard = heard_after_silence(cursor.next + cursor.delay)};
      move(driver, cursor, rng, ping);
      const bool lost =
          is_odd_day(ping.time) && !is_flood_ && mix(cursor.number ^ static_cast<std::uint64_t>(d) << 32) % 8 != 0;
      if (!lost) misbehave(driver, cursor, rng, ping, until, gps);
      cursor.next += interval_;
      if (cursor.next >= cursor.shift_end) start_shift(driver, cursor, cursor.shift_end);
    }
  }
}

void Fleet::move(int driver, Cursor& cursor, Rng& rng, Ping& ping) {
  const bool line = world_.driver_crew(driver) >= Crew::line_day;
  const auto& hub = hubs[static_cast<std::size_t>(world_.driver_hub(driver))];
  const double dt = static_cast<double>(interval_) / second;
  const bool driving = Rng(options_.seed, Kind::route, (static_cast<std::uint64_t>(driver) << 32) | (cursor.number / 5))
                           .chance(line ? 0.7 : 0.6);
  double speed = 0;
  if (driving) {
    speed = line ? 20 + rng.unit() * 7 : 4 + rng.unit() * 12;
    const double north = (hub.latitude - cursor.latitude) * metres_per_degree;
    const double cosine = std::cos(cursor.latitude * std::numbers::pi / 180);
    const double east = (hub.longitude - cursor.longitude) * metres_per_degree * cosine;
    cursor.heading += (rng.unit() - 0.5) * 0.8;
    if (std::hypot(north, east) > (line ? 300'000 : 40'000)) cursor.heading = std::atan2(east, north);
    cursor.latitude += speed * dt * std::cos(cursor.heading) / metres_per_degree;
    cursor.longitude += speed * dt * std::sin(cursor.heading) / metres_per_degree / cosine;
  }
  ping.latitude = cursor.latitude;
  ping.longitude = cursor.longitude;
  ping.speed_dm_s = driver % 10 == 0 ? -1 : static_cast<int>(speed * 10);
}

void Fleet::misbehave(int driver, Cursor& cursor, Rng& rng, Ping& ping, Micros until, FeedWriter& gps) {
  const auto& rates = options_.faults;
  const Micros of_day = ping.time % us_per_day;
  // Where a neighbour on both sides is sure: neither a shift nor a day begins or ends.
  const bool amid = ping.time - cursor.shift_start > 30 * minute && cursor.shift_end - ping.time > 30 * minute &&
                    of_day > 30 * minute && of_day < us_per_day - 30 * minute && ping.time > options_.start + hour &&
                    cursor.number > cursor.last_fault + 6 && !is_odd_day(ping.time - hour) &&
                    !is_odd_day(ping.time + hour);
  if (rng.chance(rates[Fault::gps_jump]) && amid) {
    cursor.last_fault = cursor.number;
    ping.latitude -= 1.2 + rng.unit();
    truth_.ping_finding(Fault::gps_jump, "implausible_speed", driver, ping.time);
  }
  if (rng.chance(rates[Fault::gps_future]) && amid) {
    Ping early = ping;
    early.time = ping.heard + rng.between(10, 180) * minute + 777'000;
    if (early.time + hour < options_.end()) {
      tell(driver, cursor, 2, early, until, gps);
      truth_.ping_finding(Fault::gps_future, "future_event", driver, early.time);
    }
  }
  if (rng.chance(rates[Fault::gps_out_of_range])) {
    Ping broken = ping;
    broken.time += 500'000;
    broken.latitude = 95 + rng.unit();
    tell(driver, cursor, 3, broken, until, gps);
    std::string line;
    append_ping(line, world_.driver_id(driver), broken);
    truth_.refused_line(Fault::gps_out_of_range, "coordinate_out_of_range", world_.driver_id(driver), line);
  }
  if (rng.chance(rates[Fault::gps_buffered])) {
    const Micros heard = ping.heard + rng.between(60'000, 7'200'000) * 1000;
    if (heard < options_.end()) {
      ping.heard = heard;
      truth_.count(Fault::gps_buffered);
    }
  }
  tell(driver, cursor, 0, ping, until, gps);
  if (is_odd_day(ping.time) && is_flood_) {
    Ping again = ping;
    again.time += 250'000;
    tell(driver, cursor, 4, again, until, gps);
  }
  if (rng.chance(rates[Fault::duplicate])) {
    ping.heard += rng.between(500, 600'000) * 1000;
    if (ping.heard < options_.end()) {
      tell(driver, cursor, 1, ping, until, gps);
      truth_.count(Fault::duplicate);
    }
  }
}

void Fleet::tell(int driver, const Cursor& cursor, int copy, const Ping& told, Micros until, FeedWriter& gps) {
  Ping ping = told;
  ping.heard = heard_after_silence(told.heard);
  const std::uint64_t tie = (static_cast<std::uint64_t>(driver) << 40) |
                            (static_cast<std::uint64_t>(cursor.number) << 3) | static_cast<std::uint64_t>(copy);
  std::string& out = ping.heard < until ? gps.text() : held_back_[{ping.heard, tie}];
  append_ping(out, world_.driver_id(driver), ping);
  if (ping.heard < until) gps.end_line(ping.heard, tie);
  if (copy != 1 && copy != 3) truth_.new_ping(ping.heard);
}

}  // namespace ff::sim
