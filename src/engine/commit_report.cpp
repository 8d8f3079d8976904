#include "engine/commit_report.h"

#include <algorithm>
#include <numeric>

#include "base/time.h"

namespace ff {

void LatencyCounts::add(std::int64_t us, std::int64_t times) {
  const double seconds = static_cast<double>(us) / us_per_second;
  const auto bucket = std::lower_bound(bounds_s.begin(), bounds_s.end(), seconds) - bounds_s.begin();
  counts[static_cast<std::size_t>(bucket)] += times;
  sum_s += seconds * static_cast<double>(times);
}

std::int64_t LatencyCounts::total() const { return std::accumulate(counts.begin(), counts.end(), std::int64_t{0}); }

}  // namespace ff
