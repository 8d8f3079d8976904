{# A model's schema is the one its folder names: curated or ops, without the target's name before it. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name or target.schema }}
{%- endmacro %}

{# The two functions that Spark has and DuckDB spells differently. #}
{% macro time_macros() -%}
  {% if target.type == 'duckdb' -%}
    create or replace macro unix_micros(t) as epoch_us(t);
    create or replace macro timestamp_micros(u) as make_timestamp(u);
  {%- endif %}
{%- endmacro %}
