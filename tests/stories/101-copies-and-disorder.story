# rule: S1.1, S1.3, S1.4
# why: The carrier sends everything twice and the last scan first; we heard of each when we first heard of it.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T12:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z", "ingest_time": "2026-03-02T12:30:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z", "ingest_time": "2026-03-02T10:05:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T12:00:00Z", "ingest_time": "2026-03-02T13:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z", "ingest_time": "2026-03-02T11:00:00Z"}
as_of 2026-03-02T14:00:00Z
expect core.shipment_events
event_id | ingest_time | versions
e1 | 2026-03-02T10:05:00Z | 1
e3 | 2026-03-02T12:00:00Z | 1
expect core.shipments
shipment_id | state | first_picked_up_at
S1 | in_transit | 2026-03-02T10:00:00Z
