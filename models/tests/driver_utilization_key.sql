-- One row per (driver_key, date).
select driver_key, date from {{ ref('driver_utilization') }} group by driver_key, date having count(*) > 1
