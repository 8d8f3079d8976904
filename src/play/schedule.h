/// When each record is told, and what a moment of the world becomes.
///
/// Records are told at a rate, not at their own pace: the n-th at `moment_of(n)` after the start, whatever hour of the world it is. A world's night passes
/// quickly. All times in the records follow the same bent clock, so order, ties included, is kept; durations are not.
/// Times before the first record and behind the last (promises) follow the average pace. Not for several threads while being made.
#pragma once

#include <cstdint>
#include <vector>

namespace ff::play {

/// `base` records a second, and in the last `burst_seconds` of every `period_seconds`, `burst` a second.
struct Rate {
  double base = 8000;
  double burst = 35000;
  double period_seconds = 60;
  double burst_seconds = 0;

  /// Records due in the first so many seconds; grows, continuously.
  double due_after(double seconds) const;
  /// The inverse: seconds until the n-th record is due.
  double seconds_until(double records) const;
};

class Schedule {
 public:
  explicit Schedule(Rate rate) : rate_(rate) {}

  /// In the order of the world: when the next record was heard there, microseconds since the epoch. Never falls.
  void add(std::int64_t heard);
  /// After the last add: the world starts to be told now.
  void start(std::int64_t now);

  std::uint64_t records() const { return records_; }
  const Rate& rate() const { return rate_; }
  /// The real moment of a moment of the world; rises with it.
  std::int64_t real(std::int64_t world) const;

 private:
  struct Point {
    std::int64_t world, since_start;
  };
  void keep_last();
  double pace() const;  ///< real microseconds for one of the world, on average; 1 with fewer than two points

  Rate rate_;
  std::vector<Point> points_;  ///< of the first record of each thousand, and of the last; `world` strictly rises
  Point last_ = {};
  std::uint64_t records_ = 0;
  std::int64_t start_ = 0;
};

}  // namespace ff::play
