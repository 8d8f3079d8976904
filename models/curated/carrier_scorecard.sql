-- Grain: one row per (month of the promise, carrier). A view: it only adds up promise_performance.
with promise_performance as (select * from {{ ref('promise_performance') }}),

months as (
  select
    cast(date_trunc('month', promised_date) as date) as month, carrier_id,
    cast(sum(due) as bigint) as due,
    cast(sum(delivered) as bigint) as delivered,
    cast(sum(on_time) as bigint) as on_time,
    cast(sum(late) as bigint) as late,
    cast(sum(undelivered) as bigint) as undelivered,
    cast(sum(lost) as bigint) as lost,
    cast(sum(returned) as bigint) as returned,
    cast(sum(exceptions) as bigint) as exceptions,
    cast(sum(invalid_transitions) as bigint) as invalid_transitions,
    cast(sum(late_events) as bigint) as late_events
  from promise_performance
  group by cast(date_trunc('month', promised_date) as date), carrier_id
),

final as (select *, cast(on_time as double) / cast(due as double) as on_time_rate from months)

select * from final
