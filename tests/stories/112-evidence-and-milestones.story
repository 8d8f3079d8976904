# rule: S3.4, S3.5, S3.6
# why: A storm is evidence, not a state; two attempts are two; the depot had it for an hour and a half.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T09:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "arrived_at_facility", "event_time": "2026-03-02T10:00:00Z", "facility": "F1"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "departed_facility", "event_time": "2026-03-02T11:30:00Z", "facility": "F1"}
{"type": "shipment_event", "event_id": "e4", "shipment_id": "S1", "status": "exception", "event_time": "2026-03-02T12:00:00Z", "reason": "weather"}
{"type": "shipment_event", "event_id": "e5", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2026-03-02T13:00:00Z"}
{"type": "shipment_event", "event_id": "e6", "shipment_id": "S1", "status": "delivery_attempted", "event_time": "2026-03-02T14:00:00Z"}
{"type": "shipment_event", "event_id": "e7", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2026-03-02T15:00:00Z"}
{"type": "shipment_event", "event_id": "e8", "shipment_id": "S1", "status": "delivery_attempted", "event_time": "2026-03-02T16:00:00Z"}
as_of 2026-03-02T12:30:00Z
expect core.shipments
state | current_status | attempts
departed_facility | exception | 0
as_of 2026-03-02T17:00:00Z
expect core.shipments
state | current_status | attempts | first_out_for_delivery_at | delivered_at
delivery_attempted | delivery_attempted | 2 | 2026-03-02T13:00:00Z | null
expect core.shipment_events where event_id=e2
event_id | dwell_s
e2 | 5400
