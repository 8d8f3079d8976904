-- What happened: from every raw fact to oracle_core.shipments, shipment_claims, shipment_events, assignment_commands,
-- driver_assignments, drivers. One batch, no memory of earlier runs, no cleverness: the judge of the engine.
--
-- In:   facts.* (load.sql), oracle.params (as_of, reporting_zone), oracle.feeds, oracle.statuses, oracle.transitions.
-- Rule numbers are those of the contract, docs/semantics.md.

set variable as_of = (select as_of from oracle.params);
set variable zone = (select reporting_zone from oracle.params);

create or replace macro us(from_, to_) as epoch_us(to_) - epoch_us(from_);            -- microseconds from one moment to another
create or replace macro seconds(us_) as cast(floor(us_ / 1000000) as bigint);         -- whole seconds, rounded down
create or replace macro day_of(t) as cast(timezone(getvariable('zone'), timezone('UTC', t)) as date);
create or replace macro day_start(day) as timezone('UTC', timezone(getvariable('zone'), cast(day as timestamp)));
-- What the rules leave open: the hash of S2.3 is md5 here, any other is as right; the 'content hash' of S2.5 is the product's
-- total order of contents, field by field: nothing said comes first, text by its bytes, a driver by its driver_key.
create or replace macro said_text(x) as coalesce(x, '');
create or replace macro said_time(t) as coalesce(epoch_us(t), -9223372036854775808);
create or replace macro said_number(n) as coalesce(n, -9223372036854775808);
create or replace macro unnumbered(namespace, shipment_id, status, event_time, facility) as
  'h:' || md5(concat_ws(chr(31), namespace, shipment_id, status, epoch_us(event_time), coalesce(facility, '')));

-- ---- Facts: which telling of a thing counts (S1.2 to S1.4, S2.3 to S2.7) ------------------------------------------------

