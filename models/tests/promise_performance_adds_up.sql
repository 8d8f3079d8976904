-- What is due is delivered or not; what is delivered is on time or late.
select * from {{ ref('promise_performance') }}
where due <> delivered + undelivered or delivered <> on_time + late or lost + returned > undelivered or on_time_rate not between 0 and 1
