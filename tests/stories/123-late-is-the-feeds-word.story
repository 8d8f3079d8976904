# rule: S6.5
# why: Sixteen minutes is late for us, a day is not for the partner's files; an old feed is never late.
config {"feeds": {"bolt": {"late_after_min": 1440}, "museum": {"historical": true}}}
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z", "ingest_time": "2026-03-02T10:15:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T11:00:00Z", "ingest_time": "2026-03-02T11:16:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "arrived_at_facility", "event_time": "2026-03-02T12:00:00Z", "namespace": "bolt", "ingest_time": "2026-03-02T23:00:00Z"}
{"type": "shipment_event", "event_id": "e4", "shipment_id": "S1", "status": "departed_facility", "event_time": "2025-01-02T12:00:00Z", "namespace": "museum", "ingest_time": "2026-03-02T12:00:00Z"}
as_of 2026-03-02T23:30:00Z
expect ops.findings where check=late_event
anchor | opened_at
e2 | 2026-03-02T11:00:00Z
