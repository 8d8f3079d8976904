/// Where the drivers' vehicles are: pings while on shift, in the order of time, each driver on his own.
///
/// A vehicle drives and stands in turns, never faster than 27 m/s, and turns home when it is far from its hub. The GPS faults
/// of faults.h happen here. Memory: one cursor per driver, and the few lines that are heard later than their slice.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/feed_writer.h"
#include "sim/simulate.h"
#include "sim/telling.h"

namespace ff::sim {

class Truth;

class Fleet {
 public:
  Fleet(const SimOptions& options, const World& world, Truth& truth);

  /// Gives `gps` the pings heard before `until` that were not given yet.
  void drive(Micros until, FeedWriter& gps);
  Micros ping_interval() const { return interval_; }

  /// How much the feed tells when all is well: what its contract says.
  struct Expectation {
    std::int64_t silent_after_min = 60, per_day_min = 0, per_day_max = 0;
  };
  Expectation expectation() const;

 private:
  struct Cursor {
    Micros next = 0, shift_start = 0, shift_end = 0, delay = 0;
    double latitude = 0, longitude = 0, heading = 0;
    std::uint32_t number = 0, last_fault = 0;
  };
  void start_shift(int driver, Cursor& cursor, Micros after);
  void move(int driver, Cursor& cursor, Rng& rng, Ping& ping);
  void tell(int driver, const Cursor& cursor, int copy, const Ping& ping, Micros until, FeedWriter& gps);
  void misbehave(int driver, Cursor& cursor, Rng& rng, Ping& ping, Micros until, FeedWriter& gps);

  void plan_faults_of_the_feed();
  Micros heard_after_silence(Micros heard) const;
  bool is_odd_day(Micros time) const { return odd_day_ != none && time >= odd_day_ && time < odd_day_ + us_per_day; }

  const SimOptions& options_;
  const World& world_;
  Truth& truth_;
  Micros interval_ = 0, gps_end_ = 0;
  Micros silent_from_ = none, silent_until_ = none;  ///< what would be heard then is heard after
  Micros odd_day_ = none;                            ///< its midnight
  bool is_flood_ = false;                            ///< of the odd day: pings come as two; else most are lost
  std::vector<Cursor> cursors_;
  std::map<std::pair<Micros, std::uint64_t>, std::string> held_back_;
};

}  // namespace ff::sim
