-- One row per (driver_key, duty_start_at).
select driver_key, duty_start_at from {{ ref('hours_of_service') }} group by driver_key, duty_start_at having count(*) > 1
