/// Every metric of the service, once: type, unit, labels and meaning. docs/metrics.md is this list as a table
/// (`fleetflow metrics` prints it, a test compares), and the registry knows no other.
///
/// Names follow Prometheus: base units, `_total` for what only grows. No shipment and no driver is ever a label: labels
/// have as many values as there are feeds, tables, stages, words. Counters start at 0 with the process.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace ff::ops {

enum class MetricType : unsigned char { counter, gauge, histogram };

constexpr std::string_view name(MetricType t) {
  constexpr std::string_view names[] = {"counter", "gauge", "histogram"};
  return names[static_cast<std::size_t>(t)];
}

/// In the order of the list.
enum class Metric : std::size_t {
  records,
  bytes,
  dedup_dropped,
  late_records,
  dlq_records,
  dlq_depth,
  stage_latency,
  commits,
  commit_seconds,
  e2e_latency,
  watermark,
  table_freshness,
  inflight_bytes,
  backpressure,
  state_bytes,
  publish_seq,
  source_connected,
  source_heard_until,
  kafka_lag,
  kafka_partitions,
  kafka_queue_bytes,
  kafka_rtt,
  kafka_brokers_up,
  kafka_rebalances,
  kafka_received_bytes,
  process_cpu,
  process_resident,
  process_virtual,
  process_start,
  process_open_fds,
  process_max_fds,
  process_threads,
};

struct MetricSpec {
  Metric metric;
  std::string_view name;
  MetricType type;
  std::string_view unit;                   ///< what one is
  std::array<std::string_view, 3> labels;  ///< empty ones are none
  std::string_view meaning;
};

