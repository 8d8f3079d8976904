-- One row per (month, carrier_id).
select month, carrier_id from {{ ref('carrier_scorecard') }} group by month, carrier_id having count(*) > 1
