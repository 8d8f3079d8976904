-- The lake: every table the engine writes, and nothing else (curated.* and ops.findings are models, see models/).
-- Portable on purpose: it runs on a DuckDB file and on an Iceberg catalog, so there are no keys, defaults or indexes here;
-- the grain of each table is said in words and asserted by the engine before each write.
--
-- All times are UTC; `event_time` it happened, `ingest_time` we first heard of it. Null means "not said by the source"
-- unless a column says otherwise. A `driver_key` is a pseudonym (32 hex digits), never a source's own driver id.
-- Audit columns (source, partition, position, publish_seq, contract, contract_version) lie outside the law: they may
-- differ between two runs over the same facts. Everything else may not.

create schema if not exists raw;
create schema if not exists core;
create schema if not exists curated;
create schema if not exists ops;

-- raw.<fact>: one row per received record, accepted or refused, in the order of arrival; kept 180 days. `payload` is the
-- record as received without PII: fields of PII class dropped, driver ids replaced by driver_key. `refusal` is null for
-- an accepted record, else the reason word that ops.quarantine has too. `headers` is what came beside a message, as JSON; null: nothing.
create table if not exists raw.shipments (source varchar, partition varchar, position bigint, ingest_time timestamp, contract varchar, contract_version varchar, subject varchar, refusal varchar, payload varchar, headers varchar);
create table if not exists raw.drivers (source varchar, partition varchar, position bigint, ingest_time timestamp, contract varchar, contract_version varchar, subject varchar, refusal varchar, payload varchar, headers varchar);
create table if not exists raw.shipment_events (source varchar, partition varchar, position bigint, ingest_time timestamp, contract varchar, contract_version varchar, subject varchar, refusal varchar, payload varchar, headers varchar);
create table if not exists raw.driver_assignments (source varchar, partition varchar, position bigint, ingest_time timestamp, contract varchar, contract_version varchar, subject varchar, refusal varchar, payload varchar, headers varchar);
create table if not exists raw.gps_locations (source varchar, partition varchar, position bigint, ingest_time timestamp, contract varchar, contract_version varchar, subject varchar, refusal varchar, payload varchar, headers varchar);

-- core.shipments: one row per shipment_id that has an order or an event. The order's columns come from the winning
-- version of the claim that holds the id and are null while no order is known (has_order = false).
create table if not exists core.shipments (
  shipment_id varchar, has_order boolean,
  namespace varchar, order_ref varchar, customer_id varchar, carrier_id varchar, service_level varchar,
  origin_hub varchar, destination_hub varchar,
  promised_pickup_by timestamp, promised_delivery_by timestamp,    -- the order's own promises; null: none of its own
  is_deleted boolean,                                              -- false without an order
  created_at timestamp,                                            -- where the fold starts: the order's created_at, else the first foldable event's event_time
  state varchar,                                                   -- after the last taken event; 'created' if none
  current_status varchar,                                          -- state, or 'exception' (S3.4)
  first_assigned_at timestamp, first_arrived_at_pickup_at timestamp, first_picked_up_at timestamp,
  first_arrived_at_facility_at timestamp, first_customs_hold_at timestamp, first_departed_facility_at timestamp,
  first_in_transit_at timestamp, first_available_for_pickup_at timestamp, first_out_for_delivery_at timestamp,
  first_delivery_attempted_at timestamp, first_returning_at timestamp, first_delivered_at timestamp,
  first_returned_at timestamp, first_cancelled_at timestamp, first_lost_at timestamp,
  delivered_at timestamp,                                          -- event_time of the taken event that brought it into its present delivered state; null if it is not delivered now
  delivered_by varchar,                                            -- driver_key of that event (S4.5); null if not delivered or nobody is known
  attempts bigint,                                                 -- taken delivery_attempted events
  last_taken_at timestamp,                                         -- event_time of the last taken event; null if none
  last_taken_status varchar,
  order_first_ingest_time timestamp,                               -- least ingest_time over all versions of all claims on this id; null without an order
  publish_seq bigint);

-- core.shipment_claims: one row per claim on a shipment_id = (shipment_id, namespace, order_ref, customer_id, ordered_at); winning version.
create table if not exists core.shipment_claims (
  shipment_id varchar, namespace varchar, order_ref varchar, customer_id varchar,
  ordered_at timestamp,                                            -- the order's created_at
  holds_id boolean, carrier_id varchar, service_level varchar, origin_hub varchar, destination_hub varchar,
  promised_pickup_by timestamp, promised_delivery_by timestamp, is_deleted boolean,
  authority_rank bigint, epoch bigint, ordinal bigint, ordinal_minor bigint,
  ingest_time timestamp,                                           -- of the winning version
  first_ingest_time timestamp,                                     -- least over all versions
  conflict_at timestamp,                                           -- ingest_time of the second content of one version (S2.6); null: no conflict
  contract varchar, contract_version varchar, source varchar, partition varchar, position bigint, publish_seq bigint);

