/// The process itself, as every Prometheus client names it: CPU, memory, files, threads. Linux.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace ff::ops {

/// Reads /proc/self at each Collect(); what cannot be read is left out. Any thread.
class ProcessMetrics final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace ff::ops
