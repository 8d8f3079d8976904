# rule: S5.4
# why: Twelve hours of driving without a break: past eight without one, past eleven in all.
facts
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T05:00:00Z", "lat": 40.0, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T05:15:00Z", "lat": 40.01, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T05:30:00Z", "lat": 40.02, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T05:45:00Z", "lat": 40.03, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T06:00:00Z", "lat": 40.04, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T06:15:00Z", "lat": 40.05, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T06:30:00Z", "lat": 40.06, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T06:45:00Z", "lat": 40.07, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T07:00:00Z", "lat": 40.08, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T07:15:00Z", "lat": 40.09, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T07:30:00Z", "lat": 40.1, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T07:45:00Z", "lat": 40.11, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T08:00:00Z", "lat": 40.12, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T08:15:00Z", "lat": 40.13, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T08:30:00Z", "lat": 40.14, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T08:45:00Z", "lat": 40.15, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T09:00:00Z", "lat": 40.16, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T09:15:00Z", "lat": 40.17, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T09:30:00Z", "lat": 40.18, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T09:45:00Z", "lat": 40.19, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T10:00:00Z", "lat": 40.2, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T10:15:00Z", "lat": 40.21, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T10:30:00Z", "lat": 40.22, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T10:45:00Z", "lat": 40.23, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T11:00:00Z", "lat": 40.24, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T11:15:00Z", "lat": 40.25, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T11:30:00Z", "lat": 40.26, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T11:45:00Z", "lat": 40.27, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T12:00:00Z", "lat": 40.28, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T12:15:00Z", "lat": 40.29, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T12:30:00Z", "lat": 40.3, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T12:45:00Z", "lat": 40.31, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T13:00:00Z", "lat": 40.32, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T13:15:00Z", "lat": 40.33, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T13:30:00Z", "lat": 40.34, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T13:45:00Z", "lat": 40.35, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T14:00:00Z", "lat": 40.36, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T14:15:00Z", "lat": 40.37, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T14:30:00Z", "lat": 40.38, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T14:45:00Z", "lat": 40.39, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T15:00:00Z", "lat": 40.4, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T15:15:00Z", "lat": 40.41, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T15:30:00Z", "lat": 40.42, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T15:45:00Z", "lat": 40.43, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T16:00:00Z", "lat": 40.44, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T16:15:00Z", "lat": 40.45, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T16:30:00Z", "lat": 40.46, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T16:45:00Z", "lat": 40.47, "lon": -74.0, "speed_mps": 12.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T17:00:00Z", "lat": 40.48, "lon": -74.0, "speed_mps": 12.0}
as_of 2026-03-02T20:00:00Z
expect curated.hours_of_service
driver_id | date | duty_start_at | duty_end_at | driving_s | without_break_at | over_11h_at
D1 | 2026-03-02 | 2026-03-02T05:00:00Z | 2026-03-02T17:00:00Z | 43200 | 2026-03-02T13:00:00Z | 2026-03-02T16:00:00Z
expect curated.exception_report where type=hos_violation
subject | opened_at | resolved_at
D1 | 2026-03-02T13:00:00Z | 2026-03-02T13:00:00Z
D1 | 2026-03-02T16:00:00Z | 2026-03-02T16:00:00Z
