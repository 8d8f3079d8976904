#include "ops/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "base/time.h"
#include "ops/metric_list.h"
#include "ops/process_metrics.h"

namespace ff::ops {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets latency_bounds(LatencyCounts::bounds_s.begin(), LatencyCounts::bounds_s.end());
const Buckets work_bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

double seconds(std::int64_t us) { return static_cast<double>(us) / us_per_second; }

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  ProcessMetrics process;
  std::mutex mutex;  ///< of the following
  CommitReport last;
  std::map<std::pair<Metric, std::vector<std::string>>, double> totals;

  /// `values`: of the labels that the list names, in its order.
  template <class Build>
  auto& family(Build build, Metric metric) {
    return build().Name(std::string(spec(metric).name)).Help(std::string(spec(metric).meaning)).Register(registry);
  }
  static prometheus::Labels labels(Metric metric, const std::vector<std::string>& values) {
    prometheus::Labels out;
    for (std::size_t i = 0; i < values.size(); ++i) out.emplace(spec(metric).labels[i], values[i]);
    return out;
  }

  void count(Metric metric, double n, const std::vector<std::string>& values = {}) {
    family(prometheus::BuildCounter, metric).Add(labels(metric, values)).Increment(n);
  }
  void set(Metric metric, double n, const std::vector<std::string>& values = {}) {
    family(prometheus::BuildGauge, metric).Add(labels(metric, values)).Set(n);
  }
  /// For a total that somebody else keeps; it may start anew from 0.
  void raise(Metric metric, double total, const std::vector<std::string>& values) {
    double& before = totals[{metric, values}];
    count(metric, total >= before ? total - before : total, values);
    before = total;
  }
  prometheus::Histogram& histogram(Metric metric, const Buckets& bounds, const std::vector<std::string>& values = {}) {
    return family(prometheus::BuildHistogram, metric).Add(labels(metric, values), bounds);
  }
  void observe(const FeedReport& feed);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  // Alerts compare with the past: what can happen stands there with 0 before it first does.
  for (const char* result : {"ok", "conflict", "unknown", "failed"}) impl_->count(Metric::commits, 0, {result});
  impl_->count(Metric::backpressure, 0);
  impl_->histogram(Metric::commit_seconds, work_bounds);
}
Metrics::~Metrics() = default;

void Metrics::Impl::observe(const FeedReport& feed) {
  std::int64_t refused = 0;
  for (const auto& [reason, n] : feed.refused) {
    refused += n;
    count(Metric::dlq_records, static_cast<double>(n), {feed.contract, reason});
  }
  count(Metric::records, static_cast<double>(feed.accepted), {"decode", feed.contract, "accepted"});
  count(Metric::records, static_cast<double>(refused), {"decode", feed.contract, "refused"});
  count(Metric::records, static_cast<double>(feed.accepted - feed.duplicates), {"fold", feed.contract, "new"});
  count(Metric::records, static_cast<double>(feed.duplicates), {"fold", feed.contract, "duplicate"});
  count(Metric::dedup_dropped, static_cast<double>(feed.duplicates), {feed.contract});
  count(Metric::late_records, static_cast<double>(feed.late), {feed.contract});
  count(Metric::bytes, static_cast<double>(feed.bytes), {feed.contract});
  auto& watermark = family(prometheus::BuildGauge, Metric::watermark).Add(labels(Metric::watermark, {feed.contract}));
  if (feed.newest_ingest_time != none) watermark.Set(std::max(watermark.Value(), seconds(feed.newest_ingest_time)));
  if (feed.latency.total() > 0)
    histogram(Metric::e2e_latency, latency_bounds, {feed.contract})
        .ObserveMultiple({feed.latency.counts.begin(), feed.latency.counts.end()}, feed.latency.sum_s);
}

void Metrics::observe(const CommitReport& report) {
  Impl& m = *impl_;
  const std::lock_guard lock(m.mutex);
  using enum CommitReport::Result;
  if (report.result != idle) {
    m.count(Metric::commits, 1, {std::string(name(report.result))});
    m.histogram(Metric::commit_seconds, work_bounds).Observe(seconds(report.transaction_us));
  }
  // What was not committed is told again with the commit that succeeds.
  if (report.result == ok)
    for (const FeedReport& feed : report.feeds) m.observe(feed);
  for (const auto& [stage, us] : report.stage_us)
    m.histogram(Metric::stage_latency, work_bounds, {stage}).Observe(seconds(us));
  for (const SourceReport& source : report.sources) {
    m.set(Metric::source_connected, source.is_connected, {source.name});
    if (source.heard_until != none) m.set(Metric::source_heard_until, seconds(source.heard_until), {source.name});
  }
  m.set(Metric::publish_seq, static_cast<double>(report.publish_seq));
  m.set(Metric::inflight_bytes, static_cast<double>(report.inflight_bytes));
  m.set(Metric::dlq_depth, static_cast<double>(report.quarantine_records));
  m.set(Metric::state_bytes, static_cast<double>(report.state_bytes));
  m.count(Metric::backpressure, seconds(report.backpressure_us));
  m.last = report;
}

