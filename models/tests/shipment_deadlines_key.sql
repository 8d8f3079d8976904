-- One row per (shipment_id, due_at).
select shipment_id, due_at from {{ ref('shipment_deadlines') }} group by shipment_id, due_at having count(*) > 1
