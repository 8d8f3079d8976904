# rule: S4.1, S4.2
# why: Handed over at noon, given up by a stranger without effect, put back at three by whoever has it.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "driver_assignment", "assignment_id": "a3", "shipment_id": "S1", "action": "unassign", "effective_at": "2026-03-02T13:00:00Z", "driver_id": "D9"}
{"type": "driver_assignment", "assignment_id": "a2", "shipment_id": "S1", "action": "reassign", "effective_at": "2026-03-02T12:00:00Z", "driver_id": "D2"}
{"type": "driver_assignment", "assignment_id": "a1", "shipment_id": "S1", "action": "assign", "effective_at": "2026-03-02T09:00:00Z", "driver_id": "D1"}
{"type": "driver_assignment", "assignment_id": "a4", "shipment_id": "S1", "action": "unassign", "effective_at": "2026-03-02T15:00:00Z"}
{"type": "driver_assignment", "assignment_id": "a5", "shipment_id": "S1", "action": "assign", "effective_at": "2026-03-02T16:00:00Z", "driver_id": "D3", "version": 1}
{"type": "driver_assignment", "assignment_id": "a5", "shipment_id": "S1", "action": "assign", "effective_at": "2026-03-02T16:00:00Z", "driver_id": "D3", "version": 2, "is_deleted": true, "ingest_time": "2026-03-02T16:30:00Z"}
as_of 2026-03-02T17:00:00Z
expect core.driver_assignments
driver_id | valid_from | valid_to
D1 | 2026-03-02T09:00:00Z | 2026-03-02T12:00:00Z
D2 | 2026-03-02T12:00:00Z | 2026-03-02T15:00:00Z
expect core.assignment_commands
assignment_id | effect
a1 | open
a2 | open
a3 | unassign_mismatch
a4 | close
a5 | deleted
