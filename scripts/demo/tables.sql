-- What happened in the simulated world, beside what the curated tables say happened.
with happened as (
  select shipment_id, state, current_status, delivered_at, attempts, sla_status, carrier_id, service_level
  from read_csv('{truth}/shipments.csv', header = true, types = {'delivered_at': 'timestamp', 'carrier_id': 'varchar', 'service_level': 'varchar'})),
said as (select shipment_id, state, current_status, delivered_at, attempts, sla_status, carrier_id, service_level from curated.shipment_sla),
happened_on_time as (select delivery_date, carrier_id, delivered, on_time, late, early, first_attempt from read_csv('{truth}/on_time.csv', header = true)),
said_on_time as (
  select delivery_date, carrier_id, sum(delivered)::bigint, sum(on_time)::bigint, sum(late)::bigint, sum(early)::bigint, sum(first_attempt)::bigint
  from curated.on_time_delivery group by delivery_date, carrier_id)
select 'shipments: state, delivery, attempts, promise' as what, (select count(*) from happened) as happened, (select count(*) from said) as said,
  (select count(*) from (from happened except all from said)) + (select count(*) from (from said except all from happened)) as different
union all
select 'deliveries by day and carrier: on time, late, early', (select count(*) from happened_on_time), (select count(*) from said_on_time),
  (select count(*) from (from happened_on_time except all from said_on_time)) + (select count(*) from (from said_on_time except all from happened_on_time))
