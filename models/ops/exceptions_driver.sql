-- Grain: one row per (driver_key, type, opened_at, anchor): a driver's silence while holding a shipment, or too many hours.
with clock as (select as_of, unix_micros(as_of) as as_of_us from {{ source('ops', 'clock') }}),
types as (select * from {{ source('ops', 'exceptions') }}),
spells as (select * from {{ ref('driver_spells') }}),
silences as (select * from {{ source('core', 'ping_silences') }}),
hours_of_service as (select * from {{ ref('hours_of_service') }}),

-- 15 minutes after the last ping, or after taking a shipment in hand if that was later; over with the next ping or the holding.
gaps as (
  select
    s.driver_key, s.last_ping_at,
    greatest(unix_micros(s.last_ping_at), unix_micros(h.start_at)) + 900000000 as opened_us,
    least(unix_micros(s.next_ping_at), case when not h.goes_on then unix_micros(h.end_at) end) as resolved_us
  from silences s
  join spells h on h.driver_key = s.driver_key
),

raised as (
  select
    'gps_gap' as type, g.driver_key, cast(g.last_ping_at as string) as anchor, timestamp_micros(g.opened_us) as opened_at,
    case when g.resolved_us <= c.as_of_us then timestamp_micros(g.resolved_us) end as resolved_at
  from gaps g
  cross join clock c
  where (g.resolved_us is null or g.opened_us < g.resolved_us) and g.opened_us <= c.as_of_us
  union all
  select 'hos_violation', driver_key, 'over_11h', over_11h_at, over_11h_at from hours_of_service where over_11h_at is not null
  union all
  select 'hos_violation', driver_key, 'without_break', without_break_at, without_break_at from hours_of_service where without_break_at is not null
),

final as (
  select
    r.driver_key as subject, 'driver' as subject_type, r.type, t.severity, r.opened_at, r.resolved_at, t.owner_hint, r.anchor, r.driver_key
  from raised r
  join types t on t.type = r.type
)

select * from final
