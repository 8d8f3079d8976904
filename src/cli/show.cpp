#include "cli/show.h"

#include <iostream>

#include "cli/query.h"
#include "lake/schema.h"

namespace ff::cli {
namespace {

/// SQL for the time between two moments in words: '12 s', '4 min', '26 h'.
std::string after(const std::string& from, const std::string& to) {
  const std::string s = "date_diff('second', " + from + ", " + to + ")";
  return "case when abs(" + s + ") < 120 then " + s + " || ' s' when abs(" + s + ") < 7200 then " + s +
         " // 60 || ' min' else " + s + " // 3600 || ' h' end";
}

}  // namespace

Result<void> show_shipment(Lake& lake, const std::string& shipment_id) {
  const std::string is_it = " where shipment_id = " + sql_literal(shipment_id);
  const auto section = [&](const std::string& title, const std::string& sql) -> Result<std::size_t> {
    const Table table = FF_TRY(lake.query(sql));
    if (table.rows.empty()) return std::size_t{0};
    std::cout << "\n" << title << "\n";
    print_table(table, "  ");
    return table.rows.size();
  };
  const auto as_of = FF_TRY(lake.value("select as_of from ops.clock"));
  std::cout << "Shipment " << shipment_id << ", as of " << as_of.value_or("-") << " UTC\n";
  std::size_t rows = FF_TRY(section(
      "Where it stands",
      "select current_status, sla_status, breach_reason, carrier_id, service_level, origin_hub || ' -> ' || "
      "destination_hub as lane, promised_delivery_by, delivered_at, delivery_delay_s from curated.shipment_sla" +
          is_it));
  rows += FF_TRY(section("History (what we were told, in the order in which it happened, and what was made of it)",
                         "select event_time, status, case effect when 'apply' then 'taken' when 'flag' then 'taken, "
                         "but suspicious: it does not follow ' || from_status "
                         "when 'repeat' then 'repeat, moves nothing' when 'reject' then 'refused: it contradicts ' || "
                         "from_status when 'exception' then 'evidence' "
                         "else case when is_retracted then 'withdrawn by its source' else 'from the future, not "
                         "believed' end end as judged, reason, facility, left(driver_key, 8) as driver, event_id, " +
                             after("event_time", "first_ingest_time") +
                             " as heard_after, source "
                             "from core.shipment_events e left join ops.statuses s using (status)" +
                             is_it + " order by event_time, s.rank, namespace, event_id"));
  rows += FF_TRY(section("What events said before they were corrected",
                         "select event_id, status, event_time, ordinal as version, ingest_time as heard_at from "
                         "core.shipment_event_versions" +
                             is_it + " order by event_id, ordinal"));
  rows += FF_TRY(section("Who had it",
                         "select left(driver_key, 8) as driver, valid_from, valid_to, opened_by, closed_by, "
                         "recorded_from as known_since from core.driver_assignments" +
                             is_it + " order by valid_from"));
  rows += FF_TRY(section("Dispatch commands",
                         "select effective_at, action, left(driver_key, 8) as driver, effect, assignment_id, "
                         "first_ingest_time as heard_at from core.assignment_commands" +
                             is_it + " order by effective_at, assignment_id"));
  FF_TRY(
      section("Claims on this id",
              "select order_ref, namespace, customer_id, ordered_at, holds_id, is_deleted from core.shipment_claims" +
                  is_it + " order by ordered_at"));
  FF_TRY(section("Findings", "select check_name, anchor, opened_at, resolved_at from ops.findings where subject = " +
                                 sql_literal(shipment_id) + " order by opened_at, check_name, anchor"));
  FF_TRY(section(
      "Exceptions",
      "select type, severity, opened_at, resolved_at, owner_hint from curated.exception_report where subject = " +
          sql_literal(shipment_id) + " order by opened_at, type"));
  if (rows == 0)
    return Error{Recourse::halt, "unknown_shipment",
                 "nothing was ever heard of a shipment '" + shipment_id +
                     "'; `fleetflow query \"select shipment_id from core.shipments limit 5\"` shows some"};
  return {};
}

}  // namespace ff::cli
