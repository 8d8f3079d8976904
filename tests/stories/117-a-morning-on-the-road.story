# rule: S5.3, S5.10
# why: Half an hour driving, ten minutes standing; what the satellite jumped and what nobody heard adds nothing.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "driver_assignment", "assignment_id": "a1", "shipment_id": "S1", "action": "assign", "effective_at": "2026-03-02T09:00:00Z", "driver_id": "D1"}
{"type": "driver_assignment", "assignment_id": "a2", "shipment_id": "S1", "action": "unassign", "effective_at": "2026-03-02T11:00:00Z", "driver_id": "D1"}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T09:00:00Z", "lat": 40.0, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T09:10:00Z", "lat": 40.01, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T09:20:00Z", "lat": 40.02, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T09:25:00Z", "lat": 48.0, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T09:30:00Z", "lat": 40.03, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T09:40:00Z", "lat": 40.03, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T10:30:00Z", "lat": 40.5, "lon": -74.0}
as_of 2026-03-02T12:00:00Z
expect curated.driver_utilization
driver_id | assigned_s | driving_s | idle_s | offline_s | distance_cm
D1 | 7200 | 1800 | 600 | 4800 | 333585
expect ops.findings where check=implausible_speed
subject | opened_at
D1 | 2026-03-02T09:25:00Z
