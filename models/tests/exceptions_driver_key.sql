-- One row per (driver_key, type, opened_at, anchor).
select driver_key, type, opened_at, anchor from {{ ref('exceptions_driver') }} group by driver_key, type, opened_at, anchor having count(*) > 1
