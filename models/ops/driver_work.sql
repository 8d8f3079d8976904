-- Grain: one row per (shipment_id, driver_key, date): what a driver did to a shipment on a day, by its taken events.
with calendar as (select * from {{ source('ops', 'calendar') }}),
shipments as (select * from {{ source('core', 'shipments') }}),
events as (select * from {{ source('core', 'shipment_events') }}),

deleted as (select shipment_id from shipments where is_deleted),

taken_events as (
  select e.shipment_id, e.driver_key, e.status, e.event_time, d.date
  from events e
  join calendar d on d.utc_date = cast(e.event_time as date) and e.event_time >= d.start_at and e.event_time < d.end_at
  left join deleted x on x.shipment_id = e.shipment_id
  where e.effect in ('apply', 'flag') and e.driver_key is not null and x.shipment_id is null
),

final as (
  select
    shipment_id, driver_key, date,
    count(case when status = 'delivered' then 1 end) as deliveries,
    count(case when status = 'delivery_attempted' then 1 end) as attempts,
    min(event_time) as first_event_at,
    max(event_time) as last_event_at
  from taken_events
  group by shipment_id, driver_key, date
)

select * from final
