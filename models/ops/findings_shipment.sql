-- Grain: one row per (check_name, shipment_id, anchor fact): what is wrong, as of the clock, with what we were told of a shipment.
with clock as (select as_of from {{ source('ops', 'clock') }}),
statuses as (select * from {{ source('ops', 'statuses') }}),
shipments as (select * from {{ source('core', 'shipments') }}),
claims as (select * from {{ source('core', 'shipment_claims') }}),
events as (select * from {{ source('core', 'shipment_events') }}),
commands as (select * from {{ source('core', 'assignment_commands') }}),
drivers as (select * from {{ source('core', 'drivers') }}),

-- Every fact that names the shipment, and by when (30 min after we first heard of it) its order and driver must be known.
references_made as (
  select
    e.shipment_id, e.event_id as anchor, e.event_time as happened_at,
    timestamp_micros(unix_micros(e.first_ingest_time) + 1800000000) as known_by,
    e.effect in ('apply', 'flag') and s.requires_driver as needs_driver, e.driver_key
  from events e
  join statuses s on s.status = e.status
  union all
  select
    shipment_id, assignment_id, effective_at,
    timestamp_micros(unix_micros(first_ingest_time) + 1800000000),
    action in ('assign', 'reassign'), driver_key
  from commands
  where not is_deleted
),

orphan_event as (
  select r.shipment_id, r.anchor, r.known_by as opened_at, s.order_first_ingest_time as resolved_at
  from references_made r
  cross join clock c
  left join shipments s on s.shipment_id = r.shipment_id
  where c.as_of >= r.known_by
    and (s.order_first_ingest_time is null or s.order_first_ingest_time > r.known_by)
    and not coalesce(s.is_deleted, false)
),

driver_not_named as (
  select shipment_id, anchor, happened_at as opened_at, cast(null as timestamp) as resolved_at
  from references_made
  where needs_driver and driver_key is null
),

driver_unknown as (
  select r.shipment_id, r.anchor, r.known_by as opened_at, d.first_ingest_time as resolved_at
  from references_made r
  cross join clock c
  left join drivers d on d.driver_key = r.driver_key
  where r.needs_driver and r.driver_key is not null
    and c.as_of >= r.known_by
    and (d.first_ingest_time is null or d.first_ingest_time > r.known_by)
),

-- A milestone before one that it counts from.
negative_duration as (
  select e.shipment_id, e.event_id as anchor, e.event_time as happened_at
  from events e
  join shipments s on s.shipment_id = e.shipment_id
  where e.effect in ('apply', 'flag')
    and (
      (e.status = 'picked_up' and e.event_time = s.first_picked_up_at and e.event_time < s.created_at)
      or (e.status = 'delivered' and e.event_time = s.delivered_at and (e.event_time < s.created_at or e.event_time < s.first_picked_up_at)))
),

-- Checks of an instant: they open and resolve at once.
instants as (
  select 'invalid_transition' as check_name, shipment_id, event_id as anchor, event_time as happened_at from events where effect in ('flag', 'reject')
  union all select 'future_event', shipment_id, event_id, event_time from events where is_future
  union all select 'late_event', shipment_id, event_id, event_time from events
    where unix_micros(first_ingest_time) - unix_micros(event_time) > late_after_s * 1000000
  union all select 'driver_mismatch', shipment_id, event_id, event_time from events
    where effect <> 'ignored' and named_driver_key <> holder_driver_key
  union all select 'unassign_mismatch', shipment_id, assignment_id, effective_at from commands where effect = 'unassign_mismatch'
  union all select 'duplicate_shipment_id', shipment_id, order_ref, ordered_at from claims where not holds_id
  union all select 'conflicting_duplicate', shipment_id, order_ref, conflict_at from claims where conflict_at is not null
  union all select 'conflicting_duplicate', shipment_id, event_id, conflict_at from events where conflict_at is not null
  union all select 'conflicting_duplicate', shipment_id, assignment_id, conflict_at from commands where conflict_at is not null
  union all select 'negative_duration', shipment_id, anchor, happened_at from negative_duration
),

final as (
  select check_name, shipment_id as subject, anchor, happened_at as opened_at, happened_at as resolved_at, shipment_id from instants
  union all select 'orphan_event', shipment_id, anchor, opened_at, resolved_at, shipment_id from orphan_event
  union all select 'missing_driver_id', shipment_id, anchor, opened_at, resolved_at, shipment_id from driver_not_named
  union all select 'missing_driver_id', shipment_id, anchor, opened_at, resolved_at, shipment_id from driver_unknown
)

select * from final
