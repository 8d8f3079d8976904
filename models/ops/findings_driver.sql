-- Grain: one row per (check_name, driver_key, anchor fact): what is wrong with what we were told of a driver.
with anomalies as (select * from {{ source('core', 'gps_anomalies') }}),
drivers as (select * from {{ source('core', 'drivers') }}),

instants as (
  select kind as check_name, driver_key, cast(event_time as string) as anchor, opened_at from anomalies
  union all select 'conflicting_duplicate', driver_key, driver_key, conflict_at from drivers where conflict_at is not null
),

final as (
  select check_name, driver_key as subject, anchor, opened_at, opened_at as resolved_at, driver_key from instants
)

select * from final
