-- Grain: one row per (delivery_date, carrier, service level, lane) with a delivery that counts.
with shipment_sla as (select * from {{ ref('shipment_sla') }}),

deliveries as (
  select
    delivered_date as delivery_date, carrier_id, service_level, origin_hub, destination_hub,
    is_on_time, is_late, is_early, is_first_attempt, delivery_delay_s,
    row_number() over lane_by_delay as nth,
    count(*) over (partition by delivered_date, carrier_id, service_level, origin_hub, destination_hub) as n
  from shipment_sla
  where delivered_date is not null and sla_status <> 'excluded'
  window lane_by_delay as (
    partition by delivered_date, carrier_id, service_level, origin_hub, destination_hub order by delivery_delay_s)
),

-- Nearest rank: the p-th percentile of n delays is the ceil(p * n / 100)-th, one of the delays themselves.
final as (
  select
    delivery_date, carrier_id, service_level, origin_hub, destination_hub,
    count(*) as delivered,
    count(case when is_on_time then 1 end) as on_time,
    count(case when is_late then 1 end) as late,
    count(case when is_early then 1 end) as early,
    count(case when is_first_attempt then 1 end) as first_attempt,
    min(case when nth * 100 >= n * 50 then delivery_delay_s end) as p50_delay_s,
    min(case when nth * 100 >= n * 90 then delivery_delay_s end) as p90_delay_s,
    min(case when nth * 100 >= n * 99 then delivery_delay_s end) as p99_delay_s,
    cast(count(case when is_on_time then 1 end) as double) / cast(count(*) as double) as on_time_rate
  from deliveries
  group by delivery_date, carrier_id, service_level, origin_hub, destination_hub
)

select * from final
