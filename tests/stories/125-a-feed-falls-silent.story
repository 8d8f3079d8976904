# rule: S6.7
# why: A feed that was heard once is waited for; its silence opens by the clock alone, and the next new thing ends it, not a copy of an old one.
config {"watched": {"events": {"silent_after_min": 60}}}
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "arrived_at_facility", "event_time": "2026-03-02T11:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z", "ingest_time": "2026-03-02T11:50:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "departed_facility", "event_time": "2026-03-02T12:30:00Z"}
{"type": "shipment_event", "event_id": "e4", "shipment_id": "S1", "status": "arrived_at_facility", "event_time": "2026-03-02T13:10:00Z", "ingest_time": "2026-03-02T13:10:30Z"}
as_of 2026-03-02T11:59:00Z
expect ops.findings where check=source_silent
subject | anchor | opened_at | resolved_at
as_of 2026-03-02T12:00:00Z
expect ops.findings where check=source_silent
subject | anchor | opened_at | resolved_at
events | 2026-03-02 11:00:00 | 2026-03-02T12:00:00Z | null
as_of 2026-03-02T13:30:00Z
expect ops.findings where check=source_silent
subject | anchor | opened_at | resolved_at
events | 2026-03-02 11:00:00 | 2026-03-02T12:00:00Z | 2026-03-02T12:30:00Z
as_of 2026-03-02T15:00:00Z
expect ops.findings where check=source_silent
subject | anchor | opened_at | resolved_at
events | 2026-03-02 11:00:00 | 2026-03-02T12:00:00Z | 2026-03-02T12:30:00Z
events | 2026-03-02 13:10:30 | 2026-03-02T14:10:30Z | null
