#include "engine/shipments_at_hand.h"

#include "engine/shipment_columns.h"
#include "state/codec.h"

namespace ff {
namespace {

/// The columns of CoreRows, in the order of shipment_columns.h.
const std::vector<std::string> shipment_columns{"shipment_id",
                                                "has_order",
                                                "namespace",
                                                "order_ref",
                                                "customer_id",
                                                "carrier_id",
                                                "service_level",
                                                "origin_hub",
                                                "destination_hub",
                                                "promised_pickup_by",
                                                "promised_delivery_by",
                                                "is_deleted",
                                                "created_at",
                                                "state",
                                                "current_status",
                                                "first_assigned_at",
                                                "first_arrived_at_pickup_at",
                                                "first_picked_up_at",
                                                "first_arrived_at_facility_at",
                                                "first_customs_hold_at",
                                                "first_departed_facility_at",
                                                "first_in_transit_at",
                                                "first_available_for_pickup_at",
                                                "first_out_for_delivery_at",
                                                "first_delivery_attempted_at",
                                                "first_returning_at",
                                                "first_delivered_at",
                                                "first_returned_at",
                                                "first_cancelled_at",
                                                "first_lost_at",
                                                "delivered_at",
                                                "delivered_by",
                                                "attempts",
                                                "last_taken_at",
                                                "last_taken_status",
                                                "order_first_ingest_time"},
    claim_columns{"shipment_id", "namespace",         "order_ref",          "customer_id",
                  "ordered_at",  "holds_id",          "carrier_id",         "service_level",
                  "origin_hub",  "destination_hub",   "promised_pickup_by", "promised_delivery_by",
                  "is_deleted",  "first_ingest_time", "conflict_at"},
    event_columns{"shipment_id",      "namespace",         "event_id",     "status",      "event_time",
                  "effect",           "from_status",       "is_retracted", "is_future",   "driver_key",
                  "named_driver_key", "holder_driver_key", "facility",     "reason",      "driving_s",
                  "dwell_s",          "first_ingest_time", "conflict_at",  "late_after_s"},
    command_columns{"shipment_id", "namespace",  "assignment_id",     "action",     "driver_key", "effective_at",
                    "effect",      "is_deleted", "first_ingest_time", "conflict_at"},
    interval_columns{"shipment_id", "driver_key", "valid_from",        "valid_to",
                     "opened_by",   "closed_by",  "counts_to_at_most", "recorded_from"};

void put_heard(Rows& out, const Chain& chain) { out.integer(chain.first_ingest_time).integer(chain.conflict_at); }

}  // namespace

Curator::ShipmentsOf shipments_at_hand(const Store& store, const ContractSet& contracts) {
  return [&](const std::vector<std::string>& ids) -> Result<Curator::AtHand> {
    Rows shipments("sbsssssssttbtssttttttttttttttttsitst"), claims("sssstbssssttbtt"), events("sssstssbbsssssiitti"),
        commands("ssssstsbtt"), intervals("ssttsstt");
    Curator::AtHand out;
    std::vector<std::string> keys;
    for (const std::string& id : ids) keys.push_back('s' + id);
    const std::vector<std::string> blobs = FF_TRY(store.get(keys));
    ShipmentFacts facts;
    ShipmentRows rows;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (blobs[i].empty() || stub_of(blobs[i])) {
        out.elsewhere.push_back(ids[i]);
        continue;
      }
      FF_TRY(decode(blobs[i], facts));
      fold(facts, rows);
      if (rows.shipment.exists) put_shipment(shipments, ids[i], rows);
      for (const ClaimRow& row : rows.claims) put_heard(put_claim(claims, ids[i], row), row.chain);
      for (const EventRow& row : rows.events) {
        put_heard(put_event(events, ids[i], row), row.chain);
        events.integer(contracts[row.told.from.feed].late_after_s);
      }
      for (const CommandRow& row : rows.commands) put_heard(put_command(commands, ids[i], row), row.chain);
      for (const IntervalRow& row : rows.intervals) put_interval(intervals, ids[i], row);
    }
    out.tables.push_back({"core.shipments", shipment_columns, std::move(shipments)});
    out.tables.push_back({"core.shipment_claims", claim_columns, std::move(claims)});
    out.tables.push_back({"core.shipment_events", event_columns, std::move(events)});
    out.tables.push_back({"core.assignment_commands", command_columns, std::move(commands)});
    out.tables.push_back({"core.driver_assignments", interval_columns, std::move(intervals)});
    return out;
  };
}

}  // namespace ff
