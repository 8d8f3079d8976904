-- A reason is given exactly for what was missed, breached or never promised.
select * from {{ ref('shipment_sla') }}
where (breach_reason is not null) <> (sla_status in ('missed', 'breached') or promised_delivery_by is null)
  or (sla_status = 'met') <> is_on_time
