# rule: S6.1, S6.2, S6.6
# why: The order is missing half an hour after we heard of its scan: found, and settled the moment it comes. A scan without a driver stays found.
facts
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment", "shipment_id": "S1", "ingest_time": "2026-03-02T11:00:00Z"}
as_of 2026-03-02T10:29:00Z
expect ops.findings where check=orphan_event
anchor
as_of 2026-03-02T10:30:00Z
expect ops.findings where check=orphan_event
anchor | opened_at | resolved_at
e1 | 2026-03-02T10:30:00Z | null
expect ops.findings where check=missing_driver_id
anchor | opened_at | resolved_at
e1 | 2026-03-02T10:00:00Z | null
as_of 2026-03-02T12:00:00Z
expect ops.findings where check=orphan_event
anchor | opened_at | resolved_at
e1 | 2026-03-02T10:30:00Z | 2026-03-02T11:00:00Z