-- core.shipment_events: one row per event = (shipment_id, namespace, event_id); its winning version, judged by the fold.
create table if not exists core.shipment_events (
  shipment_id varchar, namespace varchar, event_id varchar,        -- event_id: the source's, else 'h:' + 32 hex digits of the content (S2.3)
  status varchar, event_time timestamp,
  effect varchar,                                                  -- apply | flag | repeat | reject | exception | ignored (retracted or future)
  from_status varchar,                                             -- the state it was judged from; null if ignored
  is_retracted boolean,
  is_future boolean,                                               -- event_time > ingest_time + 5 min (S2.11)
  driver_key varchar,                                              -- whose event it is (S4.5): the holder at event_time, else the driver it names
  named_driver_key varchar,                                        -- the driver the event itself names
  holder_driver_key varchar,                                       -- the holder of the shipment at event_time; null: nobody held it
  facility varchar, reason varchar,
  driving_s bigint,                                                -- driving time that the source reports as ending at event_time (S5.3)
  dwell_s bigint,                                                  -- of a taken arrived_at_facility: until the next taken event; null while open, and for all others
  authority_rank bigint, epoch bigint, ordinal bigint, ordinal_minor bigint,
  ingest_time timestamp,                                           -- of the winning version
  first_ingest_time timestamp,                                     -- least over all versions
  late_after_s bigint,                                             -- the feed's lateness bound; null: a historical feed
  conflict_at timestamp,                                           -- as in core.shipment_claims
  versions bigint,                                                 -- distinct versions and contents received
  contract varchar, contract_version varchar, source varchar, partition varchar, position bigint, publish_seq bigint);

-- core.shipment_event_versions: what an event said before: one row per version that is not the winning one (SCD2; equal neighbours collapsed).
create table if not exists core.shipment_event_versions (
  shipment_id varchar, namespace varchar, event_id varchar, status varchar, event_time timestamp, is_retracted boolean,
  named_driver_key varchar, facility varchar, reason varchar,
  authority_rank bigint, epoch bigint, ordinal bigint, ordinal_minor bigint, content_hash varchar,
  ingest_time timestamp, contract varchar, contract_version varchar, source varchar, partition varchar, position bigint, publish_seq bigint);

-- core.assignment_commands: one row per command = (shipment_id, namespace, assignment_id); its winning version and what it did.
create table if not exists core.assignment_commands (
  shipment_id varchar, namespace varchar, assignment_id varchar, action varchar, driver_key varchar, effective_at timestamp,
  effect varchar,                                                  -- open | keep (same driver) | close | none | unassign_mismatch | deleted
  is_deleted boolean,
  authority_rank bigint, epoch bigint, ordinal bigint, ordinal_minor bigint,
  ingest_time timestamp, first_ingest_time timestamp, conflict_at timestamp,
  contract varchar, contract_version varchar, source varchar, partition varchar, position bigint, publish_seq bigint);

