-- A shipment's story, section by section; a section without rows is left out. Made by show.cpp: asked (one row,
-- shipment_id), shown (a time to the second) and in_words (the time between two).

-- name: Where it stands
select current_status, sla_status, breach_reason, carrier_id as carrier, service_level, origin_hub || ' -> ' || destination_hub as lane,
  shown(promised_delivery_by) as promised, shown(delivered_at) as delivered, in_words(promised_delivery_by, delivered_at) as delay
from curated.shipment_sla join asked using (shipment_id)

-- name: History (what we were told, in the order in which it happened, and what was made of it)
select shown(e.event_time) as happened_at, status,
  case
    when is_retracted then 'withdrawn by its source'
    when is_future then 'from the future, not believed'
    when effect = 'apply' then 'taken'
    when effect = 'flag' then 'taken, but suspicious: it does not follow ' || from_status
    when effect = 'repeat' then 'repeat, moves nothing'
    when effect = 'reject' then 'refused: it contradicts ' || from_status
    else 'evidence'
  end as judged,
  reason, facility, left(driver_key, 8) as driver, event_id, in_words(e.event_time, first_ingest_time) as heard_after, source
from core.shipment_events e join asked using (shipment_id) left join ops.statuses s using (status)
order by e.event_time, s.rank, namespace, event_id

-- name: What events said before they were corrected
select event_id, status, shown(event_time) as happened_at, ordinal as version, shown(ingest_time) as heard_at
from core.shipment_event_versions join asked using (shipment_id) order by event_id, ordinal, ingest_time

-- name: Who had it
select left(driver_key, 8) as driver, shown(valid_from) as had_it_from, shown(valid_to) as until, opened_by, closed_by, shown(recorded_from) as known_since
from core.driver_assignments join asked using (shipment_id) order by valid_from

-- name: Dispatch commands
select shown(effective_at) as effective, action, left(driver_key, 8) as driver, effect, assignment_id, in_words(effective_at, first_ingest_time) as heard_after
from core.assignment_commands join asked using (shipment_id) order by effective_at, assignment_id

-- name: Claims on this id
select order_ref, namespace, customer_id, shown(ordered_at) as ordered, holds_id, is_deleted
from core.shipment_claims join asked using (shipment_id) order by ordered_at, namespace, order_ref

-- name: Findings
select check_name, anchor, shown(opened_at) as opened, shown(resolved_at) as resolved
from ops.findings f join asked on asked.shipment_id = f.subject order by opened_at, check_name, anchor

-- name: Exceptions
select type, severity, shown(opened_at) as opened, shown(resolved_at) as resolved, owner_hint as owner
from curated.exception_report e join asked on asked.shipment_id = e.subject order by opened_at, type
