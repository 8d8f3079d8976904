-- Grain: one row per (check_name, shipment_id, anchor fact): what is wrong, as of the clock, with what we were told of a shipment.
with clock as (select as_of from {{ source('ops', 'clock') }}),
statuses as (select * from {{ source('ops', 'statuses') }}),
shipments as (select * from {{ source('core', 'shipments') }}),
claims as (select * from {{ source('core', 'shipment_claims') }}),
events as (select * from {{ source('core', 'shipment_events') }}),
commands as (select * from {{ source('core', 'assignment_commands') }}),
drivers as (select * from {{ source('core', 'drivers') }}),

-- Each event beside its order and, where its status needs one, its driver: both must be known 30 minutes after we heard of it.
-- One pass over the events, and only those go on that something may be wrong with.
events_judged as (
  select
    e.shipment_id, e.event_id as anchor, e.event_time, e.effect, e.status, e.is_future, e.conflict_at,
    unix_micros(e.first_ingest_time) - unix_micros(e.event_time) > e.late_after_s * 1000000 as is_late,
    e.effect <> 'ignored' and e.named_driver_key <> e.holder_driver_key as is_driver_mismatch,
    timestamp_micros(unix_micros(e.first_ingest_time) + 1800000000) as known_by,
    s.order_first_ingest_time as order_heard_at, coalesce(s.is_deleted, false) as is_deleted,
    e.effect in ('apply', 'flag') and t.requires_driver as needs_driver, e.driver_key, d.first_ingest_time as driver_heard_at,
    -- A milestone before one that it counts from.
    e.effect in ('apply', 'flag') and (
      (e.status = 'picked_up' and e.event_time = s.first_picked_up_at and e.event_time < s.created_at)
      or (e.status = 'delivered' and e.event_time = s.delivered_at and (e.event_time < s.created_at or e.event_time < s.first_picked_up_at))
    ) as is_negative
  from events e
  join statuses t on t.status = e.status
  left join shipments s on s.shipment_id = e.shipment_id
  left join drivers d on d.driver_key = case when t.requires_driver then e.driver_key end
),

events_in_doubt as (
  select *
  from events_judged
  where effect in ('flag', 'reject') or is_future or is_late or is_driver_mismatch or is_negative or conflict_at is not null
    or order_heard_at is null or order_heard_at > known_by
    or (needs_driver and (driver_key is null or driver_heard_at is null or driver_heard_at > known_by))
),

commands_judged as (
  select
    m.shipment_id, m.assignment_id as anchor, m.effective_at, m.effect, m.conflict_at, m.is_deleted as is_withdrawn,
    timestamp_micros(unix_micros(m.first_ingest_time) + 1800000000) as known_by,
    s.order_first_ingest_time as order_heard_at, coalesce(s.is_deleted, false) as is_deleted,
    m.action in ('assign', 'reassign') as needs_driver, m.driver_key, d.first_ingest_time as driver_heard_at
  from commands m
  left join shipments s on s.shipment_id = m.shipment_id
  left join drivers d on d.driver_key = m.driver_key
),

commands_in_doubt as (
  select *
  from commands_judged
  where effect = 'unassign_mismatch' or conflict_at is not null
    or order_heard_at is null or order_heard_at > known_by
    or (needs_driver and (driver_key is null or driver_heard_at is null or driver_heard_at > known_by))
),

references_in_doubt as (
  select shipment_id, anchor, event_time as happened_at, known_by, order_heard_at, is_deleted, needs_driver, driver_key, driver_heard_at
  from events_in_doubt
  union all
  select shipment_id, anchor, effective_at, known_by, order_heard_at, is_deleted, needs_driver, driver_key, driver_heard_at
  from commands_in_doubt
  where not is_withdrawn
),

orphan_event as (
  select r.shipment_id, r.anchor, r.known_by as opened_at, r.order_heard_at as resolved_at
  from references_in_doubt r
  cross join clock c
  where c.as_of >= r.known_by and (r.order_heard_at is null or r.order_heard_at > r.known_by) and not r.is_deleted
),

driver_not_named as (
  select shipment_id, anchor, happened_at as opened_at, cast(null as timestamp) as resolved_at
  from references_in_doubt
  where needs_driver and driver_key is null
),

driver_unknown as (
  select r.shipment_id, r.anchor, r.known_by as opened_at, r.driver_heard_at as resolved_at
  from references_in_doubt r
  cross join clock c
  where r.needs_driver and r.driver_key is not null
    and c.as_of >= r.known_by
    and (r.driver_heard_at is null or r.driver_heard_at > r.known_by)
),

-- Checks of an instant: they open and resolve at once.
instants as (
  select 'invalid_transition' as check_name, shipment_id, anchor, event_time as happened_at from events_in_doubt where effect in ('flag', 'reject')
  union all select 'future_event', shipment_id, anchor, event_time from events_in_doubt where is_future
  union all select 'late_event', shipment_id, anchor, event_time from events_in_doubt where is_late
  union all select 'driver_mismatch', shipment_id, anchor, event_time from events_in_doubt where is_driver_mismatch
  union all select 'negative_duration', shipment_id, anchor, event_time from events_in_doubt where is_negative
  union all select 'conflicting_duplicate', shipment_id, anchor, conflict_at from events_in_doubt where conflict_at is not null
  union all select 'unassign_mismatch', shipment_id, anchor, effective_at from commands_in_doubt where effect = 'unassign_mismatch'
  union all select 'conflicting_duplicate', shipment_id, anchor, conflict_at from commands_in_doubt where conflict_at is not null
  union all select 'duplicate_shipment_id', shipment_id, order_ref, ordered_at from claims where not holds_id
  union all select 'conflicting_duplicate', shipment_id, order_ref, conflict_at from claims where conflict_at is not null
),

final as (
  select check_name, shipment_id as subject, anchor, happened_at as opened_at, happened_at as resolved_at, shipment_id from instants
  union all select 'orphan_event', shipment_id, anchor, opened_at, resolved_at, shipment_id from orphan_event
  union all select 'missing_driver_id', shipment_id, anchor, opened_at, resolved_at, shipment_id from driver_not_named
  union all select 'missing_driver_id', shipment_id, anchor, opened_at, resolved_at, shipment_id from driver_unknown
)

select * from final
