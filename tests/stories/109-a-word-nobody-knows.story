# rule: S2.9, S3.1
# why: A status outside the vocabulary is put aside and found, not guessed; the rest of the file counts.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "teleported", "event_time": "2026-03-02T11:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T12:00:00Z"}
as_of 2026-03-02T13:00:00Z
expect core.shipment_events
event_id
e1
e3
expect ops.findings where check=unmapped_status
subject
S1
expect ops.quarantine
subject | reason | field
S1 | unmapped_status | status
