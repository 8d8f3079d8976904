# rule: S3.7, S6.4
# why: The older order keeps the number; the younger one is found, its later versions change nothing.
facts
{"type": "shipment", "shipment_id": "S1", "order_ref": "O-A", "carrier_id": "K1", "ingest_time": "2026-03-02T09:00:00Z"}
{"type": "shipment", "shipment_id": "S1", "order_ref": "O-B", "carrier_id": "K2", "created_at": "2026-03-02T08:30:00Z", "ingest_time": "2026-03-02T08:40:00Z"}
{"type": "shipment", "shipment_id": "S1", "order_ref": "O-B", "carrier_id": "K3", "created_at": "2026-03-02T08:30:00Z", "version": 2, "ingest_time": "2026-03-02T09:30:00Z"}
as_of 2026-03-02T08:50:00Z
expect core.shipments
order_ref | carrier_id
O-B | K2
expect ops.findings where check=duplicate_shipment_id
anchor
as_of 2026-03-02T10:00:00Z
expect core.shipments
order_ref | carrier_id
O-A | K1
expect ops.findings where check=duplicate_shipment_id
subject | anchor | opened_at
S1 | O-B | 2026-03-02T08:30:00Z
