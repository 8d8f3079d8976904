"""Every numbered rule of S1 to S6 has a story: a rule that nobody can tell by example is not understood.

    python tests/stories/check_rules.py FOLDER...     the story folders; the first alone must tell every rule

The rules are those of docs/semantics.md.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = {1: 6, 2: 12, 3: 7, 4: 6, 5: 10, 6: 8}  # chapter -> its rules, for a tree without docs/semantics.md


def rules():
    text = ROOT / "docs" / "semantics.md"
    if not text.exists():
        return {f"S{chapter}.{n}" for chapter, last in RULES.items() for n in range(1, last + 1)}
    return {rule for rule in re.findall(r"\*\*(S[1-6]\.\d+)", text.read_text())}


def told(folder):
    return {rule for story in folder.glob("*.story") for line in story.read_text().splitlines() if line.startswith("# rule:") for rule in re.findall(r"S\d\.\d+", line)}


def main(folders):
    known, failed = rules(), 0
    for folder in folders[:1]:
        missing = sorted(known - told(folder), key=lambda r: [int(n) for n in r[1:].split(".")])
        failed += bool(missing)
        print(f"{folder}: " + (f"no story for {', '.join(missing)}" if missing else f"a story for each of {len(known)} rules"))
    unknown = sorted({rule for folder in folders for rule in told(folder)} - known)
    if unknown:
        failed += 1
        print(f"stories tell rules that do not exist: {', '.join(unknown)}")
    print(f"{1 - min(failed, 1)} passed, {min(failed, 1)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main([pathlib.Path(f) for f in sys.argv[1:]]))
