#include "ops/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/ops_testing.h"

namespace ff::ops {
namespace {

using namespace ff::testing;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, AddUpWhatTheEngineTells) {
  Metrics metrics;
  metrics.observe(eventful_turn());
  metrics.observe(eventful_turn());
  const std::string page = metrics.scrape(noon + 2 * us_per_second);
  for (const char* line : {
           R"(fleetflow_records_total{result="accepted",source="events",stage="decode"} 200)",
           R"(fleetflow_records_total{result="refused",source="events",stage="decode"} 6)",
           R"(fleetflow_records_total{result="new",source="events",stage="fold"} 180)",
           R"(fleetflow_dedup_dropped_total{source="events"} 20)",
           R"(fleetflow_late_records_total{source="events"} 6)",
           R"(fleetflow_dlq_records_total{error_class="malformed_record",source="events"} 4)",
           R"(fleetflow_dlq_depth 3)",
           R"(fleetflow_commits_total{result="ok"} 2)",
           R"(fleetflow_commits_total{result="unknown"} 0)",
           R"(fleetflow_commit_seconds_bucket{le="0.05"} 2)",
           R"(fleetflow_e2e_latency_seconds_bucket{source="events",le="180"} 120)",
           R"(fleetflow_e2e_latency_seconds_bucket{source="events",le="600"} 200)",
           R"(fleetflow_e2e_latency_seconds_count{source="events"} 200)",
           R"(fleetflow_table_freshness_seconds{table="curated.shipment_sla"} 2)",
           R"(fleetflow_backpressure_seconds_total 3)",
           R"(fleetflow_source_connected{source="scans"} 1)",
       })
    EXPECT_THAT(page, HasSubstr(line));
}

TEST(Metrics, WhatWasNotCommittedIsNotCounted) {
  Metrics metrics;
  CommitReport turn = eventful_turn();
  turn.result = CommitReport::Result::conflict;
  metrics.observe(turn);
  const std::string page = metrics.scrape(noon);
  EXPECT_THAT(page, HasSubstr(R"(fleetflow_commits_total{result="conflict"} 1)"));
  EXPECT_THAT(page, Not(HasSubstr("fleetflow_records_total")));
}

TEST(Metrics, FreshnessGrowsWhileTheEngineIsSilentAndIdlingIsFresh) {
  Metrics metrics;
  metrics.observe(eventful_turn());
  EXPECT_THAT(metrics.scrape(noon + 200 * us_per_second), HasSubstr(R"({table="curated.shipment_sla"} 200)"));
  CommitReport idle = eventful_turn();
  idle.result = CommitReport::Result::idle;
  idle.visible_until = noon + 199 * us_per_second;
  idle.curated_until = noon + 190 * us_per_second;
  idle.tables.push_back("curated.driver_utilization");
  idle.lagging = {{"curated.driver_utilization", noon + 150 * us_per_second}};
  metrics.observe(idle);
  const std::string page = metrics.scrape(noon + 200 * us_per_second);
  EXPECT_THAT(page, HasSubstr(R"({table="core.shipments"} 1)"));
  EXPECT_THAT(page, HasSubstr(R"({table="curated.shipment_sla"} 10)"));
  EXPECT_THAT(page, HasSubstr(R"({table="curated.driver_utilization"} 50)"));
  EXPECT_THAT(page, HasSubstr(R"(fleetflow_commits_total{result="ok"} 1)"));
}

TEST(Metrics, ATotalOfAClientMayStartAnew) {
  Metrics metrics;
  KafkaStats stats = busy_cluster();
  metrics.observe("scans", stats);
  stats.rebalances = 3;
  metrics.observe("scans", stats);
  EXPECT_THAT(metrics.scrape(noon), HasSubstr(R"(fleetflow_kafka_rebalances_total{source="scans"} 3)"));
  stats.rebalances = 1;
  metrics.observe("scans", stats);
  const std::string page = metrics.scrape(noon);
  EXPECT_THAT(page, HasSubstr(R"(fleetflow_kafka_rebalances_total{source="scans"} 4)"));
  EXPECT_THAT(page, HasSubstr(R"(fleetflow_kafka_lag_records{source="scans"} 40)"));
}

TEST(Metrics, TellOfASlotWhatAnAlertAsks) {
  Metrics metrics;
  metrics.observe("orders", PostgresStats{}, noon);
  EXPECT_THAT(metrics.scrape(noon), Not(HasSubstr("fleetflow_pg_slot"))) << "nobody has asked the server yet";
  PublishReport report = busy_publisher();
  report.postgres->slot.safe_bytes = none;
  metrics.observe("orders", report, noon);
  const std::string page = metrics.scrape(noon);
  for (const char* line : {
           R"(fleetflow_cdc_lag_seconds{source="orders"} 2)",
           R"(fleetflow_cdc_silence_seconds{source="orders"} 1)",
           R"(fleetflow_cdc_confirmed_flush_lsn{source="orders"} 4096)",
           R"(fleetflow_cdc_snapshot_rows_remaining{source="orders"} 70)",
           R"(fleetflow_cdc_connections_total{source="orders"} 2)",
           R"(fleetflow_pg_slot_retained_wal_bytes{slot="fleetflow",source="orders"} 1000)",
           R"(fleetflow_pg_slot_wal_status{slot="fleetflow",source="orders",status="extended"} 1)",
           R"(fleetflow_pg_slot_wal_status{slot="fleetflow",source="orders",status="lost"} 0)",
           R"(fleetflow_pg_oldest_xact_age_seconds{source="orders"} 3)",
           R"(fleetflow_cdc_published_records_total{source="orders"} 100)",
           R"(fleetflow_kafka_produce_errors_total{code="_MSG_TIMED_OUT",source="orders"} 4)",
           R"(fleetflow_cdc_published_bytes_total{source="drivers"} 200)",
       })
    EXPECT_THAT(page, HasSubstr(line));
  EXPECT_THAT(page, Not(HasSubstr("safe_wal_bytes"))) << "there is no cap";
}

TEST(LatencyCounts, ABoundIsInclusive) {
  LatencyCounts counts;
  counts.add(180 * us_per_second);
  counts.add(180 * us_per_second + 1);
  counts.add(100'000 * us_per_second);
  EXPECT_EQ(counts.counts[11], 1);
  EXPECT_EQ(counts.counts[12], 1);
  EXPECT_EQ(counts.counts.back(), 1);
  EXPECT_EQ(counts.total(), 3);
}

}  // namespace
}  // namespace ff::ops
