# rule: S6.8
# why: Of two shipments one lost a scan: one finding, about that one, and not one more.
facts
{"type": "driver", "driver_id": "D1"}
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment", "shipment_id": "S2"}
{"type": "driver_assignment", "assignment_id": "a1", "shipment_id": "S1", "action": "assign", "effective_at": "2026-03-02T08:30:00Z", "driver_id": "D1"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "assigned", "event_time": "2026-03-02T08:30:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T09:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e4", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2026-03-02T11:00:00Z"}
{"type": "shipment_event", "event_id": "e5", "shipment_id": "S1", "status": "delivered", "event_time": "2026-03-02T12:00:00Z"}
{"type": "driver_assignment", "assignment_id": "a1", "shipment_id": "S2", "action": "assign", "effective_at": "2026-03-02T08:30:00Z", "driver_id": "D1"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S2", "status": "assigned", "event_time": "2026-03-02T08:30:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S2", "status": "in_transit", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e4", "shipment_id": "S2", "status": "out_for_delivery", "event_time": "2026-03-02T11:00:00Z"}
{"type": "shipment_event", "event_id": "e5", "shipment_id": "S2", "status": "delivered", "event_time": "2026-03-02T12:00:00Z"}
as_of 2026-03-03T00:00:00Z
expect ops.findings
check | subject | anchor
invalid_transition | S2 | e3
