-- Grain: one row per shipment_id of core.shipments. What was promised, what happened, and how it stands as of the clock.
with clock as (select as_of from {{ source('ops', 'clock') }}),
calendar as (select * from {{ source('ops', 'calendar') }}),
statuses as (select * from {{ source('ops', 'statuses') }}),
policies as (select * from {{ source('ops', 'sla_policy') }}),
shipments as (select * from {{ source('core', 'shipments') }}),
events as (select * from {{ source('core', 'shipment_events') }}),
assignments as (select * from {{ source('core', 'driver_assignments') }}),

-- The order's own promise, else the service level's. A level without a policy has no grace and no windows.
promised as (
  select
    s.*,
    coalesce(s.promised_pickup_by, timestamp_micros(unix_micros(s.created_at) + p.pickup_within_h * 3600000000)) as pickup_by,
    coalesce(s.promised_delivery_by, timestamp_micros(unix_micros(s.created_at) + p.delivery_within_h * 3600000000)) as delivery_by,
    coalesce(p.grace_min, 0) * 60000000 as grace_us,
    coalesce(p.early_window_min, 0) * 60000000 as early_us,
    coalesce(p.risk_window_min, 0) * 60000000 as risk_us
  from shipments s
  left join policies p on p.service_level = s.service_level
),

judged as (
  select
    p.*,
    case
      when p.is_deleted or p.state = 'cancelled' or p.delivery_by is null then 'excluded'
      when p.delivered_at is not null and unix_micros(p.delivered_at) <= unix_micros(p.delivery_by) + p.grace_us then 'met'
      when t.is_terminal then 'missed'
      when unix_micros(c.as_of) > unix_micros(p.delivery_by) + p.grace_us then 'breached'
      when unix_micros(c.as_of) >= unix_micros(p.delivery_by) - p.risk_us and t.rank < out_for_delivery.rank then 'at_risk'
      else 'on_track'
    end as sla_status,
    -- The pickup was overdue if its promise and grace have passed, and it, or the end without one, came later or not at all.
    least(
      unix_micros(c.as_of),
      unix_micros(least(p.first_picked_up_at, p.first_delivered_at, p.first_returned_at, p.first_cancelled_at, p.first_lost_at))
    ) > unix_micros(p.pickup_by) + p.grace_us as pickup_overdue
  from promised p
  join statuses t on t.status = p.state
  join statuses out_for_delivery on out_for_delivery.status = 'out_for_delivery'
  cross join clock c
),

-- Events that are more than progress: exceptions, what the lifecycle does not allow, what came late.
remarkable as (
  select
    shipment_id, namespace, event_id, event_time, reason, effect,
    coalesce(unix_micros(first_ingest_time) - unix_micros(event_time) > late_after_s * 1000000, false) as is_late
  from events
  where effect in ('exception', 'flag', 'reject') or unix_micros(first_ingest_time) - unix_micros(event_time) > late_after_s * 1000000
),

ranked_exceptions as (
  select
    e.shipment_id, e.reason,
    row_number() over (partition by e.shipment_id order by e.event_time desc, e.namespace desc, e.event_id desc) as nth_last
  from remarkable e
  join promised p on p.shipment_id = e.shipment_id
  where e.effect = 'exception' and e.event_time < p.delivery_by
),

last_exception as (select shipment_id, reason from ranked_exceptions where nth_last = 1),

event_counts as (
  select
    shipment_id,
    count(case when effect = 'exception' then 1 end) as exceptions,
    count(case when effect in ('flag', 'reject') then 1 end) as invalid_transitions,
    count(case when is_late then 1 end) as late_events
  from remarkable
  group by shipment_id
),

holder as (
  select a.shipment_id, a.driver_key
  from assignments a
  cross join clock c
  where a.valid_from <= c.as_of and (a.valid_to is null or c.as_of < a.valid_to)
),

final as (
  select
    j.shipment_id, j.carrier_id, j.service_level, j.origin_hub, j.destination_hub, j.current_status, j.state, j.sla_status,
    case
      when j.delivery_by is null then 'no_promise'
      when j.sla_status not in ('missed', 'breached') then null
      when x.reason is not null then x.reason
      when j.pickup_overdue then 'late_pickup'
      when j.state in ('lost', 'returned') then j.state
      else 'late_delivery'
    end as breach_reason,
    case when j.delivered_at is not null then j.delivered_by else h.driver_key end as driver_key,
    j.created_at, j.pickup_by as promised_pickup_by, j.delivery_by as promised_delivery_by,
    j.first_picked_up_at as picked_up_at, j.delivered_at,
    delivery_day.date as delivered_date, promise_day.date as promised_date,
    j.attempts,
    cast(floor(cast(unix_micros(j.first_picked_up_at) - unix_micros(j.created_at) as double) / 1000000) as bigint) as pickup_duration_s,
    cast(floor(cast(unix_micros(j.delivered_at) - unix_micros(j.first_picked_up_at) as double) / 1000000) as bigint) as transit_duration_s,
    cast(floor(cast(unix_micros(j.delivered_at) - unix_micros(j.created_at) as double) / 1000000) as bigint) as total_duration_s,
    cast(floor(cast(unix_micros(j.delivered_at) - unix_micros(j.delivery_by) as double) / 1000000) as bigint) as delivery_delay_s,
    j.sla_status = 'met' as is_on_time,
    coalesce(unix_micros(j.delivered_at) > unix_micros(j.delivery_by) + j.grace_us, false) as is_late,
    coalesce(unix_micros(j.delivered_at) < unix_micros(j.delivery_by) - j.early_us, false) as is_early,
    j.delivered_at is not null and j.attempts = 0 as is_first_attempt,
    coalesce(n.exceptions, 0) as exceptions,
    coalesce(n.invalid_transitions, 0) as invalid_transitions,
    coalesce(n.late_events, 0) as late_events
  from judged j
  left join last_exception x on x.shipment_id = j.shipment_id
  left join event_counts n on n.shipment_id = j.shipment_id
  left join holder h on h.shipment_id = j.shipment_id
  left join calendar delivery_day
    on delivery_day.utc_date = cast(j.delivered_at as date) and j.delivered_at >= delivery_day.start_at and j.delivered_at < delivery_day.end_at
  left join calendar promise_day
    on promise_day.utc_date = cast(j.delivery_by as date) and j.delivery_by >= promise_day.start_at and j.delivery_by < promise_day.end_at
)

select * from final
