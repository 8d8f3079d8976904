-- Grain: one row per (driver_key, date) with assigned time, a segment, reported driving, a good ping or a taken event.
with clock as (select as_of from {{ source('ops', 'clock') }}),
calendar as (select * from {{ source('ops', 'calendar') }}),
shipments as (select * from {{ source('core', 'shipments') }}),
assignments as (select * from {{ source('core', 'driver_assignments') }}),
segments as (select * from {{ source('core', 'driver_segments') }}),
ping_days as (select * from {{ source('core', 'driver_day') }}),
events as (select * from {{ source('core', 'shipment_events') }}),
spells as (select * from {{ ref('driver_spells') }}),
work as (select * from {{ ref('driver_work') }}),

deleted as (select shipment_id from shipments where is_deleted),

holdings as (
  select
    a.driver_key, a.shipment_id,
    unix_micros(a.valid_from) as start_us,
    unix_micros(coalesce(a.valid_to, least(c.as_of, a.counts_to_at_most))) as end_us
  from assignments a
  cross join clock c
  left join deleted x on x.shipment_id = a.shipment_id
  where x.shipment_id is null
),

-- Time in pieces, each within one day: spells of holding, what the pings say, and driving that a source reports instead of pings.
reports as (
  select e.driver_key, unix_micros(e.event_time) - e.driving_s * 1000000 as start_us, unix_micros(e.event_time) as end_us
  from events e
  left join deleted x on x.shipment_id = e.shipment_id
  where e.effect in ('apply', 'flag') and e.driver_key is not null and e.driving_s > 0 and x.shipment_id is null
),

-- The few days of the calendar in which there is anything to cut.
span as (
  select min(start_us) as start_us, max(end_us) as end_us
  from (select start_us, end_us from holdings union all select start_us, end_us from reports) cut
),

days as (
  select distinct c.date, unix_micros(c.start_at) as start_us, unix_micros(c.end_at) as end_us
  from calendar c
  cross join span s
  where unix_micros(c.start_at) < s.end_us and s.start_us < unix_micros(c.end_at)
),

held as (
  select s.driver_key, d.date, greatest(unix_micros(s.start_at), d.start_us) as start_us, least(unix_micros(s.end_at), d.end_us) as end_us
  from spells s
  join days d on unix_micros(s.start_at) < d.end_us and d.start_us < unix_micros(s.end_at)
),

reported as (
  select
    r.driver_key, d.date, greatest(r.start_us, d.start_us) as start_us, least(r.end_us, d.end_us) as end_us
  from reports r
  join days d on r.start_us < d.end_us and d.start_us < r.end_us
  left join ping_days p on p.driver_key = r.driver_key and p.date = d.date
  where p.driver_key is null
),

segment_pieces as (
  select driver_key, date, is_driving, unix_micros(start_at) as start_us, unix_micros(end_at) as end_us from segments
),

-- Two unions of time are asked for; a piece adds to its union what no earlier piece has covered. Spells don't overlap.
measures as (
  select 'on_duty' as measure, driver_key, date, start_us, end_us from held
  union all select 'on_duty', driver_key, date, start_us, end_us from segment_pieces where is_driving
  union all select 'on_duty', driver_key, date, start_us, end_us from reported
  union all select 'assigned_or_segment', driver_key, date, start_us, end_us from held
  union all select 'assigned_or_segment', driver_key, date, start_us, end_us from segment_pieces
),

swept as (
  select
    measure, driver_key, date, start_us, end_us,
    max(end_us) over (
      partition by measure, driver_key, date order by start_us, end_us rows between unbounded preceding and 1 preceding) as covered_to_us
  from measures
),

unions as (
  select
    driver_key, date,
    sum(case when measure = 'on_duty' then greatest(end_us - greatest(start_us, coalesce(covered_to_us, start_us)), 0) end) as on_duty_us,
    sum(case when measure = 'assigned_or_segment' then greatest(end_us - greatest(start_us, coalesce(covered_to_us, start_us)), 0) end) as assigned_or_segment_us
  from swept
  group by driver_key, date
),

assigned_time as (select driver_key, date, sum(end_us - start_us) as assigned_us from held group by driver_key, date),
segment_time as (select driver_key, date, sum(end_us - start_us) as segment_us from segment_pieces group by driver_key, date),
reported_time as (select driver_key, date, sum(end_us - start_us) as driving_us from reported group by driver_key, date),

-- What was done to shipments, and, with what was only held, how many there were.
event_work as (
  select
    driver_key, date,
    cast(sum(deliveries) as bigint) as deliveries,
    cast(sum(attempts) as bigint) as attempts,
    min(first_event_at) as first_event_at,
    max(last_event_at) as last_event_at
  from work
  group by driver_key, date
),

shipments_handled as (
  select driver_key, date, count(*) as shipments
  from (
    select h.driver_key, d.date, h.shipment_id
    from holdings h
    join days d on h.start_us < d.end_us and d.start_us < h.end_us
    where h.start_us < h.end_us
    union
    select driver_key, date, shipment_id from work
  ) handled
  group by driver_key, date
),

driver_days as (
  select driver_key, date from unions where assigned_or_segment_us > 0
  union select driver_key, date from reported
  union select driver_key, date from ping_days where first_ping_at is not null
  union select driver_key, date from event_work
),

seconds as (
  select
    k.driver_key, k.date,
    cast(floor(cast(coalesce(a.assigned_us, 0) as double) / 1000000) as bigint) as assigned_s,
    cast(floor(cast(coalesce(p.driving_us, r.driving_us, 0) as double) / 1000000) as bigint) as driving_s,
    cast(floor(cast(coalesce(p.idle_us, 0) as double) / 1000000) as bigint) as idle_s,
    cast(floor(cast(coalesce(u.assigned_or_segment_us, 0) - coalesce(s.segment_us, 0) as double) / 1000000) as bigint) as offline_s,
    coalesce(p.distance_cm, 0) as distance_cm,
    cast(floor(cast(coalesce(u.on_duty_us, 0) as double) / 1000000) as bigint) as on_duty_s,
    coalesce(e.deliveries, 0) as deliveries,
    coalesce(e.attempts, 0) as attempts,
    coalesce(h.shipments, 0) as shipments,
    least(e.first_event_at, p.first_ping_at) as first_activity,
    greatest(e.last_event_at, p.last_ping_at) as last_activity
  from driver_days k
  left join unions u on u.driver_key = k.driver_key and u.date = k.date
  left join assigned_time a on a.driver_key = k.driver_key and a.date = k.date
  left join segment_time s on s.driver_key = k.driver_key and s.date = k.date
  left join reported_time r on r.driver_key = k.driver_key and r.date = k.date
  left join ping_days p on p.driver_key = k.driver_key and p.date = k.date
  left join event_work e on e.driver_key = k.driver_key and e.date = k.date
  left join shipments_handled h on h.driver_key = k.driver_key and h.date = k.date
),

final as (
  select
    driver_key, date, assigned_s, driving_s, idle_s, offline_s, distance_cm, on_duty_s,
    case when on_duty_s > 0 then cast(driving_s as double) / cast(on_duty_s as double) end as utilization,
    deliveries, attempts, shipments, first_activity, last_activity
  from seconds
)

select * from final
