# rule: S1.2, S1.5
# why: Nothing arrives, and yet the shipment is at risk, then breached; its durations stay what they are.
facts
{"type": "shipment", "shipment_id": "S1", "promised_delivery_by": "2026-03-02T20:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z"}
as_of 2026-03-02T10:30:00Z
expect curated.shipment_sla
shipment_id | sla_status | pickup_duration_s
S1 | at_risk | 7200
as_of 2026-03-02T20:30:00Z
expect curated.shipment_sla
shipment_id | sla_status | pickup_duration_s
S1 | at_risk | 7200
as_of 2026-03-02T20:31:00Z
expect curated.shipment_sla
shipment_id | sla_status | pickup_duration_s
S1 | breached | 7200
