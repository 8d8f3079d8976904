# rule: S5.1, S5.2, S5.8
# why: The order's carrier was told wrong: the delivery moves to the right one, and the wrong one's line is gone.
facts
{"type": "shipment", "shipment_id": "S1", "carrier_id": "K1", "promised_delivery_by": "2026-03-02T14:00:00Z"}
{"type": "shipment", "shipment_id": "S1", "carrier_id": "K2", "promised_delivery_by": "2026-03-02T14:00:00Z", "version": 2, "ingest_time": "2026-03-02T18:00:00Z"}
{"type": "shipment_event", "event_id": "e1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T09:00:00Z"}
{"type": "shipment_event", "event_id": "e2", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "e3", "shipment_id": "S1", "status": "delivered", "event_time": "2026-03-02T14:31:00Z"}
as_of 2026-03-02T17:00:00Z
expect curated.shipment_sla
sla_status | breach_reason | delivery_delay_s
missed | late_delivery | 1860
expect curated.on_time_delivery
delivery_date | carrier_id | delivered | on_time | late | p50_delay_s | on_time_rate
2026-03-02 | K1 | 1 | 0 | 1 | 1860 | 0.0
as_of 2026-03-02T19:00:00Z
expect curated.on_time_delivery
delivery_date | carrier_id | delivered
2026-03-02 | K2 | 1
expect curated.promise_performance
promised_date | carrier_id | due | undelivered
2026-03-02 | K2 | 1 | 0
