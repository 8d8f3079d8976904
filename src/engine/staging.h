/// What one batch does to the lake's tables: rows to delete by key, rows to insert. Filled by the folds, written by one
/// transaction.
///
/// A table's rows are keyed as src/lake/schema.sql says; a row is deleted only if an earlier commit wrote it, so most
/// batches mostly append. No key is inserted twice: the folds emit each subject once per batch.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "curate/touched.h"
#include "lake/lake.h"
#include "lake/rows.h"

namespace ff {

struct TableChange {
  TableChange(std::string table_name, std::string insert_shape, std::vector<std::string> key_columns = {},
              std::string key_shape = {})
      : table(std::move(table_name)),
        inserts(std::move(insert_shape)),
        keys(std::move(key_columns)),
        deletes(std::move(key_shape)) {}

  std::string table;
  Rows inserts;
  std::vector<std::string> keys;
  Rows deletes;  ///< values of `keys`
};

struct Staging {
  TableChange raw[5] = {{"raw.shipments", "ssitssssss"},
                        {"raw.drivers", "ssitssssss"},
                        {"raw.shipment_events", "ssitssssss"},
                        {"raw.driver_assignments", "ssitssssss"},
                        {"raw.gps_locations", "ssitssssss"}};
  TableChange quarantine{"ops.quarantine", "ssitsssssssss"};
  TableChange drift{"ops.schema_drift", "sstssi", {"contract", "field"}, "ss"};

  TableChange shipments{"core.shipments",
                        "sbsssssssttbtss"
                        "ttttttttttttttt"
                        "tsitsti",
                        {"created_at", "shipment_id"},
                        "ts"};
  TableChange undated_shipments{
      "core.shipments", shipments.inserts.shape(), {"shipment_id"}, "s"};  ///< to delete: without created_at
  TableChange claims{"core.shipment_claims", "sssstbssssttbiiiitttssssii", {"shipment_id"}, "s"};
  TableChange events{"core.shipment_events",
                     "sssstssbbsssssiiiiiittitissssii",
                     {"event_time", "shipment_id", "namespace", "event_id"},
                     "tsss"};
  TableChange event_versions{"core.shipment_event_versions", "sssstbsssiiiistssssii", {"shipment_id"}, "s"};
  TableChange commands{"core.assignment_commands",
                       "ssssstsbiiiitttssssii",
                       {"effective_at", "shipment_id", "namespace", "assignment_id"},
                       "tsss"};
  TableChange intervals{"core.driver_assignments", "ssttsstti", {"valid_from", "shipment_id"}, "ts"};
  TableChange interval_history{"ops.driver_assignment_history", "ssttsstt"};
  TableChange drivers{"core.drivers", "ssbiiiitttssssii", {"driver_key"}, "s"};
  TableChange gps_locations{"core.gps_locations", "sstiiitsssi", {"event_time", "driver_key", "device_id"}, "tss"};
  TableChange driver_days{"core.driver_day", "sdsiiiiitti", {"driver_key", "date"}, "sd"};
  TableChange segments{"core.driver_segments", "sdttbi", {"start_at", "driver_key"}, "ts"};
  TableChange silences{"core.ping_silences", "sdtti", {"last_ping_at", "driver_key"}, "ts"};
  TableChange anomalies{"core.gps_anomalies", "sdststi", {"driver_key", "date"}, "sd"};

  Touched touched;
  std::map<std::uint32_t, std::int64_t> duplicates;        ///< by feed: facts that were known and changed nothing
  std::vector<std::pair<std::string, std::string>> state;  ///< keyed state after this batch

  /// Whether a fact was new; one that was not is counted.
  bool count(const Fact& fact, bool is_new) {
    if (!is_new) ++duplicates[fact.from.feed];
    return is_new;
  }
  /// In the order of writing: raw, quarantine, core.
  std::vector<TableChange*> raw_tables();
  std::vector<TableChange*> core_tables();
  /// Forgets the rows of raw and core, which take a commit's memory; those of quarantine are still to be counted.
  void let_go();
};

Result<void> write_deletes(Lake& lake, const std::vector<TableChange*>& tables);
Result<void> write_inserts(Lake& lake, const std::vector<TableChange*>& tables);

}  // namespace ff
