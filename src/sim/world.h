/// The world's fixed furniture: hubs, lanes, carriers, service levels, drivers and their shifts, and when orders come.
///
/// All of it is a function of the seed and of how many shipments a day there are; nothing here changes while time passes.
/// Hubs are real cities with real coordinates; a hub's clock is UTC + its whole-hour offset, without summer time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "domain/fact.h"
#include "sim/rng.h"

namespace ff::sim {

struct Hub {
  std::string_view code, city;
  double latitude, longitude;
  int utc_offset_h;
};
inline constexpr std::array<Hub, 16> hubs = {{
    {"SEA", "Seattle", 47.4489, -122.3094, -8},
    {"LAX", "Los Angeles", 33.9425, -118.4081, -8},
    {"SFO", "San Francisco", 37.6189, -122.3750, -8},
    {"PHX", "Phoenix", 33.4342, -112.0116, -7},
    {"DEN", "Denver", 39.8617, -104.6731, -7},
    {"SLC", "Salt Lake City", 40.7884, -111.9778, -7},
    {"DFW", "Dallas", 32.8968, -97.0380, -6},
    {"ORD", "Chicago", 41.9786, -87.9048, -6},
    {"MSP", "Minneapolis", 44.8820, -93.2218, -6},
    {"MEM", "Memphis", 35.0424, -89.9767, -6},
    {"ATL", "Atlanta", 33.6367, -84.4281, -5},
    {"MIA", "Miami", 25.7932, -80.2906, -5},
    {"CLT", "Charlotte", 35.2140, -80.9431, -5},
    {"PIT", "Pittsburgh", 40.4915, -80.2329, -5},
    {"EWR", "Newark", 40.6925, -74.1687, -5},
    {"BOS", "Boston", 42.3643, -71.0052, -5},
}};
inline constexpr int hub_count = static_cast<int>(hubs.size());

struct ServiceLevel {
  std::string_view name;
  int share;  ///< of 100 orders
  /// As reference/sla_policy.csv promises them (world_test.cpp compares).
  int pickup_within_h, delivery_within_h, grace_min, early_window_min, risk_window_min;
};
enum Service { same_day, express, standard, economy, freight };
inline constexpr std::array<ServiceLevel, 5> service_levels = {{
    {"same_day", 8, 2, 10, 10, 60, 60},
    {"express", 25, 4, 24, 15, 240, 180},
    {"standard", 47, 24, 96, 30, 1440, 720},
    {"economy", 15, 24, 168, 60, 2880, 1440},
    {"freight", 5, 48, 240, 120, 2880, 1440},
}};

struct Carrier {
  std::string_view id;
  double trouble;  ///< how often a leg is held up, per leg
};
inline constexpr std::array<Carrier, 6> carriers = {{
    {"ALBATROSS", 0.02},
    {"BISON", 0.06},
    {"CARIBOU", 0.03},
    {"DROMEDARY", 0.12},
    {"EGRET", 0.04},
    {"FALCON", 0.05},
}};
/// The carrier whose scans come as partner files instead, if there are any.
inline constexpr int partner_carrier = 5;

struct Lane {
  int origin = 0, destination = 0;
  std::array<int, 2> carrier_choice{};  ///< the usual one first
  std::array<int, 3> via{};             ///< hubs on the way, `stops` of them
  int stops = 0;
  double distance_km = 0;
};

/// Who drives when. `local_*` pick up and deliver around their hub, `line_*` drive between hubs. Hours are the hub's.
enum class Crew : std::uint8_t { local_early, local_late, line_day, line_night };
struct Shift {
  int from_h, hours;
};
inline constexpr std::array<Shift, 4> shifts = {{{6, 10}, {12, 10}, {7, 14}, {19, 14}}};

inline constexpr int nobody = -1;  ///< as a driver

class World {
 public:
  World(std::uint64_t seed, double shipments_per_day);

  std::uint64_t seed() const { return seed_; }
  int driver_count() const { return hub_count * per_hub_; }
  int driver_hub(int driver) const { return driver / per_hub_; }
  Crew driver_crew(int driver) const;
  /// A driver of that hub and crew; `draw` chooses which.
  int driver_of(int hub, Crew crew, std::uint64_t draw) const;
  /// Another driver than `driver`, of the same hub.
  int colleague_of(int driver, std::uint64_t draw) const;
  std::string driver_id(int driver) const;

  const Lane& lane(int origin, std::uint64_t draw) const {
    return lanes_[static_cast<std::size_t>(origin)][draw % lanes_per_hub];
  }
  /// Within the city of `hub`.
  const Lane& city_lane(int hub) const { return city_lanes_[static_cast<std::size_t>(hub)]; }

 private:
  static constexpr std::size_t lanes_per_hub = 4;
  std::uint64_t seed_;
  int crew_size_ = 1, per_hub_ = 4;
  std::array<std::array<Lane, lanes_per_hub>, hub_count> lanes_;
  std::array<Lane, hub_count> city_lanes_;
};

double distance_km(int hub_a, int hub_b);

/// Micros since the hub's midnight.
Micros local_time_of_day(Micros t, int hub);
/// The first moment at or after `t` at which the hub's clock shows between `from_min` and `to_min` minutes after midnight.
Micros into_window(Micros t, int hub, int from_min, int to_min);

/// When the `index`-th of `count` orders of `days` days comes: rising with index, few at night, most in the late morning.
Micros birth_of(std::uint64_t seed, std::uint64_t index, std::uint64_t count, Micros start, int days);

/// Made-up personal data of a driver: every string is unlike anything else the world writes, so that a search for it in
/// what a program wrote finds leaks and nothing else.
struct PersonalData {
  std::string name, phone, email, licence_number, home_address, date_of_birth;
};
PersonalData personal_data(std::uint64_t seed, std::uint64_t person);

}  // namespace ff::sim
