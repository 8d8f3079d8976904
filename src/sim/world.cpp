#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ff::sim {
namespace {

/// Orders by hour of the UTC day: the country sleeps from 6 to 12 UTC.
constexpr std::array<int, 24> orders_by_hour = {30, 24, 18, 14, 10, 8,  6,  6,  7,  9,  14, 24,
                                                38, 55, 70, 82, 88, 86, 80, 74, 68, 58, 48, 38};

Lane make_lane(int from, int to) {
  Lane lane{.origin = from, .destination = to, .distance_km = distance_km(from, to)};
  if (from == to) return lane;
  // One stop for each 900 km begun after the first, each at the hub nearest to that point of the straight line.
  const int wanted = std::clamp(static_cast<int>(lane.distance_km / 900), 0, 3);
  for (int stop = 1; stop <= wanted; ++stop) {
    const double part = static_cast<double>(stop) / (wanted + 1);
    const auto& a = hubs[static_cast<std::size_t>(from)];
    const auto& b = hubs[static_cast<std::size_t>(to)];
    const double lat = a.latitude + (b.latitude - a.latitude) * part,
                 lon = a.longitude + (b.longitude - a.longitude) * part;
    int best = -1;
    double best_d = 1e9;
    for (int h = 0; h < hub_count; ++h) {
      const auto& hub = hubs[static_cast<std::size_t>(h)];
      const double d = std::hypot(hub.latitude - lat, hub.longitude - lon);
      const bool used = h == from || h == to ||
                        std::find(lane.via.begin(), lane.via.begin() + lane.stops, h) != lane.via.begin() + lane.stops;
      if (!used && d < best_d) best = h, best_d = d;
    }
    lane.via[static_cast<std::size_t>(lane.stops++)] = best;
  }
  return lane;
}

}  // namespace

World::World(std::uint64_t seed, double shipments_per_day) : seed_(seed) {
  // A local driver handles about 60 stops a day (30 pickups, 30 deliveries); the crews of a hub are equally large.
  crew_size_ = std::max(1, static_cast<int>(shipments_per_day * 2 / 60 / hub_count / 2));
  per_hub_ = 4 * crew_size_;
  for (int h = 0; h < hub_count; ++h) {
    const auto at = static_cast<std::size_t>(h);
    Rng rng(seed, Kind::route, at);
    std::array<int, hub_count> others{};
    for (int i = 0; i < hub_count; ++i) others[static_cast<std::size_t>(i)] = i;
    std::swap(others[at], others.back());
    const auto carry = [&](Lane& lane) {
      const auto first = static_cast<int>(rng.below(carriers.size()));
      lane.carrier_choice = {first, static_cast<int>((first + 1 + rng.below(carriers.size() - 1)) % carriers.size())};
    };
    for (std::size_t i = 0; i < lanes_per_hub; ++i) {
      std::swap(others[i], others[i + rng.below(hub_count - 1 - i)]);
      lanes_[at][i] = make_lane(h, others[i]);
      carry(lanes_[at][i]);
    }
    city_lanes_[at] = make_lane(h, h);
    carry(city_lanes_[at]);
  }
}

Crew World::driver_crew(int driver) const { return static_cast<Crew>(driver % per_hub_ / crew_size_); }

int World::driver_of(int hub, Crew crew, std::uint64_t draw) const {
  return hub * per_hub_ + static_cast<int>(crew) * crew_size_ +
         static_cast<int>(draw % static_cast<std::uint64_t>(crew_size_));
}

int World::colleague_of(int driver, std::uint64_t draw) const {
  const int first = driver_hub(driver) * per_hub_;
  const int step = 1 + static_cast<int>(draw % static_cast<std::uint64_t>(per_hub_ - 1));
  return first + (driver - first + step) % per_hub_;
}

std::string World::driver_id(int driver) const { return fmt::format("D{:06}", driver); }

double distance_km(int a, int b) {
  constexpr double radian = std::numbers::pi / 180, earth_km = 6371.0088;
  const auto& p = hubs[static_cast<std::size_t>(a)];
  const auto& q = hubs[static_cast<std::size_t>(b)];
  const double x = std::sin((q.latitude - p.latitude) * radian / 2),
               y = std::sin((q.longitude - p.longitude) * radian / 2);
  return 2 * earth_km *
         std::asin(std::sqrt(x * x + std::cos(p.latitude * radian) * std::cos(q.latitude * radian) * y * y));
}

Micros local_time_of_day(Micros t, int hub) {
  const Micros local = t + hubs[static_cast<std::size_t>(hub)].utc_offset_h * us_per_hour;
  return (local % us_per_day + us_per_day) % us_per_day;
}

Micros into_window(Micros t, int hub, int from_min, int to_min) {
  const Micros now = local_time_of_day(t, hub);
  if (now < from_min * us_per_minute) return t + from_min * us_per_minute - now;
  if (now < to_min * us_per_minute) return t;
  return t + us_per_day + from_min * us_per_minute - now;
}

Micros birth_of(std::uint64_t seed, std::uint64_t index, std::uint64_t count, Micros start, int days) {
  static const auto cumulative = [] {
    std::array<double, 25> sums{};
    for (std::size_t h = 0; h < 24; ++h) sums[h + 1] = sums[h] + orders_by_hour[h];
    for (auto& s : sums) s /= sums[24];
    return sums;
  }();
  Rng rng(seed, Kind::birth, index);
  const double at = (static_cast<double>(index) + rng.unit()) / static_cast<double>(count) * days;
  const double day = std::floor(at), part = at - day;
  const auto hour = std::clamp<std::ptrdiff_t>(
      std::upper_bound(cumulative.begin(), cumulative.end(), part) - cumulative.begin() - 1, 0, 23);
  const auto h = static_cast<std::size_t>(hour);
  const double within = (part - cumulative[h]) / (cumulative[h + 1] - cumulative[h]);
  const auto ms = static_cast<Micros>((static_cast<double>(hour) + within) * 3'600'000);
  return start + static_cast<Micros>(day) * us_per_day + std::min<Micros>(ms, 86'399'999) * 1000;
}

PersonalData personal_data(std::uint64_t seed, std::uint64_t person) {
  static constexpr std::array<std::string_view, 12> first = {"Ailsa",   "Bertrand", "Concepta", "Dashiell",
                                                             "Eulalia", "Fergus",   "Griselda", "Hezekiah",
                                                             "Isolde",  "Jocasta",  "Kermit",   "Leopoldine"};
  static constexpr std::array<std::string_view, 12> last = {
      "Quillfeather", "Butterworthy", "Nettlethorpe", "Wobblesham",  "Crumplehorn", "Fiddlestone",
      "Marrowgate",   "Pumpernell",   "Snickerdale",  "Thistlewick", "Umberbottom", "Vexingham"};
  Rng rng(seed, Kind::driver_record, person);
  const auto f = first[rng.below(first.size())], l = last[rng.below(last.size())];
  PersonalData pii;
  pii.name = fmt::format("{} {}-{:05}", f, l, person);
  pii.phone = fmt::format("+1-{}-55-{:07}", rng.between(201, 989), person);
  pii.email = fmt::format("{}.{}.{}@home.example", f, l, person);
  pii.licence_number = fmt::format("LIC{:08X}{:05}", rng.next() & 0xffffffff, person % 100000);
  pii.home_address = fmt::format("{} {} Crescent, Apt {}", rng.between(1000, 9999), l, person);
  pii.date_of_birth = fmt::format("{}-{:02}-{:02}", rng.between(1955, 1989), rng.between(1, 12), rng.between(1, 28));
  return pii;
}

}  // namespace ff::sim
