/// For tests: a turn of the engine in which everything that can be told is told.
#pragma once

#include "base/time.h"
#include "engine/commit_report.h"
#include "source/change_publisher.h"
#include "source/kafka_options.h"

namespace ff::testing {

inline const Micros noon = *parse_rfc3339("2026-03-02T12:00:00Z");

inline CommitReport eventful_turn() {
  CommitReport r;
  r.result = CommitReport::Result::ok;
  r.publish_seq = 7;
  r.as_of = r.visible_until = r.curated_until = noon;
  r.transaction_us = 40'000;
  r.stage_us = {{"fold shipments", 2'000}, {"commit", 30'000}};
  FeedReport events;
  events.contract = "events";
  events.accepted = 100;
  events.duplicates = 10;
  events.late = 3;
  events.refused = {{"malformed_record", 2}, {"unmapped_status", 1}};
  events.bytes = 20'000;
  events.newest_ingest_time = noon;
  events.latency.add(179 * us_per_second, 60);
  events.latency.add(181 * us_per_second, 40);
  r.feeds = {events};
  r.sources = {{.name = "scans", .is_connected = true, .trouble = {}, .heard_until = noon}};
  r.tables = {"curated.shipment_sla", "core.shipments"};
  r.inflight_bytes = 5;
  r.backpressure_us = 1'500'000;
  r.quarantine_records = 3;
  r.state_bytes = 1'000'000;
  return r;
}

/// A slot with a cap, half a snapshot to go, and two contracts published.
inline PublishReport busy_publisher() {
  PublishReport r;
  r.published = {{"orders", {100, 50'000}}, {"drivers", {1, 200}}};
  r.heard_until = noon - 2 * us_per_second;
  r.kafka.produce_errors = {{"_MSG_TIMED_OUT", 4}};
  r.postgres = PostgresStats{{.slot = "fleetflow",
                              .taken_at = noon,
                              .is_active = true,
                              .wal_status = "extended",
                              .confirmed_lsn = 4096,
                              .retained_bytes = 1000,
                              .unconfirmed_bytes = 500,
                              .safe_bytes = 9000,
                              .oldest_transaction_us = 3 * us_per_second},
                             noon - us_per_second,
                             noon - 2 * us_per_second,
                             70,
                             2};
  return r;
}

inline KafkaStats busy_cluster() {
  KafkaStats s;
  s.partitions = {{"kafka:scans/0", 40, 60, 100}, {"kafka:scans/1", -1, 0, 0}};
  s.rebalances = 2;
  s.queue_bytes = 4096;
  s.rtt_us = 1500;
  s.received_bytes = 100'000;
  s.brokers_up = 3;
  return s;
}

}  // namespace ff::testing
