-- Grain: one row per (check_name, subject, anchor): records that a feed's contract refused, and fields it does not know. A view.
with quarantine as (select * from {{ source('ops', 'quarantine') }}),
schema_drift as (select * from {{ source('ops', 'schema_drift') }}),

-- What lies beyond the horizon is refused by rule, not wrong.
refused as (
  select
    case when reason in ('unmapped_status', 'coordinate_out_of_range') then reason else 'contract_violation' end as check_name,
    coalesce(subject, source) as subject, content_hash as anchor, ingest_time
  from quarantine
  where reason <> 'beyond_horizon'
),

final as (
  select check_name, subject, anchor, min(ingest_time) as opened_at, min(ingest_time) as resolved_at
  from refused
  group by check_name, subject, anchor
  union all
  select 'schema_drift', contract, field, first_ingest_time, first_ingest_time from schema_drift
)

select * from final
