# rule: S2.11, S2.12
# why: A clock that runs ahead is found and not believed; a scan of last summer is refused.
facts
{"type": "shipment", "shipment_id": "S1", "created_at": "2026-03-01T08:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T12:05:01Z", "ingest_time": "2026-03-02T12:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T12:05:00Z", "ingest_time": "2026-03-02T12:00:00Z"}
{"type": "shipment_event", "event_id": "e4", "shipment_id": "S1", "status": "created", "event_time": "2025-08-01T00:00:00Z", "ingest_time": "2026-03-02T12:00:00Z"}
as_of 2026-03-02T14:00:00Z
expect core.shipment_events where effect=ignored
event_id | is_future
e2 | true
expect core.shipment_events where is_future=false
event_id
e1
e3
expect ops.findings where check=future_event
anchor
e2
