"""Does the house look as its maps say?

Each check is a function that yields one line per fault; a check without faults has passed. Paths are those of the
repository's root, the current folder.
"""
import pathlib
import re
import subprocess

root = pathlib.Path.cwd()
cmake = (root / "CMakeLists.txt").read_text()
house = re.search(r"^set\(house ([^)]*)\)", cmake, re.M)[1].split()
beside = re.search(r"^set\(beside_the_house ([^)]*)\)", cmake, re.M)[1].split()
# The simulator knows facts, not rules; only the command line hands it to a person.
sees_beside = {"cli"}
beside_sees = {"base", "domain"}


def may_see(folder: str) -> set[str]:
    if folder in beside:
        return beside_sees
    return set(house[: house.index(folder)]) | (set(beside) if folder in sees_beside else set())


def folders() -> list[str]:
    return sorted(p.parent.name for p in (root / "src").glob("*/CMakeLists.txt"))


def declared(folder: str) -> set[str]:
    """The folders that its CMakeLists.txt links."""
    text = (root / "src" / folder / "CMakeLists.txt").read_text()
    links = " ".join(re.findall(r"target_link_libraries\(([^)]*)\)", text))
    return set(re.findall(r"\bff_(\w+)", links)) - {folder}


def reachable(folder: str) -> set[str]:
    seen, todo = set(), [folder]
    while todo:
        for next_folder in declared(todo.pop()) - seen:
            seen.add(next_folder)
            if next_folder in folders():
                todo.append(next_folder)
    return seen


def every_folder_has_its_place_in_the_house():
    for folder in folders():
        if folder not in house + beside:
            yield f"src/{folder} is in neither list at the head of CMakeLists.txt"


def links_go_left_only():
    for folder in set(folders()) & set(house + beside):
        for seen in declared(folder) - may_see(folder):
            yield f"src/{folder}/CMakeLists.txt links ff_{seen}, which it may not see"


def includes_follow_the_links():
    """Unit tests are exempt: they are one program, linked with the whole house."""
    for folder in folders():
        allowed = reachable(folder) | {folder}
        for file in sorted((root / "src" / folder).rglob("*")):
            if file.suffix not in {".h", ".cpp"} or file.name.endswith(("_test.cpp", "_fuzz.cpp")):
                continue
            for included in re.findall(r'^#include "(\w+)/', file.read_text(), re.M):
                if included in house + beside and included not in allowed:
                    yield f"{file.relative_to(root)} includes {included}/, which src/{folder}/CMakeLists.txt does not link"


def architecture_map_matches_the_tree():
    page = root / "ARCHITECTURE.md"
    if not page.exists():
        return
    on_map = {line.rstrip("/") for line in re.findall(r"\b((?:src|tests|scripts)/\w+)/", page.read_text())}
    for path in sorted(on_map):
        if not (root / path).is_dir():
            yield f"ARCHITECTURE.md names {path}/, which is not in the tree"
    for folder in folders():
        if f"src/{folder}" not in on_map:
            yield f"ARCHITECTURE.md does not name src/{folder}/"


def documented_commands_exist():
    known = set(re.findall(r"^  \./ff (\w+)", (root / "ff").read_text(), re.M))
    assert known, "the usage text of ./ff names its commands"
    pages = [root / "README.md", root / "ARCHITECTURE.md", *sorted((root / "docs").rglob("*.md"))]
    for page in filter(pathlib.Path.exists, pages):
        for command in sorted(set(re.findall(r"\./ff (\w+)", page.read_text())) - known):
            yield f"{page.relative_to(root)} speaks of './ff {command}', which ./ff does not have"


def every_command_has_help():
    for command in sorted(set(re.findall(r"^  \./ff (\w+)", (root / "ff").read_text(), re.M))):
        said = subprocess.run([root / "ff", command, "--help"], capture_output=True, text=True)
        if said.returncode != 0 or not said.stdout.startswith(f"./ff {command}"):
            yield f"./ff {command} --help does not explain itself"


def suites_say_what_they_are_for():
    for suite in sorted((root / "tests/suites").glob("*.sh")):
        if not re.match(r"\d\d-[\w-]+\.sh$", suite.name):
            yield f"{suite.name} is not called NN-name.sh, so ./ff test does not see it"
        if not re.search(r"^# suite: \S", suite.read_text(), re.M):
            yield f"{suite.name} has no line '# suite: ...'"


def scripts_parse():
    for script in [root / "ff", *sorted(root.glob("scripts/**/*.sh")), *sorted(root.glob("tests/**/*.sh"))]:
        said = subprocess.run(["bash", "-n", script], capture_output=True, text=True)
        if said.returncode != 0:
            yield said.stderr.strip()


checks = [
    every_folder_has_its_place_in_the_house,
    links_go_left_only,
    includes_follow_the_links,
    architecture_map_matches_the_tree,
    documented_commands_exist,
    every_command_has_help,
    suites_say_what_they_are_for,
    scripts_parse,
]
failed = 0
for check in checks:
    faults = list(check())
    failed += bool(faults)
    print(("FAILED  " if faults else "ok      ") + check.__name__.replace("_", " "))
    for fault in faults:
        print("        " + fault)
print(f"{len(checks) - failed} passed, {failed} failed")
raise SystemExit(failed > 0)
