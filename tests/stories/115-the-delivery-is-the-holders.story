# rule: S4.3, S4.4, S4.5, S6.7
# why: The delivery ends the holding and belongs to it, whatever name the scan bears; the next holding counts to now.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "driver", "driver_id": "D1"}
{"type": "driver", "driver_id": "D2"}
{"type": "driver_assignment", "assignment_id": "a1", "shipment_id": "S1", "action": "assign", "effective_at": "2026-03-02T09:00:00Z", "driver_id": "D1"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z", "driver_id": "D1"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2026-03-02T11:00:00Z", "driver_id": "D1"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "delivered", "event_time": "2026-03-02T12:00:00Z", "driver_id": "D2"}
{"type": "driver_assignment", "assignment_id": "a2", "shipment_id": "S1", "action": "assign", "effective_at": "2026-03-02T13:00:00Z", "driver_id": "D2"}
as_of 2026-03-02T14:00:00Z
expect core.driver_assignments
driver_id | valid_from | valid_to
D1 | 2026-03-02T09:00:00Z | 2026-03-02T12:00:00Z
D2 | 2026-03-02T13:00:00Z | null
expect core.shipment_events where event_id=e3
driver_id
D1
expect ops.findings where check=driver_mismatch
subject | anchor
S1 | e3
expect curated.driver_utilization
driver_id | assigned_s | deliveries
D1 | 10800 | 1
D2 | 3600 | 0
