-- Grain: one row per (driver_key, type, opened_at, anchor): a driver's silence while holding a shipment, or too many hours.
with clock as (select as_of, unix_micros(as_of) as as_of_us from {{ source('ops', 'clock') }}),
types as (select * from {{ source('ops', 'exceptions') }}),
shipments as (select * from {{ source('core', 'shipments') }}),
assignments as (select * from {{ source('core', 'driver_assignments') }}),
silences as (select * from {{ source('core', 'ping_silences') }}),
hours_of_service as (select * from {{ ref('hours_of_service') }}),

deleted as (select shipment_id from shipments where is_deleted),

holdings as (
  select a.driver_key, unix_micros(a.valid_from) as start_us, unix_micros(coalesce(a.valid_to, a.counts_to_at_most)) as end_us
  from assignments a
  left join deleted x on x.shipment_id = a.shipment_id
  where x.shipment_id is null
),

-- The driver's holdings, overlapping and touching ones merged.
swept as (
  select
    *,
    max(end_us) over (partition by driver_key order by start_us, end_us rows between unbounded preceding and 1 preceding) as covered_to_us
  from holdings
),

numbered as (
  select
    *,
    sum(case when covered_to_us is null or start_us > covered_to_us then 1 else 0 end) over (
      partition by driver_key order by start_us, end_us rows between unbounded preceding and current row) as spell
  from swept
),

spells as (
  select driver_key, min(start_us) as start_us, max(end_us) as end_us from numbered group by driver_key, spell
),

-- 15 minutes after the last ping, or after taking a shipment in hand if that was later; over with the next ping or the holding.
gaps as (
  select
    s.driver_key, s.last_ping_at,
    greatest(unix_micros(s.last_ping_at), h.start_us) + 900000000 as opened_us,
    least(unix_micros(s.next_ping_at), h.end_us) as resolved_us
  from silences s
  join spells h on h.driver_key = s.driver_key
),

raised as (
  select
    'gps_gap' as type, g.driver_key, cast(g.last_ping_at as string) as anchor, timestamp_micros(g.opened_us) as opened_at,
    case when g.resolved_us <= c.as_of_us then timestamp_micros(g.resolved_us) end as resolved_at
  from gaps g
  cross join clock c
  where g.opened_us < g.resolved_us and g.opened_us <= c.as_of_us
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
