/// Randomness without order: every entity (shipment 17, driver 4, ping 9 of driver 4) draws from a generator keyed by the
/// seed, the kind of thing and its number, so what it is like never depends on what was made before it.
/// Source: splitmix64 (Vigna), used as a counter generator.
#pragma once

#include <cstdint>

namespace ff::sim {

constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// What a generator is for. Two kinds never share numbers; the values are part of what a seed means.
enum class Kind : std::uint64_t { birth = 1, shipment, fault, driver, route, ping, driver_record, telling };

class Rng {
 public:
  Rng(std::uint64_t seed, Kind kind, std::uint64_t number)
      : state_(mix(mix(seed ^ (static_cast<std::uint64_t>(kind) << 56)) ^ number)) {}

  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
  /// In [0, n).
  std::uint64_t below(std::uint64_t n) { return static_cast<std::uint64_t>((static_cast<Wide>(next()) * n) >> 64); }
  /// In [low, high], both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  /// In [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  bool chance(double probability) { return unit() < probability; }

 private:
  __extension__ using Wide = unsigned __int128;
  std::uint64_t state_;
};

}  // namespace ff::sim
