-- The flights by carrier, by month and by aircraft, in the words of the published figures: one row per figure.
-- A leg's month and day are those of its scheduled departure in New York. {tails} is filled in by demo_flights.sh.
with legs as (
  select s.*, c.date as departure_date, s.current_status = 'cancelled' as is_cancelled, s.current_status = 'exception' as is_diverted
  from curated.shipment_sla s
  join ops.calendar c
    on c.utc_date = cast(s.promised_pickup_by as date) and s.promised_pickup_by >= c.start_at and s.promised_pickup_by < c.end_at),
carriers as (
  select carrier_id as key, count(*) as rows, count(*) filter (is_cancelled) as cancelled, count(*) filter (is_diverted) as diverted,
    count(*) filter (delivery_delay_s <= 0) as on_time0, count(*) filter (is_on_time and delivered_at is not null) as on_time15,
    round(avg(delivery_delay_s) / 60, 6) as avg_arr_delay,
    round(count(*) filter (is_on_time and delivered_at is not null) / count(*), 6) as rate_all_15
  from legs group by carrier_id),
months as (
  select month(departure_date)::varchar as key, count(*) as rows, count(*) filter (is_cancelled) as cancelled,
    count(*) filter (is_on_time and delivered_at is not null) as on_time15
  from legs group by all),
aircraft as (select tailnum, driver_key from read_csv('{tails}', header = true, all_varchar = true)),
flown as (select driver_key, sum(driving_s) // 60 as air_minutes, sum(deliveries) as legs from curated.driver_utilization group by driver_key),
scheduled as (
  select e.driver_key, count(distinct departure_date) as active_days
  from legs join curated.shipment_status_history e on e.shipment_id = legs.shipment_id and e.is_current
  where e.driver_key is not null group by e.driver_key),
tails as (
  select tailnum as key, flown.legs, air_minutes, active_days
  from flown join aircraft using (driver_key) join scheduled using (driver_key) order by air_minutes desc, tailnum limit 20)
select 'all' as what, '' as key, figure, value::double as value from (
  select count(*) as rows, count(*) filter (is_cancelled) as cancelled, count(*) filter (is_diverted) as diverted,
    (select count(*) from core.drivers) as distinct_tailnum from legs) unpivot (value for figure in (rows, cancelled, diverted, distinct_tailnum))
union all
select 'carrier', key, figure, value from (select * replace (rows::double as rows, cancelled::double as cancelled, diverted::double as diverted, on_time0::double as on_time0, on_time15::double as on_time15) from carriers)
  unpivot (value for figure in (rows, cancelled, diverted, on_time0, on_time15, avg_arr_delay, rate_all_15))
union all
select 'month', key, figure, value::double from months unpivot (value for figure in (rows, on_time15, cancelled))
union all
select 'aircraft', key, figure, value::double from (select * replace (legs::bigint as legs, air_minutes::bigint as air_minutes) from tails) unpivot (value for figure in (legs, air_minutes, active_days))
