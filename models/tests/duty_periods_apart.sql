-- Two duty periods of a driver lie at least ten hours apart; nobody drives or works longer than the period lasts.
select * from (
  select *, lead(duty_start_at) over (partition by driver_key order by duty_start_at) as next_start_at from {{ ref('hours_of_service') }}) p
where unix_micros(next_start_at) - unix_micros(duty_end_at) < 36000000000
  or driving_s > on_duty_s or on_duty_s * 1000000 > unix_micros(duty_end_at) - unix_micros(duty_start_at)
