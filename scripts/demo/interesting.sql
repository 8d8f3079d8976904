-- A shipment that had a life: delivered after trouble, told wrong first or late, passed from hand to hand.
with scans as (
  select shipment_id, max(versions) > 1 as corrected, bool_or(effect in ('flag', 'reject')) as suspicious, bool_or(is_retracted) as retracted,
    bool_or(effect = 'exception') as troubled, count(*) as told
  from core.shipment_events group by shipment_id),
hands as (select shipment_id, count(distinct driver_key) as holders from core.driver_assignments group by shipment_id)
select s.shipment_id
from curated.shipment_sla s join scans using (shipment_id) left join hands using (shipment_id)
where told between 8 and 22
order by (4 * retracted::int + 3 * suspicious::int + 2 * corrected::int + 2 * troubled::int + 2 * (attempts > 0)::int + (delivered_at is not null)::int
  + least(coalesce(holders, 0), 3) + is_late::int) desc, s.shipment_id
limit 1
