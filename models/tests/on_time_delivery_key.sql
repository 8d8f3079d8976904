-- One row per (delivery_date, carrier_id, service_level, origin_hub, destination_hub).
select delivery_date, carrier_id, service_level, origin_hub, destination_hub from {{ ref('on_time_delivery') }} group by delivery_date, carrier_id, service_level, origin_hub, destination_hub having count(*) > 1
