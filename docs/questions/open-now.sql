-- What should somebody look at first? Open critical exceptions with the shipment's place and promise, oldest first.
select
  e.type, e.subject as shipment, e.opened_at, e.owner_hint as owner, s.current_status as status, s.carrier_id as carrier,
  s.promised_delivery_by as promised
from curated.exception_report e
join curated.shipment_sla s on s.shipment_id = e.subject
where e.resolved_at is null and e.severity = 'critical'
order by e.opened_at, e.subject, e.type
limit 5
