# rule: S2.2, S2.3
# why: Two carriers count from 1; a third does not count at all, and its copies are still copies.
facts
{"type": "shipment", "shipment_id": "S1"}
{"type": "shipment_event", "event_id": "1", "shipment_id": "S1", "status": "picked_up", "event_time": "2026-03-02T10:00:00Z"}
{"type": "shipment_event", "event_id": "1", "shipment_id": "S1", "status": "in_transit", "event_time": "2026-03-02T11:00:00Z", "namespace": "bolt"}
{"type": "shipment_event", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2026-03-02T12:00:00Z", "namespace": "cargo", "facility": "F1"}
{"type": "shipment_event", "shipment_id": "S1", "status": "out_for_delivery", "event_time": "2026-03-02T12:00:00Z", "namespace": "cargo", "facility": "F1", "ingest_time": "2026-03-02T12:10:00Z"}
as_of 2026-03-02T13:00:00Z
expect core.shipment_events
namespace | status
acme | picked_up
bolt | in_transit
cargo | out_for_delivery
expect ops.findings where check=conflicting_duplicate
check | anchor
