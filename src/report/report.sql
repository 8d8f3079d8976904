-- What the report asks, all of it. Each block is one table of the page, by the name in its '-- name:' line. Reads
-- curated.* only, so that the report says nothing a dashboard could not say. A chart is a table too: its first column
-- is the category, its other columns are the parts, in the order in which they are drawn.

-- name: headline
with sla as (
  select count(*) as shipments, count(*) filter (sla_status in ('on_track', 'at_risk', 'breached')) as open,
    count(*) filter (sla_status = 'breached') as breached
  from curated.shipment_sla)
select
  (select max(as_of) from curated.pipeline_freshness) as as_of,
  sla.shipments,
  (select count(*) from curated.shipment_status_history where is_current) as events,
  (select count(distinct driver_key) from curated.driver_utilization) as drivers,
  (select sum(delivered) from curated.on_time_delivery)::bigint as delivered,
  (select sum(on_time) / sum(delivered) from curated.on_time_delivery) as on_time_rate,
  (select sum(first_attempt) / sum(delivered) from curated.on_time_delivery) as first_attempt_rate,
  sla.open, sla.breached,
  (select count(*) from curated.exception_report where resolved_at is null) as exceptions_open,
  (select count(*) from curated.exception_report where resolved_at is null and severity = 'critical') as critical_open,
  (select sum(driving_s) / nullif(sum(on_duty_s), 0) from curated.driver_utilization) as utilization
from sla

-- name: on_time_by_carrier
select coalesce(carrier_id, '(none)') as carrier, sum(delivered)::bigint as delivered, sum(on_time)::bigint as on_time, sum(late)::bigint as late,
  sum(on_time) / sum(delivered) as on_time_rate, sum(first_attempt) / sum(delivered) as first_attempt_rate
from curated.on_time_delivery group by all order by on_time_rate desc, carrier

-- name: worst_lanes
with lanes as (
  select coalesce(origin_hub, '?') || ' → ' || coalesce(destination_hub, '?') as lane, sum(delivered)::bigint as delivered, sum(late)::bigint as late,
    sum(on_time) / sum(delivered) as on_time_rate
  from curated.on_time_delivery group by all),
delays as (
  select coalesce(origin_hub, '?') || ' → ' || coalesce(destination_hub, '?') as lane, quantile_disc(delivery_delay_s, 0.9) as p90_delay_s
  from curated.shipment_sla where delivered_at is not null and sla_status <> 'excluded' group by all)
select lane, delivered, late, on_time_rate, p90_delay_s from lanes left join delays using (lane)
where delivered >= (select least(20, quantile_disc(delivered, 0.5)) from lanes)
order by on_time_rate, delivered desc, lane limit 8

-- name: deliveries_by_day
with days as (select delivery_date as day, sum(on_time) as on_time, sum(late) as late from curated.on_time_delivery group by all),
span as (select min(day) as first, max(day) as last, case when max(day) - min(day) > 92 then 'month' else 'day' end as unit from days),
axis as (select unnest(generate_series(date_trunc(unit, first), last::timestamp, case unit when 'month' then interval 1 month else interval 1 day end)) as t, unit from span)
select case unit when 'month' then strftime(t, '%b %Y') else strftime(t, '%d %b') end as day, coalesce(sum(on_time), 0)::bigint as on_time, coalesce(sum(late), 0)::bigint as late
from axis left join days on date_trunc(unit, day) = t group by t, unit order by t

-- name: rate_by_carrier_and_day
with span as (select case when max(delivery_date) - min(delivery_date) > 13 then 'month' else 'day' end as unit from curated.on_time_delivery)
select coalesce(carrier_id, '(none)') as carrier,
  case unit when 'month' then strftime(date_trunc(unit, delivery_date), '%m/%y') else strftime(delivery_date, '%d %b') end as day,
  sum(on_time) / sum(delivered) as on_time_rate, sum(delivered)::bigint as delivered
from curated.on_time_delivery, span group by date_trunc(unit, delivery_date), 1, 2 order by date_trunc(unit, delivery_date), carrier

-- name: delays
with delays as (
  select delivery_delay_s as delay, is_on_time from curated.shipment_sla
  where delivered_at is not null and delivery_delay_s is not null and sla_status <> 'excluded'),
