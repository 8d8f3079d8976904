-- The published figures, one row each. {expected} is filled in by demo_flights.sh.
with page as (select content::json as page from read_text('{expected}')),
parts as (select 'carrier' as what, page->'by_carrier' as part from page union all select 'month', page->'by_month' from page
  union all select 'aircraft', page->'utilization_top20_tailnum_air_minutes' from page),
groups as (select what, unnest(json_keys(part)) as key, part from parts),
figures as (select what, key, part->key as figures, unnest(json_keys(part->key)) as figure from groups)
select what, key, figure, (figures->>figure)::double as value from figures
union all
select 'all', '', figure, (page->>figure)::double from page, (values ('rows'), ('cancelled'), ('diverted'), ('distinct_tailnum')) v(figure)
