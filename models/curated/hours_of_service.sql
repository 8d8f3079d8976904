-- Grain: one row per (driver_key, duty_start_at): a duty period, ended by 10 hours without duty. An indicator, not an ELD.
with clock as (select unix_micros(as_of) as as_of_us from {{ source('ops', 'clock') }}),
calendar as (select * from {{ source('ops', 'calendar') }}),
shipments as (select * from {{ source('core', 'shipments') }}),
segments as (select * from {{ source('core', 'driver_segments') }}),
ping_days as (select * from {{ source('core', 'driver_day') }}),
events as (select * from {{ source('core', 'shipment_events') }}),
spells as (select * from {{ ref('driver_spells') }}),

deleted as (select shipment_id from shipments where is_deleted),

reports as (
  select e.driver_key, unix_micros(e.event_time) - e.driving_s * 1000000 as start_us, unix_micros(e.event_time) as end_us
  from events e
  left join deleted x on x.shipment_id = e.shipment_id
  where e.effect in ('apply', 'flag') and e.driver_key is not null and e.driving_s > 0 and x.shipment_id is null
),

span as (select min(start_us) as start_us, max(end_us) as end_us from reports),

days as (
  select distinct c.date, unix_micros(c.start_at) as start_us, unix_micros(c.end_at) as end_us
  from calendar c
  cross join span s
  where unix_micros(c.start_at) < s.end_us and s.start_us < unix_micros(c.end_at)
),

-- On duty: holding a shipment or driving. Driving that a source reports counts on days without pings.
pieces as (
  select driver_key, false as is_driving, unix_micros(start_at) as start_us, unix_micros(end_at) as end_us from spells
  union all
  select driver_key, true, unix_micros(start_at), unix_micros(end_at) from segments where is_driving
  union all
  select r.driver_key, true, greatest(r.start_us, d.start_us), least(r.end_us, d.end_us)
  from reports r
  join days d on r.start_us < d.end_us and d.start_us < r.end_us
  left join ping_days p on p.driver_key = r.driver_key and p.date = d.date
  where p.driver_key is null
),

on_duty as (
  select p.driver_key, p.is_driving, p.start_us, least(p.end_us, c.as_of_us) as end_us
  from pieces p
  cross join clock c
  where p.start_us < least(p.end_us, c.as_of_us)
),

swept as (
  select
    *,
    max(end_us) over (
      partition by driver_key order by start_us, end_us, is_driving rows between unbounded preceding and 1 preceding) as covered_to_us
  from on_duty
),

numbered as (
  select
    *,
    sum(case when covered_to_us is null or start_us - covered_to_us >= 36000000000 then 1 else 0 end) over (  -- 10 h
      partition by driver_key order by start_us, end_us, is_driving rows between unbounded preceding and current row) as period
  from swept
),

periods as (
  select
    driver_key, period, min(start_us) as start_us, max(end_us) as end_us,
    sum(greatest(end_us - greatest(start_us, coalesce(covered_to_us, start_us)), 0)) as on_duty_us
  from numbered
  group by driver_key, period
),

-- Driving without overlaps, in order; a stretch is broken by 30 minutes without driving.
driving_swept as (
  select
    driver_key, period, start_us, end_us,
    max(end_us) over (
      partition by driver_key, period order by start_us, end_us rows between unbounded preceding and 1 preceding) as driven_to_us
  from numbered
  where is_driving
),

driving as (
  select
    driver_key, period, greatest(start_us, coalesce(driven_to_us, start_us)) as start_us, end_us,
    sum(case when driven_to_us is null or start_us - driven_to_us >= 1800000000 then 1 else 0 end) over (  -- 30 min
      partition by driver_key, period order by start_us, end_us rows between unbounded preceding and current row) as stretch
  from driving_swept
  where driven_to_us is null or end_us > driven_to_us
),

driven as (
  select
    driver_key, period, end_us, end_us - start_us as length_us,
    sum(end_us - start_us) over (
      partition by driver_key, period order by start_us rows between unbounded preceding and current row) as in_period_us,
    sum(end_us - start_us) over (
      partition by driver_key, period, stretch order by start_us rows between unbounded preceding and current row) as in_stretch_us
  from driving
),

-- A limit is passed at the moment when the time driven equals it and driving goes on: 11 h in a period, 8 h in a stretch.
limits as (
  select
    driver_key, period, sum(length_us) as driving_us,
    min(case when in_period_us > 39600000000 then end_us - (in_period_us - 39600000000) end) as over_11h_us,
    min(case when in_stretch_us > 28800000000 then end_us - (in_stretch_us - 28800000000) end) as without_break_us
  from driven
  group by driver_key, period
),

final as (
  select
    p.driver_key,
    timestamp_micros(p.start_us) as duty_start_at,
    timestamp_micros(p.end_us) as duty_end_at,
    c.date,
    cast(floor(cast(p.on_duty_us as double) / 1000000) as bigint) as on_duty_s,
    cast(floor(cast(coalesce(l.driving_us, 0) as double) / 1000000) as bigint) as driving_s,
    timestamp_micros(cast(l.over_11h_us as bigint)) as over_11h_at,
    timestamp_micros(cast(l.without_break_us as bigint)) as without_break_at
  from periods p
  left join limits l on l.driver_key = p.driver_key and l.period = p.period
  left join calendar c
    on c.utc_date = cast(timestamp_micros(p.start_us) as date)
    and timestamp_micros(p.start_us) >= c.start_at and timestamp_micros(p.start_us) < c.end_at
)

select * from final
