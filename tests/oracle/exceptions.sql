-- What somebody should look at: oracle_curated.exception_report (S5.5), one row per (subject, type, opening).

-- Spans in which a delivery was owed: from the order, and again from whatever followed a loss, to the next end.
create or replace table oracle.owed as
select shipment_id, null::timestamp as since, min(event_time) filter (is_terminal) as over_at
from oracle.promises left join oracle.steps using (shipment_id) group by shipment_id
union all
select shipment_id, event_time, if(is_terminal, event_time, next_end_at) from oracle.steps where previous_status = 'lost';

-- A van is silent only while it should speak: from the last good ping or the start of holding, to the next or its end.
create or replace view oracle.holding_spans as select driver_key, start_at, ends_at as end_at from oracle.holdings;
create or replace table oracle.gaps as
select driver_key, last_ping_at, greatest(last_ping_at, start_at) + interval 15 minutes as opened_at, least(next_ping_at, end_at) as over_at
from merged('oracle.holding_spans', touching()) h join oracle_core.ping_silences s using (driver_key)
where opened_at < over_at and opened_at <= getvariable('as_of');

-- Damage is settled by the next end, or at once when the shipment has ended already.
create or replace table oracle.damages as
select e.shipment_id, e.event_id, e.event_time, if(any_value(f.is_terminal), e.event_time, min(s.event_time)) as resolved_at
from oracle_core.shipment_events e join oracle.statuses f on f.status = e.from_status
  left join oracle.steps s on s.shipment_id = e.shipment_id and s.n > e.n and s.is_terminal
where e.effect = 'exception' and e.reason = 'damaged' group by e.shipment_id, e.n, e.event_id, e.event_time;

create or replace table oracle_curated.exception_report as
with as_of as (select getvariable('as_of') as as_of),
shipment_rows as (
  select 'late_pickup' as type, shipment_id as subject, pickup_due as opened_at, pickup_over_at as resolved_at, order_ref as anchor
  from oracle.promises left join oracle.ends using (shipment_id), as_of
  where as_of > pickup_due and coalesce(pickup_over_at > pickup_due, true)
  union all
  -- A delivery that no longer stands (S3.5) was not late: it has no row.
  select 'late_delivery', shipment_id, greatest(due, since), over_at, order_ref
  from oracle.promises join oracle.owed using (shipment_id), as_of
  where as_of > due and coalesce(over_at > due, true) and (first_delivered_at is null or delivered_at is not null)
  union all
  select 'stalled', shipment_id, event_time + stalled_after, next_at, event_id
  from oracle.steps join oracle.promises using (shipment_id), as_of
  where not is_terminal and as_of > event_time + stalled_after and coalesce(next_at > event_time + stalled_after, true)
  union all
  select 'delivery_failed', shipment_id, event_time, next_settled_at, event_id from oracle.steps where status = 'delivery_attempted'
  union all
  select 'lost', shipment_id, event_time, next_at, event_id from oracle.steps where status = 'lost'
  union all
  select 'damaged', shipment_id, event_time, resolved_at, event_id from oracle.damages
  union all
  select check_name, subject, opened_at, resolved_at, anchor from oracle_ops.findings
  where check_name in ('orphan_event', 'missing_driver_id', 'invalid_transition', 'duplicate_shipment_id', 'late_event')),
driver_rows as (
  select 'gps_gap' as type, driver_key as subject, opened_at, if(over_at <= as_of, over_at, null) as resolved_at, cast(last_ping_at as varchar) as anchor
  from oracle.gaps, as_of
  union all
  select 'hos_violation', driver_key, over_11h_at, over_11h_at, 'over_11h' from oracle_curated.hours_of_service where over_11h_at is not null
  union all
  select 'hos_violation', driver_key, without_break_at, without_break_at, 'without_break' from oracle_curated.hours_of_service
  where without_break_at is not null)
select subject, subject_type, type, severity, opened_at, resolved_at, o.owner_hint, anchor
from (
  select 'shipment' as subject_type, * from shipment_rows where subject not in (select shipment_id from oracle_core.shipments where is_deleted)
  union all
  select 'driver', * from driver_rows)
join oracle.exceptions using (type) join oracle.exception_owners o using (type);
