-- Grain: one row per (shipment_id, due_at): the moments at which the clock alone changes a row of this shipment in
-- shipment_sla, findings_shipment or exceptions_shipment. Free of the clock itself: past and future moments alike.
with statuses as (select * from {{ source('ops', 'statuses') }}),
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
    unix_micros(s.last_taken_at) as last_taken_us,
    unix_micros(least(s.first_picked_up_at, s.first_delivered_at, s.first_returned_at, s.first_cancelled_at, s.first_lost_at)) as pickup_us
  from shipments s
  join shipment_sla k on k.shipment_id = s.shipment_id
  join statuses t on t.status = s.state
  left join policies p on p.service_level = s.service_level
  where not s.is_deleted
),

-- After each taken event the next one is waited for.
silences as (
  select
    e.shipment_id, t.is_terminal, unix_micros(e.event_time) as event_us,
    lead(unix_micros(e.event_time)) over (partition by e.shipment_id order by e.event_time, t.rank, e.namespace, e.event_id) as next_us
  from events e
  join statuses t on t.status = e.status
  where e.effect in ('apply', 'flag')
),

-- Facts whose order or driver is unknown: 30 minutes after we first heard of them they become findings.
references_made as (
  select e.shipment_id, e.first_ingest_time, case when e.effect in ('apply', 'flag') and t.requires_driver then e.driver_key end as needed_driver
  from events e
  join statuses t on t.status = e.status
  union all
  select shipment_id, first_ingest_time, case when action in ('assign', 'reassign') then driver_key end from commands where not is_deleted
),

-- What becomes true after a moment (as_of > due) changes one microsecond later; what becomes true at it, at it. An interval
-- changes who holds the shipment when it begins and ends, unless it was first heard of later than that.
moments as (
  select shipment_id, pickup_due_us + 1 as due_us from promised where pickup_us is null or pickup_us > pickup_due_us
  union all
  select shipment_id, delivery_due_us + 1 from promised where not is_terminal or last_taken_us > delivery_due_us
  union all
  select shipment_id, at_risk_us from promised where not is_terminal
  union all
  select s.shipment_id, s.event_us + p.stalled_after_h * 3600000000 + 1
  from silences s
  join promised p on p.shipment_id = s.shipment_id
  where not s.is_terminal and (s.next_us is null or s.next_us > s.event_us + p.stalled_after_h * 3600000000)
  union all
  select r.shipment_id, unix_micros(r.first_ingest_time) + 1800000000
  from references_made r
  left join shipments s on s.shipment_id = r.shipment_id
  left join drivers d on d.driver_key = r.needed_driver
  where s.order_first_ingest_time is null or (r.needed_driver is not null and d.driver_key is null)
  union all
  select a.shipment_id, unix_micros(a.valid_from)
  from assignments a
  left join shipments s on s.shipment_id = a.shipment_id
  where s.delivered_at is null and (a.recorded_from is null or a.valid_from > a.recorded_from)
  union all
  select a.shipment_id, unix_micros(a.valid_to)
  from assignments a
  left join shipments s on s.shipment_id = a.shipment_id
  where s.delivered_at is null and (a.recorded_from is null or a.valid_to > a.recorded_from)
),

final as (select distinct shipment_id, timestamp_micros(due_us) as due_at from moments where due_us is not null)

select * from final
