#include "play/schedule.h"

#include <algorithm>
#include <cmath>

namespace ff::play {

double Rate::due_after(double seconds) const {
  const double quiet = period_seconds - burst_seconds;
  const double periods = std::floor(seconds / period_seconds), rest = seconds - periods * period_seconds;
  return periods * (base * quiet + burst * burst_seconds) + base * std::min(rest, quiet) +
         burst * std::max(0.0, rest - quiet);
}

double Rate::seconds_until(double records) const {
  const double quiet = period_seconds - burst_seconds, in_period = base * quiet + burst * burst_seconds;
  const double periods = std::floor(records / in_period), rest = records - periods * in_period;
  const double in_quiet = std::min(rest, base * quiet);
  return periods * period_seconds + in_quiet / base + (rest - in_quiet) / burst;
}

void Schedule::add(std::int64_t heard) {
  last_ = {heard, static_cast<std::int64_t>(1e6 * rate_.seconds_until(static_cast<double>(records_)))};
  if (records_++ % 1000 == 0) keep_last();
}

void Schedule::keep_last() {
  if (points_.empty() || last_.world > points_.back().world) points_.push_back(last_);
}

void Schedule::start(std::int64_t now) {
  start_ = now;
  if (records_ > 0) keep_last();
}

double Schedule::pace() const {
  if (points_.size() < 2) return 1;
  const Point &a = points_.front(), &b = points_.back();
  return static_cast<double>(b.since_start - a.since_start) / static_cast<double>(b.world - a.world);
}

std::int64_t Schedule::real(std::int64_t world) const {
  if (points_.empty()) return start_ + world;
  const auto along = [&](const Point& from, double slope) {
    return start_ + from.since_start + static_cast<std::int64_t>(slope * static_cast<double>(world - from.world));
  };
  const auto after = std::upper_bound(points_.begin(), points_.end(), world,
                                      [](std::int64_t t, const Point& p) { return t < p.world; });
  if (after == points_.begin()) return along(points_.front(), pace());
  if (after == points_.end()) return along(points_.back(), pace());
  const Point &from = *(after - 1), &to = *after;
  return along(from,
               static_cast<double>(to.since_start - from.since_start) / static_cast<double>(to.world - from.world));
}

}  // namespace ff::play
