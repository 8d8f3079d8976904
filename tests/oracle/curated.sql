-- What people read: oracle_curated.shipment_sla, on_time_delivery, promise_performance, carrier_scorecard,
-- driver_utilization, hours_of_service (S5.1 to S5.4).

-- ---- Promises (S5.1) ------------------------------------------------------------------------------------------------------

-- A shipment with what it was promised. An unknown service level promises nothing, forgives nothing and never stalls.
create or replace table oracle.promises as
select s.*, coalesce(s.promised_pickup_by, s.created_at + to_hours(pickup_within_h)) as pickup_promise,
  coalesce(s.promised_delivery_by, s.created_at + to_hours(delivery_within_h)) as promise,
  pickup_promise + to_minutes(coalesce(grace_min, 0)) as pickup_due, promise + to_minutes(coalesce(grace_min, 0)) as due,
  promise - to_minutes(coalesce(early_window_min, 0)) as early_before, promise - to_minutes(coalesce(risk_window_min, 0)) as risky_from,
  to_hours(stalled_after_h) as stalled_after
from oracle_core.shipments s left join oracle.sla_policy using (service_level);

create or replace table oracle.ends as   -- of waiting for the pickup
select shipment_id, min(event_time) as pickup_over_at from oracle_core.shipment_events
where is_taken and (status = 'picked_up' or is_terminal) group by shipment_id;

create or replace table oracle_curated.shipment_sla as
with holders as (
  select shipment_id, driver_key from oracle_core.driver_assignments
  where valid_from <= getvariable('as_of') and (valid_to is null or valid_to > getvariable('as_of'))),
excuses as (
  select shipment_id, last(reason order by n) as reason from oracle_core.shipment_events join oracle.promises using (shipment_id)
  where effect = 'exception' and event_time < promise group by shipment_id),
judged as (
  select *, case
      when promise is null or is_deleted or state = 'cancelled' then 'excluded'
      when delivered_at <= due then 'met'
      when delivered_at > due or state in ('lost', 'returned') then 'missed'
      when getvariable('as_of') > due then 'breached'
      when getvariable('as_of') >= risky_from and state < 'out_for_delivery'::status then 'at_risk'
      else 'on_track' end as sla_status,
    getvariable('as_of') > pickup_due and coalesce(pickup_over_at > pickup_due, true) as was_late_pickup
  from oracle.promises left join oracle.ends using (shipment_id) left join excuses using (shipment_id) left join holders using (shipment_id))
select shipment_id, carrier_id, service_level, origin_hub, destination_hub, current_status, state, sla_status,
  case when promise is null then 'no_promise'
       when sla_status not in ('missed', 'breached') then null
       when reason is not null then reason
       when was_late_pickup then 'late_pickup'
       when state in ('lost', 'returned') then state
       else 'late_delivery' end as breach_reason,
  if(delivered_at is null, driver_key, delivered_by) as driver_key,
  created_at, pickup_promise as promised_pickup_by, promise as promised_delivery_by, first_picked_up_at as picked_up_at, delivered_at,
  day_of(delivered_at) as delivered_date, day_of(promise) as promised_date, attempts,
  seconds(us(created_at, first_picked_up_at)) as pickup_duration_s, seconds(us(first_picked_up_at, delivered_at)) as transit_duration_s,
  seconds(us(created_at, delivered_at)) as total_duration_s, seconds(us(promise, delivered_at)) as delivery_delay_s,
  sla_status = 'met' as is_on_time, coalesce(delivered_at > due, false) as is_late, coalesce(delivered_at < early_before, false) as is_early,
  delivered_at is not null and attempts = 0 as is_first_attempt
from judged;

-- ---- Roll-ups (S5.2) ------------------------------------------------------------------------------------------------------