void Metrics::observe(const std::string& source, const KafkaStats& stats) {
  Impl& m = *impl_;
  const std::lock_guard lock(m.mutex);
  std::int64_t lag = 0;
  for (const KafkaStats::Partition& each : stats.partitions) lag += std::max<std::int64_t>(each.lag, 0);
  m.set(Metric::kafka_lag, static_cast<double>(lag), {source});
  m.set(Metric::kafka_partitions, static_cast<double>(stats.partitions.size()), {source});
  m.set(Metric::kafka_queue_bytes, static_cast<double>(stats.queue_bytes), {source});
  m.set(Metric::kafka_rtt, seconds(stats.rtt_us), {source});
  m.set(Metric::kafka_brokers_up, static_cast<double>(stats.brokers_up), {source});
  m.raise(Metric::kafka_rebalances, static_cast<double>(stats.rebalances), {source});
  m.raise(Metric::kafka_received_bytes, static_cast<double>(stats.received_bytes), {source});
}

void Metrics::observe(const std::string& source, const PostgresStats& stats, Micros now) {
  Impl& m = *impl_;
  const std::lock_guard lock(m.mutex);
  const PgSlotStats& slot = stats.slot;
  if (stats.heard_until != none)
    m.set(Metric::cdc_lag, seconds(std::max<Micros>(0, now - stats.heard_until)), {source});
  if (stats.heard_at != none) m.set(Metric::cdc_silence, seconds(std::max<Micros>(0, now - stats.heard_at)), {source});
  m.set(Metric::cdc_snapshot_rows_remaining, static_cast<double>(stats.snapshot_rows_remaining), {source});
  m.raise(Metric::cdc_connections, static_cast<double>(stats.connections), {source});
  if (slot.taken_at == none) return;
  m.set(Metric::cdc_confirmed_flush_lsn, static_cast<double>(slot.confirmed_lsn), {source});
  m.set(Metric::cdc_unconfirmed_bytes, static_cast<double>(slot.unconfirmed_bytes), {source});
  m.set(Metric::pg_slot_retained_wal_bytes, static_cast<double>(slot.retained_bytes), {source, slot.slot});
  if (slot.safe_bytes != none)
    m.set(Metric::pg_slot_safe_wal_bytes, static_cast<double>(slot.safe_bytes), {source, slot.slot});
  for (const char* status : {"reserved", "extended", "unreserved", "lost"})
    m.set(Metric::pg_slot_wal_status, slot.wal_status == status, {source, slot.slot, status});
  m.set(Metric::pg_slot_active, slot.is_active, {source, slot.slot});
  m.set(Metric::pg_oldest_xact_age, seconds(slot.oldest_transaction_us), {source});
}

void Metrics::observe(const std::string& source, const PublishReport& report, Micros now) {
  if (report.postgres) observe(source, *report.postgres, now);
  observe(source, report.topics.value_or(report.kafka));
  Impl& m = *impl_;
  const std::lock_guard lock(m.mutex);
  for (const auto& [code, records] : report.kafka.produce_errors)
    m.raise(Metric::kafka_produce_errors, static_cast<double>(records), {source, code});
  m.set(Metric::source_connected, report.is_connected, {source});
  if (report.heard_until != none) m.set(Metric::source_heard_until, seconds(report.heard_until), {source});
  for (const auto& [contract, published] : report.published) {
    m.count(Metric::cdc_published_records, static_cast<double>(published.records), {contract});
    m.count(Metric::cdc_published_bytes, static_cast<double>(published.bytes), {contract});
  }
}

std::string Metrics::scrape(Micros now) const {
  Impl& m = *impl_;
  {
    const std::lock_guard lock(m.mutex);
    for (const std::string& table : m.last.tables) {
      const auto lagging = m.last.lagging.find(table);
      const Micros until = lagging != m.last.lagging.end() ? lagging->second
                           : table.starts_with("curated.") ? m.last.curated_until
                                                           : m.last.visible_until;
      if (until != none) m.set(Metric::table_freshness, seconds(now - until), {table});
    }
  }
  auto families = m.registry.Collect();
  for (auto& family : m.process.Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace ff::ops
