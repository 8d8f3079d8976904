# rule: S2.1, S5.6
# why: The auditor sees each event that was ever told, what became of it, when we heard of it and from whom.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z", "ingest_time": "2026-03-02T10:01:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "delivered", "event_time": "2026-03-02T15:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T16:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "delivered", "event_time": "2026-03-02T14:00:00Z", "version": 1, "ingest_time": "2026-03-02T16:30:00Z"}
as_of 2026-03-02T17:00:00Z
expect curated.shipment_status_history
event_id | is_current | event_time | effect | is_valid_transition | ordinal | ingest_time | source
e1 | true | 2026-03-02T10:00:00Z | apply | true | 0 | 2026-03-02T10:01:00Z | events
e2 | false | 2026-03-02T15:00:00Z | superseded | null | 0 | 2026-03-02T15:00:00Z | events
e2 | true | 2026-03-02T14:00:00Z | apply | true | 1 | 2026-03-02T16:30:00Z | events
e3 | true | 2026-03-02T16:00:00Z | reject | false | 0 | 2026-03-02T16:00:00Z | events
