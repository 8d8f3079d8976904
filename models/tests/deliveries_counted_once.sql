-- By delivery date and by promised date, the same deliveries are counted.
select 1 as difference
from (select sum(delivered) as n, sum(on_time) as on_time from {{ ref('on_time_delivery') }}) a
cross join (select sum(delivered) as n, sum(on_time) as on_time from {{ ref('promise_performance') }}) b
where coalesce(a.n, 0) <> coalesce(b.n, 0) or coalesce(a.on_time, 0) <> coalesce(b.on_time, 0)
