-- Grain: one row per (contract, first_at): a stretch within one hour and one day in which a watched feed told us of something new
-- without falling silent.
with feeds as (select * from {{ source('ops', 'feeds') }}),
calendar as (select * from {{ source('ops', 'calendar') }}),
claims as (select * from {{ source('core', 'shipment_claims') }}),
events as (select * from {{ source('core', 'shipment_events') }}),
commands as (select * from {{ source('core', 'assignment_commands') }}),
drivers as (select * from {{ source('core', 'drivers') }}),
pings as (select * from {{ source('core', 'gps_locations') }}),

watched as (
  select contract, silent_after_min * 60000000 as silent_after_us
  from feeds
  where silent_after_min is not null or records_per_day_min is not null or records_per_day_max is not null
),

-- A thing counts once, when it is first heard of: neither copies nor later versions say anything new. No silence is shorter than
-- a minute, so minutes are fine enough.
heard as (
  select contract, date_trunc('minute', first_ingest_time) as minute, first_ingest_time as heard_at from claims
  union all select contract, date_trunc('minute', first_ingest_time), first_ingest_time from events
  union all select contract, date_trunc('minute', first_ingest_time), first_ingest_time from commands
  union all select contract, date_trunc('minute', first_ingest_time), first_ingest_time from drivers
  union all select contract, date_trunc('minute', ingest_time), ingest_time from pings
),

minutes as (
  select h.contract, h.minute, count(*) as facts, min(h.heard_at) as first_at, max(h.heard_at) as last_at
  from heard h
  join watched w on w.contract = h.contract
  group by h.contract, h.minute
),

dated as (
  select m.*, date_trunc('hour', m.minute) as hour, d.date
  from minutes m
  left join calendar d on d.utc_date = cast(m.minute as date) and m.minute >= d.start_at and m.minute < d.end_at
),

followed as (
  select *, lag(last_at) over (partition by contract, hour, date order by minute) as before_at
  from dated
),

numbered as (
  select
    f.contract, f.hour, f.date, f.facts, f.first_at, f.last_at, w.silent_after_us,
    sum(case when unix_micros(f.first_at) - unix_micros(f.before_at) > w.silent_after_us then 1 else 0 end) over (
      partition by f.contract, f.hour, f.date order by f.minute rows between unbounded preceding and current row) as stretch
  from followed f
  join watched w on w.contract = f.contract
),

final as (
  select
    contract, cast(hour as timestamp) as hour, date, min(first_at) as first_at, max(last_at) as last_at,
    timestamp_micros(max(unix_micros(last_at) + silent_after_us)) as silent_at,
    cast(sum(facts) as bigint) as facts
  from numbered
  group by contract, hour, date, stretch
)

select * from final
