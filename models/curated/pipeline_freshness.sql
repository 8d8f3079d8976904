-- Grain: one row per source that was ever read: how far it has come. Ages are reckoned by the reader: as_of - last_file_at. A view.
with clock as (select as_of from {{ source('ops', 'clock') }}),
marks as (select * from {{ source('ops', 'marks') }}),
files as (select * from {{ source('ops', 'files') }}),

sources as (select source from marks where position > 0 union select source from files),

file_counts as (
  select
    source,
    count(*) as files,
    count(case when not done then 1 end) as files_waiting,
    cast(sum(records) as bigint) as records,
    cast(sum(refused) as bigint) as refused,
    max(ingest_time) as last_file_at
  from files
  group by source
),

final as (
  select
    s.source, c.as_of,
    coalesce(f.files, 0) as files, coalesce(f.files_waiting, 0) as files_waiting, f.records, f.refused, f.last_file_at
  from sources s
  cross join clock c
  left join file_counts f on f.source = s.source
)

select * from final
