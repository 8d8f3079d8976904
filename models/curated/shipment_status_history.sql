-- Grain: one row per (shipment_id, namespace, event_id, version, content): all we were ever told of a shipment's events. A view.
with events as (select * from {{ source('core', 'shipment_events') }}),
versions as (select * from {{ source('core', 'shipment_event_versions') }}),

final as (
  select
    shipment_id, namespace, event_id, true as is_current, status, event_time, effect, from_status,
    effect in ('apply', 'repeat') as is_valid_transition, is_retracted, driver_key, named_driver_key, facility, reason,
    authority_rank, epoch, ordinal, ordinal_minor, ingest_time, contract, contract_version, source, partition, position
  from events
  union all
  select
    shipment_id, namespace, event_id, false, status, event_time, 'superseded', cast(null as string),
    cast(null as boolean), is_retracted, cast(null as string), named_driver_key, facility, reason,
    authority_rank, epoch, ordinal, ordinal_minor, ingest_time, contract, contract_version, source, partition, position
  from versions
)

select * from final
