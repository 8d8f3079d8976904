# rule: S2.8, S2.10
# why: A deleted order and an order that never came: both have their row, neither is judged.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment", "shipment_id": "S1", "version": 2, "is_deleted": true, "ingest_time": "2026-03-02T09:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S2", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z"}
{"type": "driver_assignment", "assignment_id": "a1", "shipment_id": "S3", "action": "assign", "effective_at": "2026-03-02T10:00:00Z", "driver_id": "D1"}
{"type": "driver", "driver_id": "D1"}
as_of 2026-03-02T12:00:00Z
expect curated.shipment_sla
shipment_id | sla_status | breach_reason
S1 | excluded | null
S2 | excluded | no_promise
expect ops.findings where check=orphan_event
subject | anchor
S2 | e2
S3 | a1
