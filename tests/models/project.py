"""The dbt project in models/, read as plainly as the engine reads it: SQL text with two calls, and a YAML beside it.

Whoever runs models outside dbt (the lint, the equality tests, the docs) goes through here, so that there is one
answer to what a model's text is. Nothing here runs SQL.
"""
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALL = re.compile(r"\{\{\s*(ref|source)\(\s*'(\w+)'\s*(?:,\s*'(\w+)'\s*)?\)\s*\}\}")


@dataclass
class Model:
    name: str
    schema: str        # curated or ops: the folder
    path: Path
    sql: str           # as in the file
    refs: list         # names of models
    sources: list      # (schema, table)

    @cached_property
    def doc(self):
        """Its entry in the YAML beside it."""
        import yaml  # only here: whoever runs no more than the SQL needs no yaml
        return yaml.safe_load(self.path.with_suffix(".yml").read_text())["models"][0]

    @property
    def meta(self):
        return self.doc["config"]["meta"]

    @property
    def is_view(self):
        return self.meta.get("materialized") == "view"

    def render(self, table):
        """The SQL with each call replaced by table(schema_or_None, name); schema None: a model."""
        return CALL.sub(lambda m: table(None, m[2]) if m[1] == "ref" else table(m[2], m[3]), self.sql)


def read_model(path):
    sql = path.read_text()
    calls = CALL.findall(sql)
    return Model(path.stem, path.parent.name, path, sql,
                 [a for kind, a, _ in calls if kind == "ref"], [(a, b) for kind, a, b in calls if kind == "source"])


def read_models(root=ROOT):
    """All models, each after those it refers to."""
    found = {p.stem: read_model(p) for folder in ("curated", "ops") for p in sorted((root / "models" / folder).glob("*.sql"))}
    done = {}

    def visit(name):
        if name not in done:
            for ref in found[name].refs:
                visit(ref)
            done[name] = found[name]

    for name in found:
        visit(name)
    return list(done.values())


def build_in_duckdb(connection, models, as_tables=False):
    """Runs every model in an attached DuckDB that has core.* and ops.*, in full."""
    connection.execute("create or replace macro unix_micros(t) as epoch_us(t)")
    connection.execute("create or replace macro timestamp_micros(u) as make_timestamp(u)")
    schema_of = {m.name: m.schema for m in models}
    for m in models:
        kind = "view" if m.is_view and not as_tables else "table"
        sql = m.render(lambda schema, name: f"{schema or schema_of[name]}.{name}")
        connection.execute(f"create or replace {kind} {m.schema}.{m.name} as {sql}")
