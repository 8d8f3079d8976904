-- Grain: one row per (driver_key, start_at): an unbroken time in which the driver held at least one shipment, as of the clock.
with clock as (select as_of, unix_micros(as_of) as as_of_us from {{ source('ops', 'clock') }}),
shipments as (select * from {{ source('core', 'shipments') }}),
assignments as (select * from {{ source('core', 'driver_assignments') }}),

deleted as (select shipment_id from shipments where is_deleted),

holdings as (
  select
    a.driver_key,
    unix_micros(a.valid_from) as start_us,
    unix_micros(coalesce(a.valid_to, least(c.as_of, a.counts_to_at_most))) as end_us,
    case when a.counts_to_at_most > c.as_of then 1 else 0 end as goes_on
  from assignments a
  cross join clock c
  left join deleted x on x.shipment_id = a.shipment_id
  where x.shipment_id is null
),

swept as (
  select
    driver_key, start_us, end_us, goes_on,
    max(end_us) over (partition by driver_key order by start_us, end_us rows between unbounded preceding and 1 preceding) as covered_to_us
  from holdings
  where start_us < end_us
),

-- A spell begins where nothing earlier reaches; the one before it ends where all that is earlier ends.
beginnings as (
  select driver_key, start_us, lead(covered_to_us) over (partition by driver_key order by start_us) as end_us
  from swept
  where covered_to_us is null or covered_to_us < start_us
),

last_ends as (select driver_key, max(end_us) as end_us, max(goes_on) as goes_on from swept group by driver_key),

final as (
  select
    b.driver_key,
    timestamp_micros(b.start_us) as start_at,
    timestamp_micros(coalesce(b.end_us, l.end_us)) as end_at,
    l.goes_on = 1 and b.start_us < c.as_of_us and coalesce(b.end_us, l.end_us) >= c.as_of_us as goes_on
  from beginnings b
  cross join clock c
  join last_ends l on l.driver_key = b.driver_key
)

select * from final
