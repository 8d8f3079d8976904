"""The data dictionary, from where each fact is written once: the models' YAML and the comments of src/lake/schema.sql.

    python tests/models/docs.py            writes docs/data-dictionary.md and models/sources/lake.yml
    python tests/models/docs.py --check    says whether they, and the tables named in docs/entities.md, are up to date

Needs pyyaml.
"""
import re
import sys
import textwrap

import project

DICTIONARY = project.ROOT / "docs/data-dictionary.md"
SOURCES = project.ROOT / "models/sources/lake.yml"
TABLE = re.compile(r"create table if not exists (\w+)\.(\w+) \((.*?)\);[ \t]*(?:--([^\n]*))?$", re.S | re.M)


def sentence(text):
    return text and text[0].upper() + text[1:].rstrip(".") + "."


def lake_tables():
    """(schema, table, description, [(column, type, description)]) of schema.sql. A comment block describes the tables
    that follow it directly; a comment at the end of a line the last column on that line, or the table if it is one line."""
    text = (project.ROOT / "src/lake/schema.sql").read_text()
    for m in TABLE.finditer(text):
        schema, table, body, trailing = m.groups()
        above = text[:m.start()].removesuffix("\n").split("\n")
        while above and above[-1].startswith("create table"):
            above.pop()
        block = []
        while above and above[-1].startswith("--"):
            block.insert(0, above.pop()[2:].strip())
        description = re.sub(rf"^({schema}\.[\w<>]+: )", "", " ".join(block))
        if trailing and "\n" in body:
            body += " --" + trailing
        elif trailing:
            description = trailing.strip()
        columns = []
        for line in body.split("\n"):
            code, _, comment = line.partition("--")
            for column in filter(None, (c.strip() for c in code.split(","))):
                name, kind = column.split(maxsplit=1)
                columns.append([name, kind, ""])
            if comment and columns:
                columns[-1][2] = (columns[-1][2] + " " + comment.strip()).strip()
        yield schema, table, sentence(description), columns


def sources_yaml():
    lines = ["# Written by tests/models/docs.py from src/lake/schema.sql; do not edit.", "version: 2", "", "sources:"]
    for wanted in ("core", "ops"):
        lines += [f"  - name: {wanted}", "    tables:"]
        for schema, table, description, columns in lake_tables():
            if schema != wanted:
                continue
            lines.append(f"      - name: {table}")
            if description:
                lines += ["        description: >-", textwrap.fill(description, 110, initial_indent=" " * 10, subsequent_indent=" " * 10)]
            lines.append("        columns:")
            for name, kind, text in columns:
                lines += [f"          - name: {name}", f"            data_type: {kind}"]
                if text:
                    lines += ["            description: >-", textwrap.fill(text, 110, initial_indent=" " * 14, subsequent_indent=" " * 14)]
    return "\n".join(lines) + "\n"


def table_section(name, description, columns):
    escaped = [(c, k, t.replace("|", "\\|")) for c, k, t in columns]
    return [f"### {name}", "", *([description, ""] if description else []), "| column | type | meaning |", "|---|---|---|", *(f"| {c} | {k} | {t} |" for c, k, t in escaped), ""]


def dictionary():
    lines = [
        "# Data dictionary", "",
        "Written by `tests/models/docs.py` from the models' YAML and `src/lake/schema.sql`; do not edit.", "",
        "All times are UTC; a date is a day of the reporting zone. Durations are whole seconds (`_s`) rounded down, distances",
        "centimetres (`_cm`), coordinates 1e-7 degree (`_e7`). A `driver_key` is a pseudonym. How the tables hang together: `entities.md`.", ""]
    models = sorted(project.read_models(), key=lambda m: m.name)
    for schema, title in (("curated", "## curated: what people read"), ("ops", "## ops: findings, exceptions, deadlines")):
        lines += [title, ""]
        for m in models:
            if m.schema == schema:
                kind = "A view" if m.is_view else f"A table; the rows of a touched `{m.meta['key']}` are replaced"
                lines += table_section(f"{schema}.{m.name}", f"{m.doc['description']} {kind}.",
                                       [(c["name"], c["data_type"], c["description"]) for c in m.doc["columns"]])
    for schema, title in (("core", "## core: what happened"), ("ops", "## ops: what the engine keeps"), ("raw", "## raw: what was received")):
        lines += [title, ""]
        for s, table, description, columns in lake_tables():
            if s == schema:
                lines += table_section(f"{schema}.{table}", description, columns)
    return "\n".join(lines)


def undrawn():
    """Tables of the lake that docs/entities.md does not name."""
    text = (project.ROOT / "docs/entities.md").read_text()
    names = [f"{s}.{t}" for s, t, _, _ in lake_tables() if s == "core"] + [f"{m.schema}.{m.name}" for m in project.read_models()]
    return [name for name in names if name not in text]


def main(check):
    written = {DICTIONARY: dictionary(), SOURCES: sources_yaml()}
    if not check:
        for path, text in written.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return 0
    stale = [f"{p.relative_to(project.ROOT)} is not up to date: run tests/models/docs.py" for p, text in written.items()
             if not p.exists() or p.read_text() != text]
    missing = undrawn()
    wrong = stale + ([f"docs/entities.md does not name {', '.join(missing)}"] if missing else [])
    print("".join(f"{w}\n" for w in wrong) + f"{3 - len(stale) - bool(missing)} passed, {len(stale) + bool(missing)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
