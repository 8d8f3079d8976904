#include "cli/show.h"

#include <iostream>

#include "cli/query.h"
#include "embedded/shipment_story_sql.h"
#include "lake/schema.h"
#include "report/blocks.h"

namespace ff::cli {

Result<void> show_shipment(Lake& lake, const std::string& shipment_id) {
  FF_TRY(lake.run("create or replace temp view asked as select " + sql_literal(shipment_id) + " as shipment_id"));
  FF_TRY(lake.run("create or replace temp macro shown(t) as strftime(t, '%Y-%m-%d %H:%M:%S')"));
  FF_TRY(
      lake.run("create or replace temp macro in_words(a, b) as case when abs(date_diff('second', a, b)) < 120 "
               "then date_diff('second', a, b) || ' s' when abs(date_diff('second', a, b)) < 7200 "
               "then date_diff('second', a, b) // 60 || ' min' else date_diff('second', a, b) // 3600 || ' h' end"));
  const auto as_of = FF_TRY(lake.value("select as_of from ops.clock"));
  std::cout << "Shipment " << shipment_id << ", as of " << as_of.value_or("-") << " UTC\n";
  std::size_t rows = 0;
  for (const Block& section : blocks_of(embedded::shipment_story_sql)) {
    const Table table = FF_TRY(lake.query(section.sql));
    if (table.rows.empty()) continue;
    std::cout << "\n" << section.name << "\n";
    print_table(table, "  ");
    rows += table.rows.size();
  }
  if (rows == 0)
    return Error{Recourse::halt, "unknown_shipment",
                 "nothing was ever heard of a shipment '" + shipment_id +
                     "'; `fleetflow query \"select shipment_id from core.shipments limit 5\"` shows some"};
  return {};
}

}  // namespace ff::cli
