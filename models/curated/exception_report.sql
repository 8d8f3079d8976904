-- Grain: one row per (subject, type, opened_at, anchor): all exceptions as of the clock, of shipments and of drivers. A view.
with exceptions_shipment as (select * from {{ ref('exceptions_shipment') }}),
exceptions_driver as (select * from {{ ref('exceptions_driver') }}),

final as (
  select subject, subject_type, type, severity, opened_at, resolved_at, owner_hint, anchor from exceptions_shipment
  union all select subject, subject_type, type, severity, opened_at, resolved_at, owner_hint, anchor from exceptions_driver
)

select * from final
