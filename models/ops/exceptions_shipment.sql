-- Grain: one row per (shipment_id, type, opened_at, anchor): what a dispatcher must look at, as of the clock.
with clock as (select as_of from {{ source('ops', 'clock') }}),
types as (select * from {{ source('ops', 'exceptions') }}),
statuses as (select * from {{ source('ops', 'statuses') }}),
policies as (select * from {{ source('ops', 'sla_policy') }}),
shipments as (select * from {{ source('core', 'shipments') }}),
events as (select * from {{ source('core', 'shipment_events') }}),
shipment_sla as (select * from {{ ref('shipment_sla') }}),
findings as (select * from {{ ref('findings_shipment') }}),

-- What may raise an exception, with the last moments at which pickup and delivery were still in time.
watched as (
  select
    s.shipment_id, s.order_ref, s.first_picked_up_at, p.stalled_after_h,
    s.first_delivered_at is not null and s.delivered_at is null as is_delivery_undone,
    timestamp_micros(unix_micros(k.promised_pickup_by) + coalesce(p.grace_min, 0) * 60000000) as pickup_due_at,
    timestamp_micros(unix_micros(k.promised_delivery_by) + coalesce(p.grace_min, 0) * 60000000) as delivery_due_at,
    least(s.first_delivered_at, s.first_returned_at, s.first_cancelled_at, s.first_lost_at) as first_end_at
  from shipments s
  join shipment_sla k on k.shipment_id = s.shipment_id
  left join policies p on p.service_level = s.service_level
  where not s.is_deleted
),

-- Taken events and exception events with what follows them in the shipment's history.
history as (
  select
    e.shipment_id, e.event_id, e.event_time, e.status, e.reason, e.from_status, e.effect, t.is_terminal,
    min(case when e.effect <> 'exception' then e.event_time end) over later as next_taken_at,
    min(case when e.effect <> 'exception' and t.is_terminal then e.event_time end) over later as next_end_at,
    min(case when e.effect <> 'exception' and (t.is_terminal or e.status = 'returning') then e.event_time end) over later as next_outcome_at
  from events e
  join statuses t on t.status = e.status
  where e.effect in ('apply', 'flag', 'exception')
  window later as (
    partition by e.shipment_id order by e.event_time, t.rank, e.namespace, e.event_id rows between 1 following and unbounded following)
),

-- Exceptions that are there from the moment their event is known.
from_events as (
  select 'delivery_failed' as type, shipment_id, event_id as anchor, event_time as opened_at, next_outcome_at as resolved_at
  from history where status = 'delivery_attempted'
  union all
  select 'lost', shipment_id, event_id, event_time, next_taken_at from history where status = 'lost'
  union all
  select 'damaged', h.shipment_id, h.event_id, h.event_time, case when t.is_terminal then h.event_time else h.next_end_at end
  from history h
  join statuses t on t.status = h.from_status
  where h.effect = 'exception' and h.reason = 'damaged'
),

-- Exceptions that a deadline raises, once it has passed with nothing to end the wait. A delivery is waited for from the
-- order on, and anew from the finding of a lost shipment; not for one that was delivered and has been given back since.
waits as (
  select
    'late_pickup' as type, shipment_id, order_ref as anchor, pickup_due_at as due_at,
    cast(null as timestamp) as waiting_since, least(first_picked_up_at, first_end_at) as resolved_at
  from watched
  union all
  select 'late_delivery', shipment_id, order_ref, delivery_due_at, cast(null as timestamp), first_end_at
  from watched
  where not is_delivery_undone
  union all
  select
    'late_delivery', w.shipment_id, w.order_ref, w.delivery_due_at, h.event_time, case when h.is_terminal then h.event_time else h.next_end_at end
  from history h
  join watched w on w.shipment_id = h.shipment_id
  where h.effect <> 'exception' and h.from_status = 'lost' and not w.is_delivery_undone
  union all
  select
    'stalled', w.shipment_id, h.event_id, timestamp_micros(unix_micros(h.event_time) + w.stalled_after_h * 3600000000),
    cast(null as timestamp), h.next_taken_at
  from history h
  join watched w on w.shipment_id = h.shipment_id
  where h.effect <> 'exception' and not h.is_terminal
),

raised as (
  select e.* from from_events e
  union all
  select w.type, w.shipment_id, w.anchor, greatest(w.due_at, w.waiting_since), w.resolved_at
  from waits w
  cross join clock c
  where c.as_of > w.due_at and (w.resolved_at is null or w.resolved_at > w.due_at)
  union all
  select check_name, shipment_id, anchor, opened_at, resolved_at from findings
  where check_name in ('orphan_event', 'missing_driver_id', 'invalid_transition', 'duplicate_shipment_id', 'late_event')
),

final as (
  select
    r.shipment_id as subject, 'shipment' as subject_type, r.type, t.severity, r.opened_at, r.resolved_at, t.owner_hint, r.anchor, r.shipment_id
  from raised r
  join types t on t.type = r.type
  left join shipments s on s.shipment_id = r.shipment_id
  where not coalesce(s.is_deleted, false)
)

select * from final
