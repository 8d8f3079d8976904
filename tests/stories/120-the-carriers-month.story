# rule: S5.7
# why: One of three was on time; one never came. That is the month, and each day's findings are counted.
facts
{"type": "shipment", "shipment_id": "S1", "promised_delivery_by": "2026-03-02T12:00:00Z"}
{"type": "shipment", "shipment_id": "S2", "promised_delivery_by": "2026-03-02T12:00:00Z"}
{"type": "shipment", "shipment_id": "S3", "promised_delivery_by": "2026-03-02T12:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T09:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "delivered", "event_time": "2026-03-02T11:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S2", "status": "picked_up", "event_time": "2026-03-02T09:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S2", "status": "out_for_delivery", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S2", "status": "delivered", "event_time": "2026-03-02T14:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S3", "status": "in_transit", "event_time": "2026-03-02T10:00:00Z"}
as_of 2026-03-02T18:00:00Z
expect curated.carrier_scorecard
month | carrier_id | due | delivered | on_time | late | undelivered | invalid_transitions
2026-03-01 | K1 | 3 | 2 | 1 | 1 | 1 | 1
expect curated.data_quality_daily where check_name=invalid_transition
date | findings | subjects
2026-03-02 | 1 | 1
