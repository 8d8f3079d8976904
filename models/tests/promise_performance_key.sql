-- One row per (promised_date, carrier_id, service_level, origin_hub, destination_hub).
select promised_date, carrier_id, service_level, origin_hub, destination_hub from {{ ref('promise_performance') }} group by promised_date, carrier_id, service_level, origin_hub, destination_hub having count(*) > 1
