select driver_key, start_at from {{ ref('driver_spells') }} group by driver_key, start_at having count(*) > 1
