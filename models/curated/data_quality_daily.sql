-- Grain: one row per (date, check_name): how many findings opened on that day. A view.
with calendar as (select * from {{ source('ops', 'calendar') }}),
findings as (select * from {{ ref('findings') }}),

final as (
  select
    d.date, f.check_name,
    count(*) as findings,
    count(distinct f.subject) as subjects,
    count(*) - count(f.resolved_at) as unresolved
  from findings f
  left join calendar d on d.utc_date = cast(f.opened_at as date) and f.opened_at >= d.start_at and f.opened_at < d.end_at
  group by d.date, f.check_name
)

select * from final