-- core.driver_assignments: one row per interval of holding = (shipment_id, valid_from): half-open, never overlapping, never of zero length.
create table if not exists core.driver_assignments (
  shipment_id varchar, driver_key varchar, valid_from timestamp,
  valid_to timestamp,                                              -- exclusive; null: open
  opened_by varchar,                                               -- assignment_id
  closed_by varchar,                                               -- assignment_id, or the event_id of the terminal event; null: open
  counts_to_at_most timestamp,                                     -- of an open interval: max(the shipment's last taken event, valid_from + 72 h) (S4.4); null if closed
  recorded_from timestamp,                                         -- the greatest first_ingest_time among the facts that made its two ends
  publish_seq bigint);

-- ops.driver_assignment_history: intervals we no longer believe: known as true from recorded_from until recorded_to (both as_of; S4.6). Append-only, outside the law.
create table if not exists ops.driver_assignment_history (
  shipment_id varchar, driver_key varchar, valid_from timestamp, valid_to timestamp, opened_by varchar, closed_by varchar,
  recorded_from timestamp, recorded_to timestamp);

-- core.drivers: one row per driver_key with a driver row; winning version, no PII.
create table if not exists core.drivers (
  driver_key varchar, home_hub varchar, is_deleted boolean,
  authority_rank bigint, epoch bigint, ordinal bigint, ordinal_minor bigint,
  ingest_time timestamp, first_ingest_time timestamp, conflict_at timestamp,
  contract varchar, contract_version varchar, source varchar, partition varchar, position bigint, publish_seq bigint);

-- core.gps_locations: one row per ping = (driver_key, device_id, event_time).
create table if not exists core.gps_locations (
  driver_key varchar, device_id varchar, event_time timestamp,
  latitude_e7 bigint, longitude_e7 bigint,                         -- 1e-7 degree
  speed_mm_s bigint,                                               -- as the device says, millimetres per second; null: not said
  ingest_time timestamp, contract varchar, source varchar, partition varchar, position bigint);

-- core.driver_day: one row per (driver_key, date) with a ping that is not from the future; date in the reporting zone.
create table if not exists core.driver_day (
  driver_key varchar, date date, primary_device_id varchar,
  pings bigint,                                                    -- of the primary device, faults included
  faults bigint,
  driving_us bigint, idle_us bigint,                               -- summed microseconds of this day's part of its segments
  distance_cm bigint,
  first_ping_at timestamp, last_ping_at timestamp,                 -- of the good pings
  publish_seq bigint);

-- core.driver_segments: one row per unbroken run of driving or of standing = (driver_key, start_at), cut at midnight of the reporting zone.
create table if not exists core.driver_segments (
  driver_key varchar, date date, start_at timestamp, end_at timestamp, is_driving boolean, publish_seq bigint);

-- core.ping_silences: one row per silence of more than 15 min after a good ping = (driver_key, last_ping_at).
create table if not exists core.ping_silences (
  driver_key varchar, date date,                                   -- the day of last_ping_at
  last_ping_at timestamp, next_ping_at timestamp,                  -- null: no ping since
  publish_seq bigint);

-- core.gps_anomalies: one row per (driver_key, device_id, event_time, kind): pings that were kept but not believed.
create table if not exists core.gps_anomalies (
  driver_key varchar, date date, device_id varchar, event_time timestamp,
  kind varchar,                                                    -- implausible_speed | future_event | conflicting_duplicate
  opened_at timestamp, publish_seq bigint);

-- ops.quarantine: one row per refused record; replayable. `raw` has PII removed.
create table if not exists ops.quarantine (
  source varchar, partition varchar, position bigint, ingest_time timestamp, contract varchar, contract_version varchar,
  fact varchar,                                                    -- shipment | driver | shipment_event | driver_assignment | gps_location; null: not even that is known
  subject varchar,                                                 -- shipment_id or driver_key where it could be read
  reason varchar, field varchar, detail varchar, raw varchar,
  content_hash varchar);                                           -- of the bytes as received

-- ops.schema_drift: one row per (contract, field) that a feed sends and its contract does not know; values never land.
create table if not exists ops.schema_drift (contract varchar, field varchar, first_ingest_time timestamp, source varchar, partition varchar, position bigint);

-- ops.marks: one row per partition that was ever read, or taken over: how far it is in. Written in the transaction of the data.
create table if not exists ops.marks (
  table_name varchar, shard bigint, source varchar, partition varchar,
  position bigint,                                                 -- the last one that is in: record number, offset + 1, count of changes; 0: nothing yet
  epoch bigint,                                                    -- of its owner; nobody with another epoch commits here
  resume varchar);                                                 -- what the source needs to go on behind `position`, in its own words (an LSN); null: the position says it
-- ops.commits: one row per commit. publish_seq counts up; where several workers share the lake it is (epoch << 32) + the number of the commit within that
-- epoch, so that it rises with each partition's owners. A takeover has a row of its own, without facts.
create table if not exists ops.commits (publish_seq bigint, epoch bigint, as_of timestamp, commit_time timestamp, facts bigint, refused bigint, generation varchar);
create table if not exists ops.files (source varchar, partition varchar, path varchar, bytes bigint, content_hash varchar, ingest_time timestamp, done boolean, records bigint, refused bigint);

-- ops.finding_log: what was noticed when; append-only, outside the law.
create table if not exists ops.finding_log (check_name varchar, subject varchar, anchor varchar, change varchar, as_of timestamp, publish_seq bigint);

-- ops.touched: what commits touched since the last cycle recomputed curated tables; empty once core and curated agree.
create table if not exists ops.touched (
  kind varchar,                                                    -- shipment | driver | driver_row (a driver became known) | hour (in which a feed was heard) | the name of a roll-up that waits
  key varchar,                                                     -- shipment_id, driver_key, or the roll-up's day; null for an hour
  from_at timestamp, until_at timestamp,                           -- of a driver: the first and last moment that is or was otherwise; an hour's beginning; else null
  publish_seq bigint);                                             -- of the commit that touched it

-- ops.leases: who does what only one of several workers may do at a time; at most one row per name.
create table if not exists ops.leases (
  name varchar,                                                    -- curator | turn (to commit)
  epoch bigint,                                                    -- of the curator; whoever takes over has a greater one. Of a turn: a number that is the holder's alone
  expires_at timestamp);                                           -- by the holder's clock; from then on another may take it

-- What the models read besides core: the clock, the reporting zone's days, the reference data.
create table if not exists ops.clock (as_of timestamp, reporting_zone varchar);                               -- one row
create table if not exists ops.driver_clock (as_of timestamp, publish_seq bigint);                              -- one row: tables of drivers show at least what this commit held, as of this time
create table if not exists ops.calendar (utc_date date, start_at timestamp, end_at timestamp, date date);     -- the day `date` lasts [start_at, end_at); one row per UTC date it touches
create table if not exists ops.statuses (status varchar, rank bigint, is_terminal boolean, requires_driver boolean);
create table if not exists ops.sla_policy (service_level varchar, pickup_within_h bigint, delivery_within_h bigint, grace_min bigint, early_window_min bigint, risk_window_min bigint, stalled_after_h bigint);
create table if not exists ops.feeds (contract varchar, silent_after_min bigint, records_per_day_min bigint, records_per_day_max bigint);  -- one row per contract: how much it tells when all is well; null: no matter
create table if not exists ops.exceptions (type varchar, severity varchar, kind varchar, opens varchar, resolves varchar, owner_hint varchar);
