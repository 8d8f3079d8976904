# rule: S2.7
# why: The delivery never was, says the carrier; an hour later it says that it was after all.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T09:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "delivered", "event_time": "2026-03-02T11:00:00Z", "version": 1}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "delivered", "event_time": "2026-03-02T11:00:00Z", "version": 1, "retracted": true, "ingest_time": "2026-03-02T12:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "delivered", "event_time": "2026-03-02T11:00:00Z", "version": 2, "ingest_time": "2026-03-02T13:00:00Z"}
as_of 2026-03-02T12:30:00Z
expect core.shipments
state | delivered_at
out_for_delivery | null
expect core.shipment_events where event_id=e3
effect | is_retracted
ignored | true
as_of 2026-03-02T13:30:00Z
expect core.shipments
state | delivered_at
delivered | 2026-03-02T11:00:00Z
expect core.shipment_events where event_id=e3
effect | is_retracted
apply | false