-- For a table (id, content, rank, version, retracted, ingest_time): one row per id, its winning version. Neighbouring versions
-- of equal content are one, the first. Things told once, nearly all, need no ordering (nor do a few lose by it whose hash is
-- another's too).
create or replace macro winners(facts) as table
with heard as (select *, hash(id) as id_hash from query_table(facts) where ingest_time <= getvariable('as_of')),
often as (select id_hash from heard group by id_hash having count(*) > 1),
tellings as (
  select id, content, version, retracted, min(ingest_time) as ingest_time, any_value(rank) as rank
  from heard semi join often using (id_hash) group by id, content, version, retracted),
ordered as (
  select *, row_number() over tellings as n,
    last_value(content) over (tellings rows between unbounded preceding and unbounded following) as winning_content,
    row_number() over (partition by id, version, retracted order by ingest_time) as nth_content
  from tellings window tellings as (partition by id order by version, retracted, rank)),
judged as (
  select *, coalesce(max(n) filter (content is distinct from winning_content) over one, 0) + 1 as winning_since,
    min(ingest_time) over one as first_ingest_time,
    min(ingest_time) filter (nth_content = 2) over one as conflict_at,
    count(*) over one as versions
  from ordered window one as (partition by id))
select id, content, version as ordinal, ingest_time, first_ingest_time, conflict_at, versions from judged where n = winning_since
union all
select id, content, version, ingest_time, ingest_time, null, 1 from heard anti join often using (id_hash);

create or replace view oracle.claim_facts as
select {shipment_id: shipment_id, namespace: namespace, order_ref: order_ref, customer_id: customer_id, ordered_at: created_at} as id,
  {carrier_id: carrier_id, service_level: service_level, origin_hub: origin_hub, destination_hub: destination_hub,
   promised_pickup_by: promised_pickup_by, promised_delivery_by: promised_delivery_by, is_deleted: is_deleted} as content,
  row(said_text(carrier_id), said_text(service_level), said_text(origin_hub), said_text(destination_hub),
    said_time(promised_pickup_by), said_time(promised_delivery_by), is_deleted) as rank,
  version, false as retracted, ingest_time
from facts.shipments;

create or replace view oracle.driver_facts as
select {driver_key: driver_id} as id, {home_hub: home_hub, is_deleted: is_deleted} as content,
  row(said_text(home_hub), is_deleted) as rank, version, false as retracted, ingest_time
from facts.drivers;

create or replace view oracle.event_facts as
select {shipment_id: shipment_id, namespace: namespace,
    event_id: coalesce(event_id, unnumbered(namespace, shipment_id, status, event_time, facility))} as id,
  {status: status, event_time: event_time, is_retracted: retracted, named_driver_key: driver_id, facility: facility, reason: reason,
   driving_s: driving_s} as content,
  row(status, event_time, said_text(driver_key), said_text(facility), said_text(reason), said_number(driving_s)) as rank,
  version, retracted, ingest_time
from facts.shipment_events left join oracle.driver_keys using (driver_id);

create or replace view oracle.command_facts as
select {shipment_id: shipment_id, namespace: namespace, assignment_id: assignment_id} as id,
  {action: action, driver_key: driver_id, effective_at: effective_at, is_deleted: is_deleted} as content,
  row(action, said_text(driver_key), effective_at, is_deleted) as rank,
  version, false as retracted, ingest_time
from facts.driver_assignments left join oracle.driver_keys using (driver_id);

create or replace table oracle_core.drivers as
select id.*, content.*, * exclude (id, content, versions) from winners('oracle.driver_facts');

-- S3.7: the oldest claim holds the id.
create or replace table oracle_core.shipment_claims as
select *, row_number() over (partition by shipment_id order by ordered_at, namespace, order_ref nulls first, customer_id nulls first) = 1 as holds_id
from (select id.*, content.*, * exclude (id, content, versions) from winners('oracle.claim_facts'));

-- ---- The lifecycle (S3) -------------------------------------------------------------------------------------------------

create or replace table oracle.events as
select *, case when not is_retracted and not is_future
    then row_number() over (partition by shipment_id, is_retracted or is_future order by event_time, status, namespace, event_id) end as n
from (
  select id.*, content.*, w.* exclude (id, content), content.event_time > ingest_time + interval 5 minutes as is_future,   -- S2.11
    s.is_terminal, s.requires_driver
  from winners('oracle.event_facts') w join oracle.statuses s on s.status = content.status);

-- One step takes the next event of every shipment: from `from_status` by `effect` to `state`.
create or replace table oracle.fold as
with recursive step as (
  select shipment_id, list(status order by n) as statuses, 0::bigint as n, null::status as from_status, ''::varchar as effect,
    'created'::status as state
  from oracle.events where n is not null group by shipment_id
  union all
  select shipment_id, statuses, n + 1, state, coalesce(t.effect, 'exception'),
    case when t.effect in ('apply', 'flag') then statuses[n + 1] else state end
  from step left join oracle.transitions t on t.from_status = step.state and t.to_status = statuses[n + 1]
  where n < len(statuses))
select shipment_id, n, from_status, effect, effect in ('apply', 'flag') as is_taken from step where n > 0;

create or replace table oracle.folded as
select e.*, coalesce(f.effect, 'ignored') as effect, f.from_status, coalesce(f.is_taken, false) as is_taken
from oracle.events e left join oracle.fold f using (shipment_id, n);

-- Each taken event and what came of it: the next one, the next end, the next delivery, return or end.
create or replace table oracle.steps as
select shipment_id, n, namespace, event_id, status, event_time, is_terminal, lag(status) over past as previous_status,
  lead(event_time) over past as next_at, min(event_time) filter (is_terminal) over future as next_end_at,
  min(event_time) filter (is_terminal or status in ('delivered', 'returning')) over future as next_settled_at
from oracle.folded where is_taken
window past as (partition by shipment_id order by n), future as (past rows between 1 following and unbounded following);

-- ---- Who had it when (S4) -----------------------------------------------------------------------------------------------

create or replace table oracle.commands as
select id.*, content.*, * exclude (id, content, versions) from winners('oracle.command_facts');

-- What may change the holder, in order: at one instant the terminal event, then unassign, then assign. A reign begins with
-- whatever ends every earlier one; inside it only an unassign that names its driver matters.
create or replace table oracle.moves as
with moves as (
  select shipment_id, event_time as moved_at, 0 as turn, event_id as made_by, namespace, 'end' as kind, null as driver from oracle.steps
  where is_terminal
  union all
  select shipment_id, effective_at, if(action = 'unassign', 1, 2), assignment_id, namespace, if(action = 'unassign', 'unassign', 'assign'), driver_key
  from oracle.commands where not is_deleted),
numbered as (
  select *, row_number() over (partition by shipment_id order by moved_at, turn, made_by, namespace) as n from moves),
reigns as (
  select *, count(*) filter (kind <> 'unassign' or driver is null) over (partition by shipment_id order by n) as reign from numbered),
reigning as (select *, max(driver) filter (kind = 'assign') over (partition by shipment_id, reign) as reigning from reigns),
held as (
  select *, count(*) filter (kind = 'unassign' and driver = reigning) over (partition by shipment_id, reign order by n) > 0 as is_over
  from reigning),
known as (
  select *, lag(if(is_over, null, reigning)) over past as holder,
    last_value(if(kind = 'assign', driver, null) ignore nulls) over (past rows between unbounded preceding and 1 preceding) as last_holder
  from held window past as (partition by shipment_id order by n))
select shipment_id, moved_at, n, made_by, namespace, kind, driver,
  case when kind = 'assign' and driver = holder then 'keep'
       when kind = 'assign' and driver is not null then 'open'
       when kind <> 'unassign' or driver is null or driver = holder then if(holder is null, 'none', 'close')
       when holder is null and driver = last_holder then 'none'
       else 'unassign_mismatch' end as effect
from known;

create or replace table oracle_core.assignment_commands as
select c.*, case when c.is_deleted then 'deleted' else m.effect end as effect
from oracle.commands c left join oracle.moves m
  on m.shipment_id = c.shipment_id and m.namespace = c.namespace and m.made_by = c.assignment_id and m.kind <> 'end';

create or replace table oracle_core.driver_assignments as
with bounds as (
  select *, lead(moved_at) over later as valid_to, lead(made_by) over later as closed_by
  from oracle.moves where effect in ('open', 'close') window later as (partition by shipment_id order by n)),
last_taken as (select shipment_id, max(event_time) as last_taken_at from oracle.steps group by shipment_id)
select shipment_id, driver as driver_key, moved_at as valid_from, valid_to, made_by as opened_by, closed_by,
  if(valid_to is null, greatest(last_taken_at, moved_at + interval 72 hours), null) as counts_to_at_most                         -- S4.4
from bounds left join last_taken using (shipment_id)
where effect = 'open' and valid_to is distinct from moved_at;

-- S4.3, S4.5: the holder at event_time; a taken terminal event belongs to the interval it ends.
create or replace table oracle_core.shipment_events as
select e.shipment_id, e.namespace, e.event_id, e.status, e.event_time, effect, from_status, is_retracted, is_future, named_driver_key,
  coalesce(if(is_taken and e.is_terminal, ended.driver_key, null), held.driver_key) as holder_driver_key,
  coalesce(holder_driver_key, named_driver_key) as driver_key,
  facility, reason, driving_s, if(e.status = 'arrived_at_facility', seconds(us(e.event_time, next_at)), null) as dwell_s,      -- S3.6
  ordinal, ingest_time, first_ingest_time, if(f.namespace is null, d.late_after_s, f.late_after_s) as late_after_s,
  conflict_at, versions, e.n, is_taken, e.is_terminal, requires_driver
from oracle.folded e
left join oracle.steps using (shipment_id, n)
left join oracle_core.driver_assignments held
  on held.shipment_id = e.shipment_id and e.event_time >= held.valid_from and e.event_time < coalesce(held.valid_to, 'infinity')
left join oracle_core.driver_assignments ended on ended.shipment_id = e.shipment_id and ended.valid_to = e.event_time
left join oracle.feeds f on f.namespace = e.namespace
cross join (select late_after_s from oracle.feeds where namespace is null) d;

create or replace table oracle_core.shipments as
with orders as (
  select *, min(first_ingest_time) over (partition by shipment_id) as order_first_ingest_time from oracle_core.shipment_claims),
told as (
  select shipment_id, min(event_time) filter (effect <> 'ignored') as first_event_at,
    min(event_time) filter (is_taken and status = 'assigned') as first_assigned_at,
    min(event_time) filter (is_taken and status = 'arrived_at_pickup') as first_arrived_at_pickup_at,
    min(event_time) filter (is_taken and status = 'picked_up') as first_picked_up_at,
    min(event_time) filter (is_taken and status = 'arrived_at_facility') as first_arrived_at_facility_at,
    min(event_time) filter (is_taken and status = 'customs_hold') as first_customs_hold_at,
    min(event_time) filter (is_taken and status = 'departed_facility') as first_departed_facility_at,
    min(event_time) filter (is_taken and status = 'in_transit') as first_in_transit_at,
    min(event_time) filter (is_taken and status = 'available_for_pickup') as first_available_for_pickup_at,
    min(event_time) filter (is_taken and status = 'out_for_delivery') as first_out_for_delivery_at,
    min(event_time) filter (is_taken and status = 'delivery_attempted') as first_delivery_attempted_at,
    min(event_time) filter (is_taken and status = 'returning') as first_returning_at,
    min(event_time) filter (is_taken and status = 'delivered') as first_delivered_at,
    min(event_time) filter (is_taken and status = 'returned') as first_returned_at,
    min(event_time) filter (is_taken and status = 'cancelled') as first_cancelled_at,
    min(event_time) filter (is_taken and status = 'lost') as first_lost_at,
    max(event_time) filter (is_taken) as last_taken_at,
    last(status order by n) filter (is_taken) as last_taken_status,
    last(driver_key order by n) filter (is_taken) as last_taken_by,
    last(is_terminal order by n) filter (is_taken) as is_over,
    max(n) filter (is_taken) as last_taken_n, max(n) filter (effect = 'exception') as last_exception_n,
    count(*) filter (is_taken and status = 'delivery_attempted') as attempts
  from oracle_core.shipment_events group by shipment_id)
select shipment_id, o.shipment_id is not null as has_order, o.namespace, o.order_ref, o.customer_id, o.carrier_id, o.service_level,
  o.origin_hub, o.destination_hub, o.promised_pickup_by, o.promised_delivery_by, coalesce(o.is_deleted, false) as is_deleted,
  coalesce(o.ordered_at, first_event_at) as created_at,
  coalesce(last_taken_status, 'created'::status) as state,
  if(not coalesce(is_over, false) and last_exception_n > coalesce(last_taken_n, 0), 'exception'::status, state) as current_status,  -- S3.4
  first_assigned_at, first_arrived_at_pickup_at, first_picked_up_at, first_arrived_at_facility_at, first_customs_hold_at,
  first_departed_facility_at, first_in_transit_at, first_available_for_pickup_at, first_out_for_delivery_at,
  first_delivery_attempted_at, first_returning_at, first_delivered_at, first_returned_at, first_cancelled_at, first_lost_at,
  if(state = 'delivered', last_taken_at, null) as delivered_at,                                                             -- S3.5
  if(state = 'delivered', last_taken_by, null) as delivered_by,
  coalesce(attempts, 0) as attempts, last_taken_at, last_taken_status, o.order_first_ingest_time
from (select * from orders where holds_id) o full join told using (shipment_id);
