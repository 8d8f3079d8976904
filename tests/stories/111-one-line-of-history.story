# rule: S3.2, S3.3, S6.3
# why: At one instant the lower rank comes first; what skips a step is taken and found, what contradicts the end is found and not taken.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "assigned", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "returned", "event_time": "2026-03-02T12:00:00Z"}
{"type": "shipment_event", "event_id": "e4", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T13:00:00Z"}
{"type": "shipment_event", "event_id": "e5", "shipment_id": "S1", "status": "returned", "event_time": "2026-03-02T14:00:00Z"}
as_of 2026-03-02T15:00:00Z
expect core.shipment_events
event_id | from_status | effect
e1 | created | apply
e2 | assigned | apply
e3 | picked_up | flag
e4 | returned | reject
e5 | returned | repeat
expect ops.findings where check=invalid_transition
anchor | opened_at
e3 | 2026-03-02T12:00:00Z
e4 | 2026-03-02T13:00:00Z
