#include "engine/shipment_columns.h"

namespace ff {
namespace {

std::string_view name(Action action) {
  constexpr std::string_view names[] = {"assign", "reassign", "unassign"};
  return names[static_cast<std::size_t>(action)];
}

}  // namespace

Rows& put_shipment(Rows& out, std::string_view id, const ShipmentRows& rows) {
  const ShipmentRow& s = rows.shipment;
  const ClaimRow* const order = rows.order();
  out.text(id).boolean(order != nullptr);
  if (order) {
    const ClaimTelling& c = order->told;
    out.text(c.name_space)
        .text_or_null(c.order_ref)
        .text_or_null(c.customer_id)
        .text_or_null(c.carrier_id)
        .text_or_null(c.service_level)
        .text_or_null(c.origin_hub)
        .text_or_null(c.destination_hub);
    out.integer(c.promised_pickup_by).integer(c.promised_delivery_by).boolean(c.is_deleted);
  } else {
    for (int i = 0; i < 9; ++i) out.null();
    out.boolean(false);
  }
  out.integer(s.created_at)
      .text(status_name(s.state))
      .text(status_name(s.shows_exception ? StatusId{exception} : s.state));
  for (StatusId status = assigned; status <= lost; ++status)
    if (status != exception) out.integer(s.first_at[status]);
  out.integer(s.delivered_at).text_or_null(s.delivered_by).integer(s.attempts).integer(s.last_taken_at);
  if (s.last_taken_at == none)
    out.null();
  else
    out.text(status_name(s.last_taken_status));
  return out.integer(s.order_first_ingest_time);
}

Rows& put_claim(Rows& out, std::string_view id, const ClaimRow& row) {
  const ClaimTelling& c = row.told;
  out.text(id)
      .text(c.name_space)
      .text_or_null(c.order_ref)
      .text_or_null(c.customer_id)
      .integer(c.created_at)
      .boolean(row.holds_id);
  out.text_or_null(c.carrier_id)
      .text_or_null(c.service_level)
      .text_or_null(c.origin_hub)
      .text_or_null(c.destination_hub);
  return out.integer(c.promised_pickup_by).integer(c.promised_delivery_by).boolean(c.is_deleted);
}

Rows& put_event(Rows& out, std::string_view id, const EventRow& row) {
  const EventTelling& e = row.told;
  out.text(id)
      .text(e.name_space)
      .text(e.event_id)
      .text(status_name(e.status))
      .integer(e.event_time)
      .text(ff::name(row.effect));
  if (row.effect == Effect::ignored)
    out.null();
  else
    out.text(status_name(row.from_status));
  out.boolean(e.is_retracted).boolean(row.is_future);
  out.text_or_null(row.driver_key)
      .text_or_null(e.driver_key)
      .text_or_null(row.holder)
      .text_or_null(e.facility)
      .text_or_null(e.reason);
  return out.integer(e.driving_s).integer(row.dwell_s);
}

Rows& put_command(Rows& out, std::string_view id, const CommandRow& row) {
  const CommandTelling& c = row.told;
  return out.text(id)
      .text(c.name_space)
      .text(c.assignment_id)
      .text(name(c.action))
      .text_or_null(c.driver_key)
      .integer(c.effective_at)
      .text(ff::name(row.effect))
      .boolean(c.is_deleted);
}

Rows& put_interval(Rows& out, std::string_view id, const IntervalRow& row) {
  return out.text(id)
      .text(row.driver_key)
      .integer(row.valid_from)
      .integer(row.valid_to)
      .text(row.opened_by)
      .text_or_null(row.closed_by)
      .integer(row.counts_to_at_most)
      .integer(row.recorded_from);
}

}  // namespace ff
