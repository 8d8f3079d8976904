-- The raw facts, as a person would load them: native NDJSON files into typed tables `facts.*`, one row per line.
--
-- In:   variables orders, drivers, events, assignments, gps: lists of files of that feed (oracle.py sets them; a feed
--       without files is empty.ndjson), the table oracle.feeds and the type status, in the order of rank.
-- Out:  facts.shipments, facts.drivers, facts.shipment_events, facts.driver_assignments, facts.gps_locations.
-- A line that is broken, lacks what its identity needs, has an unmapped status or impossible coordinates is left out,
-- as quarantine would leave it (S2.9, S3.1). A line beyond the horizon (S2.12) is left out too. PII is not even read.
-- Copies, old versions and facts from later than as_of are all here: core.sql judges them.

-- Every column is read as text and cast: a value of the wrong type refuses its line, not the load.
create or replace macro lines(files, columns_) as table
  select * from read_json(files, format = 'newline_delimited', columns = columns_, ignore_errors = true, maximum_object_size = 16777216);

create or replace macro said(text) as nullif(text, '');
create or replace macro home(namespace) as coalesce(said(namespace), 'acme');

-- S2.12: heard so long after it happened that nobody may build on it, unless the feed is a historical one.
create or replace macro beyond_horizon(namespace, t, ingest_time, days) as
  ingest_time > t + to_days(days)
  and coalesce(namespace, '') not in (select coalesce(f.namespace, '') from oracle.feeds f where f.late_after_s is null);

create or replace table facts.shipments as
select home(namespace) as namespace, shipment_id, said(order_ref) as order_ref, said(customer_id) as customer_id, said(carrier_id) as carrier_id,
  said(service_level) as service_level, said(origin_hub) as origin_hub, said(destination_hub) as destination_hub,
  try_cast(created_at as timestamp) as created_at,
  try_cast(promised_pickup_by as timestamp) as promised_pickup_by,
  try_cast(promised_delivery_by as timestamp) as promised_delivery_by,
  coalesce(try_cast(version as bigint), 0) as version, coalesce(try_cast(is_deleted as boolean), false) as is_deleted,
  try_cast(ingest_time as timestamp) as ingest_time
from lines(getvariable('orders'), {namespace: 'varchar', shipment_id: 'varchar', order_ref: 'varchar', customer_id: 'varchar',
  carrier_id: 'varchar', service_level: 'varchar', origin_hub: 'varchar', destination_hub: 'varchar', created_at: 'varchar',
  promised_pickup_by: 'varchar', promised_delivery_by: 'varchar', version: 'varchar', is_deleted: 'varchar', ingest_time: 'varchar'}) l
where said(shipment_id) is not null and try_cast(created_at as timestamp) is not null and try_cast(ingest_time as timestamp) is not null
  and (promised_pickup_by is null or try_cast(promised_pickup_by as timestamp) is not null)
  and (promised_delivery_by is null or try_cast(promised_delivery_by as timestamp) is not null)
  and (version is null or try_cast(version as bigint) is not null)
  and (is_deleted is null or try_cast(is_deleted as boolean) is not null);

create or replace table facts.drivers as
select driver_id, said(home_hub) as home_hub,
  coalesce(try_cast(version as bigint), 0) as version, coalesce(try_cast(is_deleted as boolean), false) as is_deleted,
  try_cast(ingest_time as timestamp) as ingest_time
from lines(getvariable('drivers'), {driver_id: 'varchar', home_hub: 'varchar', version: 'varchar', is_deleted: 'varchar', ingest_time: 'varchar'}) l
where said(driver_id) is not null and try_cast(ingest_time as timestamp) is not null
  and (version is null or try_cast(version as bigint) is not null)
  and (is_deleted is null or try_cast(is_deleted as boolean) is not null);

create or replace table facts.shipment_events as
select home(namespace) as namespace, said(event_id) as event_id, shipment_id, try_cast(status as status) as status,
  try_cast(event_time as timestamp) as event_time, said(driver_id) as driver_id, said(facility) as facility, said(reason) as reason,
  try_cast(driving_s as bigint) as driving_s,
  coalesce(try_cast(version as bigint), 0) as version, coalesce(try_cast(retracted as boolean), false) as retracted,
  try_cast(ingest_time as timestamp) as ingest_time
from lines(getvariable('events'), {namespace: 'varchar', event_id: 'varchar', shipment_id: 'varchar', status: 'varchar',
  event_time: 'varchar', driver_id: 'varchar', facility: 'varchar', reason: 'varchar', driving_s: 'varchar', version: 'varchar',
  retracted: 'varchar', ingest_time: 'varchar'}) l
where said(shipment_id) is not null and try_cast(status as status) is not null
  and try_cast(event_time as timestamp) is not null and try_cast(ingest_time as timestamp) is not null
  and (version is null or try_cast(version as bigint) is not null)
  and (driving_s is null or try_cast(driving_s as bigint) is not null)
  and (retracted is null or try_cast(retracted as boolean) is not null)
  and not beyond_horizon(home(namespace), try_cast(event_time as timestamp), try_cast(ingest_time as timestamp), 180);

create or replace table facts.driver_assignments as
select home(namespace) as namespace, assignment_id, shipment_id, said(driver_id) as driver_id, action,
  try_cast(effective_at as timestamp) as effective_at,
  coalesce(try_cast(version as bigint), 0) as version, coalesce(try_cast(is_deleted as boolean), false) as is_deleted,
  try_cast(ingest_time as timestamp) as ingest_time
from lines(getvariable('assignments'), {namespace: 'varchar', assignment_id: 'varchar', shipment_id: 'varchar', driver_id: 'varchar',
  action: 'varchar', effective_at: 'varchar', version: 'varchar', is_deleted: 'varchar', ingest_time: 'varchar'}) l
where said(assignment_id) is not null and said(shipment_id) is not null and action in ('assign', 'reassign', 'unassign')
  and try_cast(effective_at as timestamp) is not null and try_cast(ingest_time as timestamp) is not null
  and (version is null or try_cast(version as bigint) is not null)
  and (is_deleted is null or try_cast(is_deleted as boolean) is not null)
  and not beyond_horizon(home(namespace), try_cast(effective_at as timestamp), try_cast(ingest_time as timestamp), 180);

create or replace table facts.gps_locations as
select driver_id, coalesce(device_id, '') as device_id, try_cast(event_time as timestamp) as event_time,
  cast(round(try_cast(lat as double) * 1e7) as bigint) as latitude_e7,
  cast(round(try_cast(lon as double) * 1e7) as bigint) as longitude_e7,
  cast(round(try_cast(speed_mps as double) * 1000) as bigint) as speed_mm_s,
  try_cast(ingest_time as timestamp) as ingest_time
from lines(getvariable('gps'), {driver_id: 'varchar', device_id: 'varchar', event_time: 'varchar', lat: 'varchar', lon: 'varchar',
  speed_mps: 'varchar', ingest_time: 'varchar'}) l
where said(driver_id) is not null
  and try_cast(event_time as timestamp) is not null and try_cast(ingest_time as timestamp) is not null
  and try_cast(lat as double) between -90 and 90 and try_cast(lon as double) between -180 and 180
  and (speed_mps is null or try_cast(speed_mps as double) is not null)
  and not beyond_horizon(null, try_cast(event_time as timestamp), try_cast(ingest_time as timestamp), 30);
