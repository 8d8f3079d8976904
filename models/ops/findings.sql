-- Grain: one row per (check_name, subject, anchor): everything that is wrong as of the clock, and nothing that no longer is. A view.
with findings_shipment as (select * from {{ ref('findings_shipment') }}),
findings_driver as (select * from {{ ref('findings_driver') }}),
findings_feed as (select * from {{ ref('findings_feed') }}),

final as (
  select check_name, subject, anchor, opened_at, resolved_at, shipment_id, cast(null as string) as driver_key from findings_shipment
  union all select check_name, subject, anchor, opened_at, resolved_at, cast(null as string), driver_key from findings_driver
  union all select check_name, subject, anchor, opened_at, resolved_at, cast(null as string), cast(null as string) from findings_feed
)

select * from final
