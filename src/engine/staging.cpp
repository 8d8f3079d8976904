#include "engine/staging.h"

namespace ff {

std::vector<TableChange*> Staging::raw_tables() {
  return {&raw[0], &raw[1], &raw[2], &raw[3], &raw[4], &quarantine, &drift};
}

std::vector<TableChange*> Staging::core_tables() {
  return {&shipments,        &undated_shipments, &claims,        &events,      &event_versions, &commands, &intervals,
          &interval_history, &drivers,           &gps_locations, &driver_days, &segments,       &silences, &anomalies};
}

void Staging::let_go() {
  std::vector<TableChange*> all = core_tables();
  for (TableChange& each : raw) all.push_back(&each);
  for (TableChange* each : all) each->inserts.clear();
}

Result<void> write_deletes(Lake& lake, const std::vector<TableChange*>& tables) {
  for (const TableChange* t : tables) {
    std::string matches;
    for (const std::string& key : t->keys) matches += (matches.empty() ? "t." : " and t.") + key + " = b." + key;
    FF_TRY(lake.run_with("delete from " + t->table + " t using batch b where " + matches, t->deletes, t->keys));
  }
  return {};
}

Result<void> write_inserts(Lake& lake, const std::vector<TableChange*>& tables) {
  for (const TableChange* t : tables) FF_TRY(lake.insert(t->table, t->inserts));
  return {};
}

}  // namespace ff
