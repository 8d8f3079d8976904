# rule: S5.9
# why: What was delivered last autumn is in the tables as it was; nothing below three years is forgotten.
facts
{"type": "shipment", "shipment_id": "S1", "created_at": "2025-10-01T08:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2025-10-01T10:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2025-10-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "delivered", "event_time": "2025-10-03T10:00:00Z"}
{"type": "shipment", "shipment_id": "S2"}
as_of 2026-03-02T12:00:00Z
expect curated.shipment_sla where shipment_id=S1
sla_status | delivered_at
met | 2025-10-03T10:00:00Z
expect core.shipment_events
event_id
e1
e2
e3
