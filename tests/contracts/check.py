"""Checks contracts/ and examples/ with the standard's own schema, and docs/contracts.md against the tests.

The JSON schema is the one the PyPI package `open-data-contract-standard` ships (scripts/setup/contracts.requirements). What our
own reader says to each file of bad/ is asserted by src/decode/contract_test.cpp; here only that the guide repeats it word
for word.
"""
import importlib.resources
import json
import pathlib
import re
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads(importlib.resources.files("open_data_contract_standard").joinpath("schema.json").read_text())


def problems_of_contract(path):
    document = yaml.safe_load(path.read_text())
    for error in jsonschema.Draft201909Validator(SCHEMA).iter_errors(document):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def problems_of_guide(guide, bad):
    cause, message = re.match(r"# refused: (\w+): (.*)", bad.read_text().splitlines()[0]).groups()
    if bad.name in guide and (cause not in guide or message.split(": ", 1)[1] not in guide):
        yield f"docs/contracts.md shows {bad.name} but not '{message}'"


def main():
    checks = [(p, problems_of_contract(p)) for p in sorted(ROOT.glob("contracts/*.yaml")) + sorted(ROOT.glob("examples/**/*.yaml"))]
    guide = (ROOT / "docs/contracts.md").read_text()
    checks += [(p, problems_of_guide(guide, p)) for p in sorted(ROOT.glob("tests/contracts/bad/*.yaml"))]
    failed = 0
    for path, problems in checks:
        found = list(problems)
        failed += bool(found)
        for problem in found:
            print(f"{path.relative_to(ROOT)}: {problem}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
