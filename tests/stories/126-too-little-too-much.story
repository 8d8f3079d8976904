# rule: S6.7
# why: A day is judged when it is over, by the things first heard of on it; the day on which a feed begins is not, and a copy counts nowhere.
config {"watched": {"gps": {"records_per_day": [2, 3]}, "assignments": {"silent_after_min": 100000}}, "reporting_zone": "America/New_York"}
facts
{"type": "driver", "driver_id": "D1"}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-02T10:00:00Z", "lat": 40.0, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-03T10:00:00Z", "lat": 40.0, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-04T04:59:00Z", "lat": 40.0, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-04T10:00:00Z", "lat": 40.0, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-04T10:01:00Z", "lat": 40.0, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-04T10:02:00Z", "lat": 40.0, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-05T04:00:00Z", "lat": 40.0, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-05T10:00:00Z", "lat": 40.0, "lon": -74.0}
{"type": "gps_location", "driver_id": "D1", "event_time": "2026-03-05T10:00:00Z", "lat": 40.0, "lon": -74.0, "ingest_time": "2026-03-05T12:00:00Z"}
as_of 2026-03-05T04:59:00Z
expect ops.findings where check=volume_anomaly
subject | anchor | opened_at | resolved_at
as_of 2026-03-05T05:00:00Z
expect ops.findings where check=volume_anomaly
subject | anchor | opened_at | resolved_at
gps | 2026-03-04 | 2026-03-05T05:00:00Z | 2026-03-05T05:00:00Z
as_of 2026-03-06T06:00:00Z
expect ops.findings where check=volume_anomaly
subject | anchor | opened_at | resolved_at
gps | 2026-03-04 | 2026-03-05T05:00:00Z | 2026-03-05T05:00:00Z
gps | 2026-03-05 | 2026-03-06T05:00:00Z | 2026-03-06T05:00:00Z
