-- Who held a shipment at the moment it was due, and how many of these were late?
select
  left(a.driver_key, 12) as driver,
  count(*) as held_when_due,
  count(case when s.is_late or s.sla_status = 'breached' then 1 end) as of_these_late
from curated.shipment_sla s
join core.driver_assignments a
  on a.shipment_id = s.shipment_id
  and a.valid_from <= s.promised_delivery_by
  and (a.valid_to is null or a.valid_to > s.promised_delivery_by)
where s.sla_status <> 'excluded' and s.promised_delivery_by <= (select as_of from ops.clock)
group by 1
order by of_these_late desc, held_when_due desc, driver
limit 5