// clang-format off: one metric, one paragraph
inline constexpr MetricSpec metric_list[] = {
    {Metric::records,
     "fleetflow_records_total",
     MetricType::counter,
     "records",
     {"stage", "source", "result"},
     "Records by what became of them. Stage `decode`: `accepted` or `refused`; stage `fold`: `new` or "
     "`duplicate`. `source` is the contract's id"},
    {Metric::bytes,
     "fleetflow_bytes_total",
     MetricType::counter,
     "bytes",
     {"source"},
     "Payload of the records, accepted and refused"},
    {Metric::dedup_dropped,
     "fleetflow_dedup_dropped_total",
     MetricType::counter,
     "records",
     {"source"},
     "Accepted facts that were known already and changed nothing"},
    {Metric::late_records,
     "fleetflow_late_records_total",
     MetricType::counter,
     "records",
     {"source"},
     "Events that came later than their contract's `lateAfterMin`; they count all the same"},
    {Metric::dlq_records,
     "fleetflow_dlq_records_total",
     MetricType::counter,
     "records",
     {"source", "error_class"},
     "Records put into `ops.quarantine`, by their `reason`"},
    {Metric::dlq_depth, "fleetflow_dlq_depth", MetricType::gauge, "records", {}, "Records in `ops.quarantine` now"},
    {Metric::stage_latency,
     "fleetflow_stage_latency_seconds",
     MetricType::histogram,
     "seconds",
     {"stage"},
     "Time one commit spent in a stage of the loop"},
    {Metric::commits,
     "fleetflow_commits_total",
     MetricType::counter,
     "commits",
     {"result"},
     "Ends of commits: `ok`, `conflict` (done again), `unknown` (looked up, then done again or not), `failed`"},
    {Metric::commit_seconds,
     "fleetflow_commit_seconds",
     MetricType::histogram,
     "seconds",
     {},
     "Time from the begin of a transaction to its visibility"},
    {Metric::e2e_latency,
     "fleetflow_e2e_latency_seconds",
     MetricType::histogram,
     "seconds",
     {"source"},
     "From `ingest_time` to the commit that made a fact visible in curated tables; 180 s is the promise. Feeds "
     "that are `historical` do not count"},
    {Metric::watermark,
     "fleetflow_watermark_timestamp_seconds",
     MetricType::gauge,
     "Unix time",
     {"source"},
     "The newest `ingest_time` that is visible"},
    {Metric::table_freshness,
     "fleetflow_table_freshness_seconds",
     MetricType::gauge,
     "seconds",
     {"table"},
     "Age of the moment up to which everything heard of is visible in the table; grows while the engine does "
     "not turn"},
    {Metric::inflight_bytes,
     "fleetflow_inflight_bytes",
     MetricType::gauge,
     "bytes",
     {},
     "Decoded and not yet committed"},
    {Metric::backpressure,
     "fleetflow_backpressure_seconds_total",
     MetricType::counter,
     "seconds",
     {},
     "Time that sources waited because the engine was busy"},
    {Metric::state_bytes,
     "fleetflow_state_bytes",
     MetricType::gauge,
     "bytes",
     {},
     "Keyed state, on disk and in memory tables"},
    {Metric::publish_seq,
     "fleetflow_publish_seq",
     MetricType::gauge,
     "commits",
     {},
     "Number of the newest visible commit, `ops.commits.publish_seq`"},
    {Metric::source_connected,
     "fleetflow_source_connected",
     MetricType::gauge,
     "0 or 1",
     {"source"},
     "Whether the source of the configuration can be read now"},
    {Metric::source_heard_until,
     "fleetflow_source_heard_until_timestamp_seconds",
     MetricType::gauge,
     "Unix time",
     {"source"},
     "Up to which moment, by the source's own clock, everything it had was handed over"},
    {Metric::kafka_lag,
     "fleetflow_kafka_lag_records",
     MetricType::gauge,
     "records",
     {"source"},
     "Records of the partitions assigned now that were not handed over yet"},
    {Metric::kafka_partitions,
     "fleetflow_kafka_assigned_partitions",
     MetricType::gauge,
     "partitions",
     {"source"},
     "Partitions that the group has given to this process"},
    {Metric::kafka_queue_bytes,
     "fleetflow_kafka_queue_bytes",
     MetricType::gauge,
     "bytes",
     {"source"},
     "Fetched or decoded, and not handed over yet"},
    {Metric::kafka_rtt,
     "fleetflow_kafka_rtt_seconds",
     MetricType::gauge,
     "seconds",
     {"source"},
     "Round trip to the slowest broker that is up, average of the last window"},
    {Metric::kafka_brokers_up,
     "fleetflow_kafka_brokers_up",
     MetricType::gauge,
     "brokers",
     {"source"},
     "Brokers that are connected"},
    {Metric::kafka_rebalances,
     "fleetflow_kafka_rebalances_total",
     MetricType::counter,
     "rebalances",
     {"source"},
     "Assignments and revocations of partitions"},
    {Metric::kafka_received_bytes,
     "fleetflow_kafka_received_bytes_total",
     MetricType::counter,
     "bytes",
     {"source"},
     "Received from the brokers"},
    {Metric::process_cpu,
     "process_cpu_seconds_total",
     MetricType::counter,
     "seconds",
     {},
     "User and system CPU time of the process"},
    {Metric::process_resident, "process_resident_memory_bytes", MetricType::gauge, "bytes", {}, "Resident memory"},
    {Metric::process_virtual, "process_virtual_memory_bytes", MetricType::gauge, "bytes", {}, "Virtual memory"},
    {Metric::process_start,
     "process_start_time_seconds",
     MetricType::gauge,
     "Unix time",
     {},
     "When the process started"},
    {Metric::process_open_fds, "process_open_fds", MetricType::gauge, "files", {}, "Open file descriptors"},
    {Metric::process_max_fds, "process_max_fds", MetricType::gauge, "files", {}, "How many it may open"},
    {Metric::process_threads, "process_threads", MetricType::gauge, "threads", {}, "Threads of the process"},
};
// clang-format on

constexpr const MetricSpec& spec(Metric metric) { return metric_list[static_cast<std::size_t>(metric)]; }

namespace internal {
constexpr bool is_in_order() {
  std::size_t i = 0;
  for (const MetricSpec& each : metric_list)
    if (each.metric != static_cast<Metric>(i++)) return false;
  return true;
}
static_assert(is_in_order(), "metric_list and Metric have the same order");
}  // namespace internal

/// The page docs/metrics.md.
std::string metric_page();

}  // namespace ff::ops
