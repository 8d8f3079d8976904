-- Where the vans were: from pings to oracle_core.driver_day, driver_segments, ping_silences, gps_anomalies (S5.10).

create or replace view oracle.ping_facts as
select {driver_key: driver_id, device_id: device_id, event_time: event_time} as id,
  {latitude_e7: latitude_e7, longitude_e7: longitude_e7, speed_mm_s: speed_mm_s} as content,
  row(latitude_e7, longitude_e7, said_number(speed_mm_s)) as rank,
  0::bigint as version, false as retracted, ingest_time
from facts.gps_locations;

-- Haversine in whole centimetres; differences are taken between integers, so that nearby points lose nothing.
create or replace macro distance_cm(lat1, lon1, lat2, lon2) as cast(round(2 * 637100880 * asin(least(1, sqrt(
  pow(sin(radians((lat2 - lat1) / 1e7) / 2), 2) +
  cos(radians(lat1 / 1e7)) * cos(radians(lat2 / 1e7)) * pow(sin(radians((lon2 - lon1) / 1e7) / 2), 2))))) as bigint);
create or replace macro is_gap(from_, to_) as to_ > from_ + interval 15 minutes;
create or replace macro is_implausible(cm, us_) as cm * 1000000 > 7000 * us_;                                          -- faster than 70 m/s

create or replace table oracle.all_pings as
select id.*, content.*, w.* exclude (id, content), day_of(id.event_time) as date, id.event_time > ingest_time + interval 5 minutes as is_future
from winners('oracle.ping_facts') w;

-- The pings that count: those of each day's primary device. `anchor`: trusted without a look at the one before.
create or replace table oracle.pings as
with devices as (select driver_key, date, device_id, count(*) as pings from oracle.all_pings where not is_future group by all),
primary_devices as (
  select driver_key, date, first(device_id order by pings desc, device_id) as device_id from devices group by driver_key, date),
pings as (
  select driver_key, p.date, device_id, event_time, latitude_e7, longitude_e7, speed_mm_s,
    row_number() over track as n, lag(p.date) over track is distinct from p.date or is_gap(lag(event_time) over track, event_time) as is_anchor,
    not is_anchor and is_implausible(distance_cm(lag(latitude_e7) over track, lag(longitude_e7) over track, latitude_e7, longitude_e7),
                                     us(lag(event_time) over track, event_time)) as is_jump
  from oracle.all_pings p join primary_devices using (driver_key, date, device_id)
  where not is_future window track as (partition by driver_key order by event_time))
select *, count(*) filter (is_anchor) over (partition by driver_key order by n) as run from pings;

-- Only a run with a jump can hold a fault, and none before its first jump: from there on, ping by ping, the last good one
-- is carried along.
create or replace table oracle.faults as
with recursive jumps as (select driver_key, run, min(n) as first_jump from oracle.pings where is_jump group by driver_key, run),
doubtful as materialized (
  select p.*, first_jump from oracle.pings p join jumps using (driver_key, run) where n >= first_jump - 1),
walk as (
  select driver_key, run, n, false as is_fault, event_time as good_at, latitude_e7 as good_lat, longitude_e7 as good_lon
  from doubtful where n = first_jump - 1
  union all
  select p.driver_key, p.run, p.n,
    not is_gap(good_at, p.event_time)
      and is_implausible(distance_cm(good_lat, good_lon, p.latitude_e7, p.longitude_e7), us(good_at, p.event_time)) as fault,
    if(fault, good_at, p.event_time), if(fault, good_lat, p.latitude_e7), if(fault, good_lon, p.longitude_e7)
  from walk join doubtful p on p.driver_key = walk.driver_key and p.run = walk.run and p.n = walk.n + 1)
select driver_key, n from walk where is_fault;

create or replace table oracle.good_pings as
select *, lead(event_time) over (partition by driver_key order by n) as next_at from oracle.pings anti join oracle.faults using (driver_key, n);

create or replace table oracle_core.ping_silences as
select driver_key, date, event_time as last_ping_at, next_at as next_ping_at from oracle.good_pings
where next_at is null or is_gap(event_time, next_at);

-- From one good ping to the next: driving by the device's word, else by distance over time; cut in two at midnight.
create or replace table oracle.pieces as
with segments as (
  select driver_key, date as end_date, event_time as end_at, lag(date) over track as date, lag(event_time) over track as start_at,
    distance_cm(lag(latitude_e7) over track, lag(longitude_e7) over track, latitude_e7, longitude_e7) as cm,
    coalesce(speed_mm_s >= 1500, cm * 1000000 >= 150 * us(start_at, end_at)) as is_driving
  from oracle.good_pings window track as (partition by driver_key order by n)),
kept as (
  select *, day_start(end_date) as midnight, cm * us(start_at, midnight) // us(start_at, end_at) as cm_before
  from segments where not is_gap(start_at, end_at))
select driver_key, date, start_at, end_at, is_driving, cm from kept where date = end_date
union all select driver_key, date, start_at, midnight, is_driving, cm_before from kept where date < end_date
union all select driver_key, end_date, midnight, end_at, is_driving, cm - cm_before from kept where date < end_date and midnight < end_at;

create or replace table oracle_core.driver_segments as
with marked as (
  select *, count(*) filter (is_new) over (partition by driver_key order by start_at) as run
  from (select *, (lag(end_at) over track, lag(is_driving) over track, lag(date) over track) is distinct from (start_at, is_driving, date) as is_new
        from oracle.pieces window track as (partition by driver_key order by start_at)))
select driver_key, date, min(start_at) as start_at, max(end_at) as end_at, is_driving from marked group by driver_key, date, is_driving, run;

create or replace table oracle_core.driver_day as
with days as (
  select driver_key, date, any_value(device_id) as primary_device_id, count(*) as pings, count(f.n) as faults,
    min(event_time) filter (f.n is null) as first_ping_at, max(event_time) filter (f.n is null) as last_ping_at
  from oracle.pings left join oracle.faults f using (driver_key, n) group by driver_key, date),
driven as (
  select driver_key, date, sum(us(start_at, end_at)) filter (is_driving) as driving_us, sum(us(start_at, end_at)) filter (not is_driving) as idle_us,
    sum(cm) as distance_cm
  from oracle.pieces group by driver_key, date)
select driver_key, date, primary_device_id, pings, faults, coalesce(driving_us, 0)::bigint as driving_us,
  coalesce(idle_us, 0)::bigint as idle_us, coalesce(distance_cm, 0)::bigint as distance_cm, first_ping_at, last_ping_at
from days left join driven using (driver_key, date);

create or replace table oracle_core.gps_anomalies as
select driver_key, date, device_id, event_time, 'implausible_speed' as kind, event_time as opened_at
from oracle.pings semi join oracle.faults using (driver_key, n)
union all
select driver_key, date, device_id, event_time, 'future_event', event_time from oracle.all_pings where is_future
union all
select driver_key, date, device_id, event_time, 'conflicting_duplicate', conflict_at from oracle.all_pings where conflict_at is not null;
