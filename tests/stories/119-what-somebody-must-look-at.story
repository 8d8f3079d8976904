# rule: S5.5
# why: Late and damaged: both open until the parcel arrives, then both are settled.
facts
{"type": "shipment", "shipment_id": "S1", "promised_delivery_by": "2026-03-02T12:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T09:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "exception", "event_time": "2026-03-02T10:00:00Z", "reason": "damaged"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2026-03-02T11:00:00Z"}
{"type": "shipment_event", "event_id": "e4", "shipment_id": "S1", "status": "delivered", "event_time": "2026-03-02T15:00:00Z"}
as_of 2026-03-02T13:00:00Z
expect curated.exception_report where severity=critical
subject | type | opened_at | resolved_at
S1 | damaged | 2026-03-02T10:00:00Z | null
S1 | late_delivery | 2026-03-02T12:30:00Z | null
as_of 2026-03-02T16:00:00Z
expect curated.exception_report where type=damaged
resolved_at
2026-03-02T15:00:00Z
expect curated.exception_report where type=late_delivery
resolved_at
2026-03-02T15:00:00Z
