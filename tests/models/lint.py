"""The portable subset, enforced: what runs unchanged on DuckDB, Spark and Trino, and nothing that silently differs.

    python tests/models/lint.py          needs sqlglot and pyyaml

Each model must parse as DuckDB and as Spark, use no template but ref() and source(), each once, and none of the words below:
they fail elsewhere, or worse, mean something else there. It must be documented column by column, and say how it is sliced.
"""
import re
import sys

import sqlglot
from sqlglot import exp

import project

WORDS = {
    r"\bqualify\b": "Spark and Trino have no QUALIFY: number in a CTE, filter in the next",
    r"\bgroup\s+by\s+all\b": "spell the GROUP BY out",
    r"\bdistinct\s+on\b": "use row_number()",
    r"\bexclude\s*\(": "name the columns",
    r"\bfilter\s*\(\s*where\b": "count(case when ... end) runs everywhere",
    r"\binterval\b": "add microseconds through unix_micros() and timestamp_micros()",
    r"\b(date_diff|datediff|date_add|date_sub|epoch\w*|strftime|date_format|time_bucket|make_timestamp)\s*\(": "reckon in microseconds through unix_micros()",
    r"\b(extract|dayofweek|isodow|dow|week)\s*\(": "weekdays silently differ between engines",
    r"\b(arg_max|arg_min|max_by|min_by|any_value|first|last|median|quantile\w*|approx_\w+|percentile\w*)\s*\(": "not the same on every engine, or not exact: use row_number()",
    r"\b(string_agg|listagg|list|array_agg|unnest|explode|struct_pack|generate_series|range)\s*\(": "no nested types",
    r"\b(asof|lateral|pivot|unpivot|positional)\b": "DuckDB only",
    r"\b(now|current_timestamp|current_date|today|random|uuid)\b": "the clock is ops.clock; a model is a function of its inputs",
    r"\bvarchar\b": "spell it string: Spark wants a length for varchar",
    r"\bignore\s+nulls\b|\brespect\s+nulls\b": "differs between engines",
    r"::": "use cast(x as type)",
    r"//|\bdiv\b": "use floor(cast(x as double) / n)",
}
DOUBLE = re.compile(r"\bas\s+double\b", re.I)


def problems(m):
    text = re.sub(r"--[^\n]*", "", m.sql)
    for pattern, why in WORDS.items():
        if hit := re.search(pattern, text, re.I):
            yield f"'{hit[0].strip()}': {why}"
    if not m.sql.startswith("-- Grain: "):
        yield "the first line says the grain"
    if not m.sql.rstrip().endswith("select * from final"):
        yield "the last line is `select * from final`"
    if m.is_view and "_micros(" in text:
        yield "a view is read by tools that do not have unix_micros() and timestamp_micros()"
    inputs = m.refs + m.sources
    if len(inputs) != len(set(inputs)):
        yield "each input is read once, in a CTE at the top"
    rendered = m.render(lambda schema, name: f"{schema or 'models'}.{name}")
    if "{" in rendered:
        yield "a template other than ref('x') and source('s', 't')"
        return
    for dialect in ("duckdb", "spark"):
        try:
            tree = sqlglot.parse_one(rendered, read=dialect)
        except sqlglot.ParseError as error:
            yield f"does not parse as {dialect}: {error}"
            return
    for division in tree.find_all(exp.Div):
        if not DOUBLE.search(division.this.sql()):
            yield f"'{division.sql()}': cast the dividend to double, or integers divide differently"
    yield from documentation(m, [column.alias_or_name for column in final_columns(tree)])


def final_columns(tree):
    """Output columns of the CTE `final`; through `select *` of months-like CTEs they cannot be seen, then none."""
    final = next(c for c in tree.find_all(exp.CTE) if c.alias == "final").this
    while isinstance(final, exp.Union):
        final = final.this
    return [] if final.is_star else final.selects


def documentation(m, columns):
    described = [c["name"] for c in m.doc["columns"]]
    if columns and columns != described:
        yield f"columns {columns} are documented as {described}"
    if not m.doc["description"].startswith("One row per "):
        yield "the description starts with the grain"
    yield from (f"column {c['name']} lacks a description or a type" for c in m.doc["columns"] if not (c.get("description") and c.get("data_type")))
    if not m.is_view:
        allowed = {f"core.{t}" for s, t in m.sources if s == "core"} | {f"ref.{r}" for r in m.refs}
        yield from (f"meta.{k} is missing" for k in ("grain", "touched", "key", "slice") if k not in m.meta)
        yield from (f"meta.slice names {i}, which is no input" for i in m.meta.get("slice", {}) if i not in allowed)


def main():
    failed, models = 0, project.read_models()
    for m in models:
        wrong = list(problems(m))
        failed += bool(wrong)
        for text in wrong:
            print(f"models/{m.schema}/{m.name}.sql: {text}")
    print(f"{len(models) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
