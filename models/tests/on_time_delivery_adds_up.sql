-- Every delivery that counts is either on time or late; early ones are on time, first attempts are deliveries.
select * from {{ ref('on_time_delivery') }}
where delivered <> on_time + late or early > on_time or first_attempt > delivered or on_time_rate not between 0 and 1
