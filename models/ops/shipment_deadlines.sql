-- Grain: one row per (shipment_id, due_at): the moments still to come at which the clock alone changes a row of this
-- shipment in shipment_sla, findings_shipment, exceptions_shipment or here.
with clock as (select as_of, unix_micros(as_of) as as_of_us, timestamp_micros(unix_micros(as_of) - 1800000000) as half_an_hour_ago from {{ source('ops', 'clock') }}),
statuses as (select * from {{ source('ops', 'statuses') }}),
policies as (select * from {{ source('ops', 'sla_policy') }}),
shipments as (select * from {{ source('core', 'shipments') }}),
events as (select * from {{ source('core', 'shipment_events') }}),
commands as (select * from {{ source('core', 'assignment_commands') }}),
assignments as (select * from {{ source('core', 'driver_assignments') }}),
drivers as (select * from {{ source('core', 'drivers') }}),
shipment_sla as (select * from {{ ref('shipment_sla') }}),

promised as (
  select
    s.shipment_id, t.is_terminal, p.stalled_after_h,
    unix_micros(k.promised_pickup_by) + coalesce(p.grace_min, 0) * 60000000 as pickup_due_us,
    unix_micros(k.promised_delivery_by) + coalesce(p.grace_min, 0) * 60000000 as delivery_due_us,
    unix_micros(k.promised_delivery_by) - coalesce(p.risk_window_min, 0) * 60000000 as at_risk_us,
    s.last_taken_at, unix_micros(s.last_taken_at) as last_taken_us,
    unix_micros(least(s.first_picked_up_at, s.first_delivered_at, s.first_returned_at, s.first_cancelled_at, s.first_lost_at)) as pickup_us
  from shipments s
  join shipment_sla k on k.shipment_id = s.shipment_id
  join statuses t on t.status = s.state
  left join policies p on p.service_level = s.service_level
  where not s.is_deleted
),

-- After its last taken event the next one is waited for. Others' clocks run some minutes ahead of ours: where the last one lies
-- ahead of the clock, the earlier ones are waited on too, until then.
waits as (
  select shipment_id, last_taken_us as since_us, stalled_after_h from promised where not is_terminal
  union all
  select p.shipment_id, unix_micros(e.event_time), p.stalled_after_h
  from promised p
  cross join clock c
  join events e on e.shipment_id = p.shipment_id
  where p.last_taken_at > c.as_of and e.effect in ('apply', 'flag')
),

-- Facts whose order or driver is unknown: 30 minutes after we first heard of them they become findings.
references_made as (
  select e.shipment_id, e.first_ingest_time, case when e.effect in ('apply', 'flag') and t.requires_driver then e.driver_key end as needed_driver
  from events e
  cross join clock c
  join statuses t on t.status = e.status
  where e.first_ingest_time > c.half_an_hour_ago
  union all
  select m.shipment_id, m.first_ingest_time, case when m.action in ('assign', 'reassign') then m.driver_key end
  from commands m
  cross join clock c
  where m.first_ingest_time > c.half_an_hour_ago and not m.is_deleted
),

-- What becomes true after a moment (as_of > due) changes one microsecond later; what becomes true at it, at it. An interval
-- changes who holds the shipment when it begins and ends.
moments as (
  select shipment_id, pickup_due_us + 1 as due_us from promised where pickup_us is null or pickup_us > pickup_due_us
  union all
  select shipment_id, delivery_due_us + 1 from promised where not is_terminal or last_taken_us > delivery_due_us
  union all
  select shipment_id, at_risk_us from promised where not is_terminal
  union all
  select shipment_id, last_taken_us from promised
  union all
  select shipment_id, since_us + stalled_after_h * 3600000000 + 1 from waits
  union all
  select r.shipment_id, unix_micros(r.first_ingest_time) + 1800000000
  from references_made r
  left join shipments s on s.shipment_id = r.shipment_id
  left join drivers d on d.driver_key = r.needed_driver
  where s.order_first_ingest_time is null or (r.needed_driver is not null and d.driver_key is null)
  union all
  select shipment_id, unix_micros(valid_from) from assignments
  union all
  select shipment_id, unix_micros(valid_to) from assignments
),

final as (
  select distinct m.shipment_id, timestamp_micros(m.due_us) as due_at
  from moments m
  cross join clock c
  where m.due_us > c.as_of_us
)

select * from final
