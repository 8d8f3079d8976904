-- shipment_sla has core's shipments, no more and no fewer; excluded ones are exactly those in no roll-up.
select 1 as difference
from (select count(*) as n from {{ source('core', 'shipments') }}) s
cross join (select count(*) as n, count(case when sla_status <> 'excluded' then 1 end) as due from {{ ref('shipment_sla') }}) k
cross join (select coalesce(sum(due), 0) as due from {{ ref('promise_performance') }}) p
where s.n <> k.n or k.due <> p.due
