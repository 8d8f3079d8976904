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

-- Silences: nothing was taken for longer than the service level allows. Times first, which are quick to order; then which
-- event it was: of several at one moment the last in the lifecycle's order.
steps as (
  select shipment_id, event_time, lead(event_time) over (partition by shipment_id order by event_time) as next_taken_at
  from events
  where effect in ('apply', 'flag')
),

silences as (
  select
    s.shipment_id, s.event_time, s.next_taken_at, timestamp_micros(unix_micros(s.event_time) + w.stalled_after_h * 3600000000) as due_at
  from steps s
  join watched w on w.shipment_id = s.shipment_id
  where s.next_taken_at is null or unix_micros(s.next_taken_at) - unix_micros(s.event_time) > w.stalled_after_h * 3600000000
),

silent_since as (
  select
    e.shipment_id, e.event_id, t.is_terminal, s.due_at, s.next_taken_at,
    row_number() over (partition by e.shipment_id, e.event_time order by t.rank desc, e.namespace desc, e.event_id desc) as nth_last
  from silences s
  join events e on e.shipment_id = s.shipment_id and e.event_time = s.event_time
  join statuses t on t.status = e.status
  where e.effect in ('apply', 'flag')
),

-- Events that something later has to settle, and what may settle them: an end, the turn back, being found again.
notable as (
  select e.shipment_id, e.namespace, e.event_id, e.event_time, e.status, e.from_status, e.effect, t.rank, t.is_terminal
  from events e
  join statuses t on t.status = e.status
  where (e.effect in ('apply', 'flag') and (t.is_terminal or e.status in ('delivery_attempted', 'returning') or e.from_status = 'lost'))
    or (e.effect = 'exception' and e.reason = 'damaged')
),

open_questions as (select * from notable where status in ('delivery_attempted', 'lost') or effect = 'exception' or from_status = 'lost'),

answers as (select * from notable where effect <> 'exception' and (is_terminal or status = 'returning' or from_status = 'lost')),

answered as (
  select
    q.*, a.event_time as answered_at, a.status as answer, a.is_terminal as answer_is_end, a.from_status = 'lost' as answer_is_finding,
    a.event_time > q.event_time or a.rank > q.rank
      or (a.rank = q.rank and (a.namespace > q.namespace or (a.namespace = q.namespace and a.event_id > q.event_id))) as is_later
  from open_questions q
  left join answers a on a.shipment_id = q.shipment_id and a.event_time >= q.event_time
),

settled as (
  select
    shipment_id, namespace, event_id, event_time, status, from_status, effect, is_terminal,
    min(case when is_later and answer_is_finding then answered_at end) as found_at,
    min(case when is_later and answer_is_end then answered_at end) as next_end_at,
    min(case when is_later and (answer_is_end or answer = 'returning') then answered_at end) as next_outcome_at
  from answered
  group by shipment_id, namespace, event_id, event_time, status, from_status, effect, is_terminal
),

-- Exceptions that are there from the moment their event is known. What is taken next after a loss is the finding.
from_events as (
  select 'delivery_failed' as type, shipment_id, event_id as anchor, event_time as opened_at, next_outcome_at as resolved_at
  from settled where status = 'delivery_attempted'
  union all
  select 'lost', shipment_id, event_id, event_time, found_at from settled where status = 'lost'
  union all
  select 'damaged', q.shipment_id, q.event_id, q.event_time, case when t.is_terminal then q.event_time else q.next_end_at end
  from settled q
  join statuses t on t.status = q.from_status
  where q.effect = 'exception'
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
    'late_delivery', w.shipment_id, w.order_ref, w.delivery_due_at, q.event_time, case when q.is_terminal then q.event_time else q.next_end_at end
  from settled q
  join watched w on w.shipment_id = q.shipment_id
  where q.effect <> 'exception' and q.from_status = 'lost' and not w.is_delivery_undone
  union all
  select 'stalled', shipment_id, event_id, due_at, cast(null as timestamp), next_taken_at
  from silent_since
  where nth_last = 1 and not is_terminal
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
