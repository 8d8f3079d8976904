-- What is wrong, as far as facts can say: oracle_ops.findings (S6). What is only known at the door (unmapped_status,
-- coordinate_out_of_range, contract_violation, schema_drift) is not here.

create or replace macro grace() as interval 30 minutes;

-- Who must be known half an hour after we heard of the fact: S6.2 for drivers, S6.6 for orders.
create or replace table oracle.driver_claims as
select shipment_id, event_id as anchor, driver_key, event_time as happened_at, first_ingest_time
from oracle_core.shipment_events where is_taken and requires_driver
union all
select shipment_id, assignment_id, driver_key, effective_at, first_ingest_time
from oracle_core.assignment_commands where action <> 'unassign' and not is_deleted;

create or replace table oracle.order_claims as
select shipment_id, event_id as anchor, first_ingest_time from oracle_core.shipment_events
union all
select shipment_id, assignment_id, first_ingest_time from oracle_core.assignment_commands where not is_deleted;

-- When each thing was first heard of, by which feed; a namespace with settings of its own has feeds of its own.
create or replace table oracle.heard as
with things as (
  select 'orders' as stem, namespace, first_ingest_time as heard_at from oracle_core.shipment_claims
  union all select 'drivers', null, first_ingest_time from oracle_core.drivers
  union all select 'events', namespace, first_ingest_time from oracle_core.shipment_events
  union all select 'assignments', namespace, first_ingest_time from oracle_core.assignment_commands
  union all select 'gps', null, ingest_time from oracle.all_pings)
select w.contract, heard_at, day_of(heard_at) as date
from things t left join oracle.feeds f on f.namespace = t.namespace
join oracle.watched w on w.contract = if(f.namespace is null, stem, f.namespace || '-' || stem);

create or replace table oracle_ops.findings as
with orders as (
  select shipment_id, min(first_ingest_time) as known_at, bool_or(holds_id and is_deleted) as is_deleted
  from oracle_core.shipment_claims group by shipment_id),

-- S3.6: between the milestones created, picked up, delivered; the anchor is the event that came too early.
negative_durations as (
  select distinct e.shipment_id, e.event_id, e.event_time from oracle_core.shipment_events e join oracle_core.shipments s using (shipment_id)
  where is_taken and (status = 'picked_up' and e.event_time = first_picked_up_at and e.event_time < s.created_at
    or status = 'delivered' and e.event_time = delivered_at and e.event_time < least(s.created_at, first_picked_up_at))),

intervals as (
  select 'missing_driver_id' as check_name, shipment_id as subject, anchor, happened_at as opened_at, null::timestamp as resolved_at
  from oracle.driver_claims where driver_key is null
  union all
  select 'missing_driver_id', shipment_id, anchor, c.first_ingest_time + grace(), d.first_ingest_time
  from oracle.driver_claims c left join oracle_core.drivers d using (driver_key)
  where driver_key is not null and coalesce(d.first_ingest_time, 'infinity') > c.first_ingest_time + grace()
    and getvariable('as_of') >= c.first_ingest_time + grace()
  union all
  select 'orphan_event', shipment_id, anchor, first_ingest_time + grace(), known_at
  from oracle.order_claims left join orders using (shipment_id)
  where not coalesce(is_deleted, false) and coalesce(known_at, 'infinity') > first_ingest_time + grace()
    and getvariable('as_of') >= first_ingest_time + grace()),

instants as (
  select 'invalid_transition' as check_name, shipment_id as subject, event_id as anchor, event_time as opened_at
  from oracle_core.shipment_events where effect in ('flag', 'reject')
  union all
  select 'duplicate_shipment_id', shipment_id, order_ref, ordered_at from oracle_core.shipment_claims where not holds_id
  union all
  select 'late_event', shipment_id, event_id, event_time from oracle_core.shipment_events
  where first_ingest_time > event_time + to_seconds(late_after_s)
  union all
  select 'future_event', shipment_id, event_id, event_time from oracle_core.shipment_events where is_future
  union all
  select 'driver_mismatch', shipment_id, event_id, event_time from oracle_core.shipment_events
  where effect <> 'ignored' and holder_driver_key <> named_driver_key
  union all
  select 'unassign_mismatch', shipment_id, assignment_id, effective_at from oracle_core.assignment_commands where effect = 'unassign_mismatch'
  union all
  select 'negative_duration', shipment_id, event_id, event_time from negative_durations
  union all
  select 'conflicting_duplicate', shipment_id, event_id, conflict_at from oracle_core.shipment_events where conflict_at is not null
  union all
  select 'conflicting_duplicate', shipment_id, assignment_id, conflict_at from oracle_core.assignment_commands where conflict_at is not null
  union all
  select 'conflicting_duplicate', shipment_id, order_ref, conflict_at from oracle_core.shipment_claims where conflict_at is not null
  union all
  select 'conflicting_duplicate', driver_key, driver_key, conflict_at from oracle_core.drivers where conflict_at is not null
  union all
  select kind, driver_key, cast(event_time as varchar), opened_at from oracle_core.gps_anomalies)

select * from intervals
union all
select 'source_silent', contract, cast(heard_at as varchar), heard_at + to_minutes(silent_after_min), next_at
from (select *, lead(heard_at) over (partition by contract order by heard_at) as next_at from oracle.heard) join oracle.watched using (contract)
where heard_at + to_minutes(silent_after_min) < coalesce(next_at, 'infinity') and heard_at + to_minutes(silent_after_min) <= getvariable('as_of')
union all
select 'volume_anomaly', w.contract, cast(d.date as varchar), day_start(d.date + 1), day_start(d.date + 1)
from oracle.watched w
cross join lateral (select min(h.date) as since from oracle.heard h where h.contract = w.contract) s
cross join lateral (select unnest(range(since + 1, day_of(getvariable('as_of')), interval 1 day))::date as date) d
left join lateral (select count(*) as things from oracle.heard h where h.contract = w.contract and h.date = d.date) t on true
where things < per_day_min or things > per_day_max
union all
select check_name, subject, anchor, opened_at, opened_at from instants;
