# rule: S1.6, S4.6
# why: Until five we believed that D1 had it; since five we know better, and the table says since when.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "driver_assignment", "assignment_id": "a1", "shipment_id": "S1", "action": "assign", "effective_at": "2026-03-02T09:00:00Z", "driver_id": "D1"}
{"type": "driver_assignment", "assignment_id": "a2", "shipment_id": "S1", "action": "reassign", "effective_at": "2026-03-02T11:00:00Z", "driver_id": "D2", "ingest_time": "2026-03-02T17:00:00Z"}
as_of 2026-03-02T16:00:00Z
expect core.driver_assignments
driver_id | valid_from | valid_to | recorded_from
D1 | 2026-03-02T09:00:00Z | null | 2026-03-02T09:00:00Z
as_of 2026-03-02T18:00:00Z
expect core.driver_assignments
driver_id | valid_from | valid_to | recorded_from
D1 | 2026-03-02T09:00:00Z | 2026-03-02T11:00:00Z | 2026-03-02T17:00:00Z
D2 | 2026-03-02T11:00:00Z | null | 2026-03-02T17:00:00Z