span as (select quantile_disc(delay, 0.01) as lowest, quantile_disc(delay, 0.99) as highest from delays),
width as (
  select *, (select min(w) from (values (60), (300), (600), (900), (1800), (3600), (7200), (21600), (43200), (86400), (604800)) v(w)
    where w >= (highest - lowest) / 40 or w = 604800)::bigint as width from span),
cut as (select floor(least(greatest(delay, lowest), highest) / width)::bigint as bin, is_on_time, width from delays, width)
select case when width < 3600 then printf('%+d min', bin * width // 60) else printf('%+d h', bin * width // 3600) end as "from",
  count(*) filter (is_on_time) as on_time, count(*) filter (not is_on_time) as late
from (select distinct range as bin, width from width, range(floor(lowest / width)::bigint, floor(highest / width)::bigint + 1)) bins
left join cut using (bin, width) group by bin, width order by bin

-- name: funnel
select unnest(['ordered', 'promised', 'picked up', 'delivered', 'on time']) as stage,
  unnest([count(*), count(*) filter (not_excluded), count(*) filter (not_excluded and picked_up_at is not null),
    count(*) filter (not_excluded and delivered_at is not null), count(*) filter (not_excluded and is_on_time)]) as shipments
from (select *, sla_status <> 'excluded' as not_excluded from curated.shipment_sla where coalesce(breach_reason, '') <> 'no_promise')

-- name: sla_by_level
select coalesce(service_level, '(none)') as service_level,
  count(*) filter (sla_status = 'met') as met, count(*) filter (sla_status = 'on_track') as on_track,
  count(*) filter (sla_status = 'at_risk') as at_risk, count(*) filter (sla_status = 'breached') as breached,
  count(*) filter (sla_status = 'missed') as missed, count(*) filter (sla_status = 'excluded') as excluded
from curated.shipment_sla group by all order by count(*) desc, service_level

-- name: breach_reasons
select breach_reason as reason, count(*) as shipments
from curated.shipment_sla where sla_status in ('missed', 'breached') group by all order by shipments desc, reason limit 8

-- name: utilization
select (bin * 10) || '–' || (bin * 10 + 10) || ' %' as utilization, count(utilization) as driver_days
from range(10) bins(bin) left join curated.driver_utilization u on bin = least(9, floor(u.utilization * 10)::bigint)
group by bin order by bin

-- name: busiest_drivers
select left(driver_key, 8) as driver, count(*) as days, sum(driving_s)::bigint as driving_s, sum(on_duty_s)::bigint as on_duty_s,
  sum(driving_s) / nullif(sum(on_duty_s), 0) as utilization, sum(deliveries)::bigint as deliveries, sum(distance_cm)::bigint as distance_cm
from curated.driver_utilization group by driver_key order by sum(driving_s) desc, driver_key limit 5

-- name: exceptions
select type, severity, count(*) as raised, count(*) filter (resolved_at is null) as open, min(opened_at) filter (resolved_at is null) as oldest_open,
  any_value(owner_hint) as owner
from curated.exception_report group by type, severity
order by case severity when 'critical' then 0 when 'warning' then 1 else 2 end, raised desc, type

-- name: exceptions_over_time
with opened as (select opened_at, severity from curated.exception_report where opened_at <= (select max(as_of) from curated.pipeline_freshness)),
span as (
  select min(opened_at) as first, max(opened_at) as last,
    case when max(opened_at) - min(opened_at) <= interval 36 hours then interval 1 hour when max(opened_at) - min(opened_at) <= interval 10 days then interval 6 hours
      when max(opened_at) - min(opened_at) <= interval 93 days then interval 1 day else interval 1 month end as step
  from opened),
axis as (select unnest(generate_series(time_bucket(step, first), last, step)) as t, step from span)
select case when step < interval 1 day then strftime(t, '%d %b %H h') when step = interval 1 day then strftime(t, '%d %b') else strftime(t, '%b %Y') end as opened,
  count(*) filter (severity = 'critical') as critical, count(*) filter (severity = 'warning') as warning, count(*) filter (severity = 'info') as info
from axis left join opened on opened_at >= t and opened_at < t + step
group by t, step order by t

-- name: checks
select check_name as "check", sum(findings)::bigint as findings, sum(subjects)::bigint as subjects, sum(unresolved)::bigint as unresolved
from curated.data_quality_daily group by all order by findings desc, check_name

-- name: sources
select source, files, files_waiting, records, last_file_at from curated.pipeline_freshness order by source
