{# A model's schema is its folder, curated or ops. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ node.original_file_path.split('/')[0] if node.resource_type == 'model' else target.schema }}
{%- endmacro %}

{# The two functions that Spark has and DuckDB spells differently. #}
{% macro time_macros() -%}
  {% if target.type == 'duckdb' -%}
    create or replace macro unix_micros(t) as epoch_us(t);
    create or replace macro timestamp_micros(u) as make_timestamp(u);
  {%- endif %}
{%- endmacro %}