create or replace macro nearest_rank(sorted, percent) as sorted[(percent * len(sorted) + 99) // 100];   -- ceil(p * n), exactly

create or replace macro performance(day) as table
with grouped as (
  select query_day as date, carrier_id, service_level, origin_hub, destination_hub, count(*) as due, count(delivered_at) as delivered,
    count(*) filter (is_on_time) as on_time, count(*) filter (is_late) as late, count(*) filter (is_early) as early,
    count(*) filter (is_first_attempt) as first_attempt,
    list(delivery_delay_s order by delivery_delay_s) filter (delivered_at is not null) as delays
  from (select *, if(day = 'delivered', delivered_date, promised_date) as query_day from oracle_curated.shipment_sla where sla_status <> 'excluded')
  where query_day is not null group by all)
select * exclude (delays), due - delivered as undelivered, nearest_rank(delays, 50) as p50_delay_s, nearest_rank(delays, 90) as p90_delay_s,
  nearest_rank(delays, 99) as p99_delay_s, on_time::double / due as on_time_rate
from grouped;

create or replace table oracle_curated.on_time_delivery as
select date as delivery_date, * exclude (date, due, undelivered) from performance('delivered');

create or replace table oracle_curated.promise_performance as
select date as promised_date, * exclude (date) from performance('promised');

create or replace table oracle_curated.carrier_scorecard as
with told as (
  select shipment_id, count(*) filter (effect = 'exception') as exceptions, count(*) filter (effect in ('flag', 'reject')) as invalid_transitions,
    count(*) filter (first_ingest_time > event_time + to_seconds(late_after_s)) as late_events
  from oracle_core.shipment_events group by shipment_id)
select date_trunc('month', promised_date)::date as month, carrier_id, count(*) as due, count(delivered_at) as delivered,
  count(*) filter (is_on_time) as on_time, count(*) filter (is_late) as late, due - delivered as undelivered,
  count(*) filter (state = 'lost') as lost, count(*) filter (state = 'returned') as returned,
  coalesce(sum(exceptions), 0)::bigint as exceptions, coalesce(sum(invalid_transitions), 0)::bigint as invalid_transitions,
  coalesce(sum(late_events), 0)::bigint as late_events, on_time::double / due as on_time_rate
from oracle_curated.shipment_sla left join told using (shipment_id) where sla_status <> 'excluded' group by all;

-- ---- Drivers' days (S5.3) -------------------------------------------------------------------------------------------------

-- Tables of spans have (driver_key, start_at, end_at). Spans closer than `apart` become one.
create or replace macro merged(spans, apart) as table
with marked as (
  select *, coalesce(start_at >= max(end_at) over (past rows between unbounded preceding and 1 preceding) + apart, true) as is_new
  from query_table(spans) where end_at > start_at window past as (partition by driver_key order by start_at, end_at)),
numbered as (select *, count(*) filter (is_new) over (partition by driver_key order by start_at, end_at) as island from marked)
select driver_key, min(start_at) as start_at, max(end_at) as end_at from numbered group by driver_key, island;

create or replace macro by_day(spans) as table
select * replace (greatest(start_at, day_start(date)) as start_at, least(end_at, day_start(date + 1)) as end_at)
from (select *, unnest(range(day_of(start_at), day_of(end_at - interval 1 microsecond) + 1, interval 1 day))::date as date
      from query_table(spans) where end_at > start_at);

create or replace macro touching() as interval 1 microsecond;

-- Holdings count to their end, open ones to now and not for ever (S4.4). Deleted shipments count nowhere.
create or replace table oracle.holdings as
select a.*, coalesce(valid_to, counts_to_at_most) as ends_at, valid_from as start_at,
  coalesce(valid_to, least(getvariable('as_of'), counts_to_at_most)) as end_at
from oracle_core.driver_assignments a left join oracle_core.shipments s using (shipment_id) where not coalesce(is_deleted, false);

create or replace table oracle.drivers_events as
select e.*, day_of(event_time) as date from oracle_core.shipment_events e join oracle_core.shipments using (shipment_id)
where is_taken and driver_key is not null and not is_deleted;

-- Driving that a feed reports counts on days without pings.
create or replace view oracle.reported_spans as
select driver_key, event_time - to_seconds(driving_s) as start_at, event_time as end_at from oracle.drivers_events where driving_s > 0;
create or replace table oracle.reported as
select * from by_day('oracle.reported_spans') anti join oracle_core.driver_day using (driver_key, date);

create or replace table oracle.assigned as from merged('oracle.holdings', touching());
create or replace table oracle.driving as
select driver_key, start_at, end_at from oracle_core.driver_segments where is_driving union all select driver_key, start_at, end_at from oracle.reported;
create or replace view oracle.on_duty_spans as
from oracle.assigned union all from oracle.driving;
create or replace table oracle.on_duty as from merged('oracle.on_duty_spans', touching());
create or replace view oracle.seen_spans as
from oracle.assigned union all select driver_key, start_at, end_at from oracle_core.driver_segments;
create or replace table oracle.seen as from merged('oracle.seen_spans', touching());

create or replace table oracle_curated.driver_utilization as
with measures as (
  select driver_key, date, 'assigned' as kind, us(start_at, end_at) as us_ from by_day('oracle.assigned')
  union all select driver_key, date, 'on_duty', us(start_at, end_at) from by_day('oracle.on_duty')
  union all select driver_key, date, 'reported', us(start_at, end_at) from oracle.reported
  -- Assigned time without a segment is what both cover together, less the segments.
  union all select driver_key, date, 'offline', us(start_at, end_at) from by_day('oracle.seen')
  union all select driver_key, date, 'offline', us(end_at, start_at) from oracle_core.driver_segments),
timed as (
  select driver_key, date, coalesce(sum(us_) filter (kind = 'assigned'), 0) as assigned, coalesce(sum(us_) filter (kind = 'on_duty'), 0) as on_duty,
    coalesce(sum(us_) filter (kind = 'reported'), 0) as reported, coalesce(sum(us_) filter (kind = 'offline'), 0) as offline
  from measures group by all),
held as (select driver_key, date, shipment_id from by_day('oracle.holdings') group by all),
done as (
  select driver_key, date, count(*) filter (status = 'delivered') as deliveries, count(*) filter (status = 'delivery_attempted') as attempts,
    min(event_time) as first_event_at, max(event_time) as last_event_at
  from oracle.drivers_events group by all),
handled as (
  select driver_key, date, count(distinct shipment_id) as shipments
  from (from held union all select driver_key, date, shipment_id from oracle.drivers_events) group by all),
days as (
  select driver_key, date from timed where assigned > 0 or reported > 0 union select driver_key, date from oracle_core.driver_segments
  union select driver_key, date from oracle_core.driver_day union select driver_key, date from done)
select driver_key, date, seconds(coalesce(assigned, 0)) as assigned_s, seconds(coalesce(driving_us, reported, 0)) as driving_s,
  seconds(coalesce(idle_us, 0)) as idle_s, seconds(coalesce(offline, 0)) as offline_s, coalesce(distance_cm, 0) as distance_cm,
  seconds(coalesce(on_duty, 0)) as on_duty_s, driving_s::double / nullif(on_duty_s, 0) as utilization,
  coalesce(deliveries, 0) as deliveries, coalesce(attempts, 0) as attempts, coalesce(shipments, 0) as shipments,
  least(first_event_at, first_ping_at) as first_activity, greatest(last_event_at, last_ping_at) as last_activity
from days left join timed using (driver_key, date) left join oracle_core.driver_day using (driver_key, date)
  left join done using (driver_key, date) left join handled using (driver_key, date);

-- ---- Hours of service (S5.4) ----------------------------------------------------------------------------------------------

create or replace view oracle.duty_spans as select driver_key, start_at, least(end_at, getvariable('as_of')) as end_at from oracle.on_duty;
create or replace view oracle.driving_spans as select driver_key, start_at, least(end_at, getvariable('as_of')) as end_at from oracle.driving;
create or replace table oracle.drives as from merged('oracle.driving_spans', touching());

create or replace table oracle_curated.hours_of_service as
with periods as (from merged('oracle.duty_spans', interval 10 hours)),
stretches as (from merged('oracle.drives', interval 30 minutes)),
duty as (
  select p.driver_key, p.start_at as duty_start_at, sum(us(d.start_at, d.end_at)) as on_duty_us
  from merged('oracle.duty_spans', touching()) d asof join periods p on p.driver_key = d.driver_key and d.start_at >= p.start_at group by all),
driven as (
  select d.driver_key, p.start_at as duty_start_at, d.end_at,
    (sum(us(d.start_at, d.end_at)) over (partition by d.driver_key, p.start_at order by d.start_at))::bigint as driven_us,
    (sum(us(d.start_at, d.end_at)) over (partition by d.driver_key, s.start_at order by d.start_at))::bigint as unbroken_us
  from oracle.drives d asof join periods p on p.driver_key = d.driver_key and d.start_at >= p.start_at
    asof join stretches s on s.driver_key = d.driver_key and d.start_at >= s.start_at),
-- Of the drives that end past a limit, the first goes back to the very moment; every later one to a later moment.
limits as (
  select driver_key, duty_start_at, max(driven_us) as driving_us,
    min(end_at - to_microseconds(driven_us - 39600000000)) filter (driven_us > 39600000000) as over_11h_at,          -- 11 * 3600 * 1e6
    min(end_at - to_microseconds(unbroken_us - 28800000000)) filter (unbroken_us > 28800000000) as without_break_at  --  8 * 3600 * 1e6
  from driven group by all)
select driver_key, duty_start_at, end_at as duty_end_at, day_of(start_at) as date, seconds(on_duty_us) as on_duty_s,
  seconds(coalesce(driving_us, 0)) as driving_s, over_11h_at, without_break_at
from (select *, start_at as duty_start_at from periods) join duty using (driver_key, duty_start_at)
  left join limits using (driver_key, duty_start_at);
