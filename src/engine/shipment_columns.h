/// A folded shipment as rows of core: the columns that say what is true of it, in the order of src/lake/schema.sql. What
/// says how we know (versions, ingest times, provenance, publish_seq) is the caller's to add.
///
/// Each returns `out`. The rows need not live longer than the call.
#pragma once

#include <string_view>

#include "domain/shipment.h"
#include "lake/rows.h"

namespace ff {

/// core.shipments up to order_first_ingest_time; `rows.shipment` exists.
Rows& put_shipment(Rows& out, std::string_view id, const ShipmentRows& rows);
/// core.shipment_claims up to is_deleted.
Rows& put_claim(Rows& out, std::string_view id, const ClaimRow& row);
/// core.shipment_events up to dwell_s.
Rows& put_event(Rows& out, std::string_view id, const EventRow& row);
/// core.assignment_commands up to is_deleted.
Rows& put_command(Rows& out, std::string_view id, const CommandRow& row);
/// core.driver_assignments up to recorded_from.
Rows& put_interval(Rows& out, std::string_view id, const IntervalRow& row);

}  // namespace ff
