# rule: S2.4, S2.5, S2.6
# why: Version 10 beats 9, also when it comes first; two different version 10s are a conflict, however often they are told.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:10:00Z", "version": 10, "ingest_time": "2026-03-02T10:30:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:09:00Z", "version": 9, "ingest_time": "2026-03-02T10:40:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T11:00:00Z", "version": 10}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T11:30:00Z", "version": 10, "ingest_time": "2026-03-02T11:45:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T11:30:00Z", "version": 10, "ingest_time": "2026-03-02T12:00:00Z"}
as_of 2026-03-02T13:00:00Z
expect core.shipment_events
event_id | event_time | versions
e1 | 2026-03-02T10:10:00Z | 2
e2 | 2026-03-02T11:30:00Z | 2
expect ops.findings where check=conflicting_duplicate
subject | anchor | opened_at | resolved_at
S1 | e2 | 2026-03-02T11:45:00Z | 2026-03-02T11:45:00Z
