-- Grain: one row per (promised_date, carrier, service level, lane) with a shipment due that day, delivered or not.
with shipment_sla as (select * from {{ ref('shipment_sla') }}),

due_shipments as (
  select
    *,
    row_number() over lane_by_delay as nth,
    count(delivered_at) over (partition by promised_date, carrier_id, service_level, origin_hub, destination_hub) as n
  from shipment_sla
  where sla_status <> 'excluded'
  window lane_by_delay as (
    partition by promised_date, carrier_id, service_level, origin_hub, destination_hub order by delivery_delay_s nulls last)
),

-- Percentiles by nearest rank over the n delivered ones, which come first in a lane; the others have no delay.
final as (
  select
    promised_date, carrier_id, service_level, origin_hub, destination_hub,
    count(*) as due,
    count(delivered_at) as delivered,
    count(case when is_on_time then 1 end) as on_time,
    count(case when is_late then 1 end) as late,
    count(case when is_early then 1 end) as early,
    count(case when is_first_attempt then 1 end) as first_attempt,
    count(*) - count(delivered_at) as undelivered,
    min(case when nth * 100 >= n * 50 then delivery_delay_s end) as p50_delay_s,
    min(case when nth * 100 >= n * 90 then delivery_delay_s end) as p90_delay_s,
    min(case when nth * 100 >= n * 99 then delivery_delay_s end) as p99_delay_s,
    cast(count(case when is_on_time then 1 end) as double) / cast(count(*) as double) as on_time_rate,
    count(case when state = 'lost' then 1 end) as lost,
    count(case when state = 'returned' then 1 end) as returned,
    cast(sum(exceptions) as bigint) as exceptions,
    cast(sum(invalid_transitions) as bigint) as invalid_transitions,
    cast(sum(late_events) as bigint) as late_events
  from due_shipments
  group by promised_date, carrier_id, service_level, origin_hub, destination_hub
)

select * from final
