-- Findings that the simulator planted, beside those that the lake has. A record that could not be read is known by the
-- hash of its bytes alone. {truth} and {keys} are filled in by demo_lib.sh.
with planted as (
  select distinct check_name, coalesce(driver_key, subject) as subject, anchor
  from read_csv('{truth}/findings.csv', header = true, all_varchar = true, nullstr = '-') f
  left join read_csv('{keys}', header = true, all_varchar = true) k on k.driver_id = f.subject),
alike as (
  select 'planted' as side, * from planted
  union all select 'found', check_name, subject, anchor from ops.findings),
keyed as (
  select side, check_name,
    case when check_name in ('contract_violation', 'unmapped_status', 'coordinate_out_of_range', 'schema_drift') then '' else subject end as subject,
    coalesce(cast(try_cast(anchor as timestamp) as varchar), anchor) as anchor
  from alike),
pairs as (
  select check_name, subject, anchor, bool_or(side = 'planted') as is_planted, bool_or(side = 'found') as is_found
  from keyed group by check_name, subject, anchor)
select check_name as "check", count(*) filter (is_planted) as injected, count(*) filter (is_planted and is_found) as found,
  count(*) filter (is_planted and not is_found) as missed, count(*) filter (is_found and not is_planted) as "false"
from pairs group by check_name order by check_name
