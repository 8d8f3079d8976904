-- One row per (shipment_id, driver_key, date).
select shipment_id, driver_key, date from {{ ref('driver_work') }} group by shipment_id, driver_key, date having count(*) > 1
