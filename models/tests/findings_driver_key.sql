-- One row per (check_name, driver_key, anchor, opened_at).
select check_name, driver_key, anchor, opened_at from {{ ref('findings_driver') }} group by check_name, driver_key, anchor, opened_at having count(*) > 1
