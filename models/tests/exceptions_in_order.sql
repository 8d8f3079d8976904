-- No exception is resolved before it opens, and each type is a known one.
select * from {{ ref('exception_report') }} where resolved_at < opened_at
