-- Grain: one row per (check_name, subject, anchor): records that a feed's contract refused, fields it does not know, silences, and days with
-- too little or too much. A view.
with clock as (select as_of from {{ source('ops', 'clock') }}),
calendar as (select * from {{ source('ops', 'calendar') }}),
feeds as (select * from {{ source('ops', 'feeds') }}),
quarantine as (select * from {{ source('ops', 'quarantine') }}),
schema_drift as (select * from {{ source('ops', 'schema_drift') }}),
activity as (select * from {{ ref('feed_activity') }}),

-- What lies beyond the horizon is refused by rule, not wrong.
refused as (
  select
    case when reason in ('unmapped_status', 'coordinate_out_of_range') then reason else 'contract_violation' end as check_name,
    coalesce(subject, source) as subject, content_hash as anchor, ingest_time
  from quarantine
  where reason <> 'beyond_horizon'
),

-- A feed that was heard once is waited for; what ends a silence is the next new thing.
stretches as (
  select contract, last_at, silent_at, lead(first_at) over (partition by contract order by first_at) as next_at from activity
),

-- Whole days from the first on which the feed was known already, once they are over.
first_heard as (select contract, min(first_at) as since from activity group by contract),

days as (select distinct date, start_at, end_at from calendar),

judged_days as (
  select f.contract, d.date, d.end_at, f.records_per_day_min, f.records_per_day_max
  from feeds f
  join first_heard h on h.contract = f.contract
  cross join clock c
  join days d on d.start_at > h.since and d.end_at <= c.as_of
),

told as (select contract, date, sum(facts) as facts from activity group by contract, date),

final as (
  select check_name, subject, anchor, min(ingest_time) as opened_at, min(ingest_time) as resolved_at
  from refused
  group by check_name, subject, anchor
  union all
  select 'schema_drift', contract, field, first_ingest_time, first_ingest_time from schema_drift
  union all
  select 'source_silent', s.contract, cast(s.last_at as string), s.silent_at, s.next_at
  from stretches s
  cross join clock c
  where s.silent_at <= c.as_of and (s.next_at is null or s.next_at > s.silent_at)
  union all
  select 'volume_anomaly', j.contract, cast(j.date as string), j.end_at, j.end_at
  from judged_days j
  left join told t on t.contract = j.contract and t.date = j.date
  where coalesce(t.facts, 0) < j.records_per_day_min or coalesce(t.facts, 0) > j.records_per_day_max
)

select * from final
