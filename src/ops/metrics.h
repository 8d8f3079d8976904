/// What the engine did, as numbers for a monitoring system: adds up CommitReports, shows them in Prometheus' text format.
///
/// Always: shows exactly the metrics of metric_list.h; one without a sample yet is absent.
/// Threads: observe() and scrape() from any.
#pragma once

#include <memory>
#include <string>

#include "engine/commit_report.h"
#include "source/change_publisher.h"
#include "source/kafka_options.h"

namespace ff::ops {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  void observe(const CommitReport& report);
  /// What the client of the Kafka source `source` counts; its totals are since its start.
  void observe(const std::string& source, const KafkaStats& stats);
  /// What the Postgres source `source` counts; its totals are since its start. `now`: of the same clock.
  void observe(const std::string& source, const PostgresStats& stats, Micros now);
  /// What the publisher of the source `source` did.
  void observe(const std::string& source, const PublishReport& report, Micros now);
  /// The page of /metrics at the moment `now`. Source: Prometheus text exposition format 0.0.4.
  std::string scrape(Micros now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff::ops
