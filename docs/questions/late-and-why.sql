-- Which lanes cost us the most late hours, and what was the reason we heard most often?
select
  origin_hub || ' -> ' || destination_hub as lane,
  count(*) as late_shipments,
  cast(floor(cast(sum(delivery_delay_s) as double) / 3600) as bigint) as hours_late,
  mode(breach_reason) as commonest_reason
from curated.shipment_sla
where is_late
group by 1
order by hours_late desc, lane
limit 5
