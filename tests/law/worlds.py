"""Small worlds full of faults, and the ways in which their facts may come.

A *lifelike* world is the simulator's, with every fault at a high rate and a truth beside it. A *dense* one (tests/models/
random_world.py) has no truth but a handful of shipments, drivers and hours, so that everything meets everything.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/models"))
sys.path.append(str(ROOT / "tests/stories"))
import random_world  # noqa: E402
import tell  # noqa: E402

WATCHED = {"events": {"silent_after_min": 20, "records_per_day": [30, 80]}, "gps": {"silent_after_min": 30, "records_per_day": [5, 200]}}
DENSE_AS_OF = "2026-03-09T00:00:00Z"  # every fact of a dense world is heard of by then


def fault_rates(program, shipment=0.042, other=0.004):
    """--fault words for the simulator: every fault there is; those of a shipment exclude each other."""
    words = []
    for fault, of in re.findall(r"^\s+(\w+)\s+[\d.]+\s+of each (\w+)", subprocess.run([program, "simulate", "--help"], capture_output=True, text=True).stdout, re.M):
        if of in ("shipment", "ping", "driver"):
            words += ["--fault", f"{fault}={shipment if of == 'shipment' else other}"]
    return words


def lifelike(program, folder, seed, shipments=400, partner=False):
    """Makes the world; returns its as_of."""
    subprocess.run([program, "simulate", "--out", folder, "--seed", str(seed), "--shipments", str(shipments), "--days", str(1 + seed % 2), "--drain-hours", str(24 * (seed % 4)), "--contracts", ROOT / "contracts",
                    "--pings-per-shipment", "8", *fault_rates(program), *(["--partner"] if partner else [])], check=True, capture_output=True)
    return json.loads((pathlib.Path(folder) / "truth" / "summary.json").read_text())["as_of"]


def dense(folder, seed):
    """Makes the world, with contracts that know the driving time it reports; returns its as_of."""
    folder = pathlib.Path(folder)
    shutil.copytree(ROOT / "contracts", folder / "contracts")
    contract = folder / "contracts" / "events.yaml"
    driving = "      - name: driving_s\n        logicalType: integer\n        customProperties:\n          - {property: unit, value: s}\n"
    contract.write_text(contract.read_text().replace("      - {name: ingest_time", driving + "      - {name: ingest_time"))
    (folder / "truth").mkdir()
    (folder / "truth" / "summary.json").write_text(json.dumps({"feeds": WATCHED}))
    for stem, feed in WATCHED.items():
        contract = folder / "contracts" / f"{stem}.yaml"
        contract.write_text(tell.watched(contract.read_text(), feed))
    facts = random_world.world(seed)
    for records in facts.values():
        records.sort(key=lambda r: r["ingest_time"])
    random_world.write(facts, folder)
    return DENSE_AS_OF


def scatter(source, target, random, copies=0.2, files_max=5):
    """The same facts in another order: per feed shuffled, some twice, split over files at random. CSV keeps its header."""
    source, target = pathlib.Path(source), pathlib.Path(target)
    target.mkdir()
    if (source / "contracts").is_dir():
        shutil.copytree(source / "contracts", target / "contracts")
    feeds = {}
    for path in sorted(source.glob("*.*")):
        if path.stat().st_size == 0:  # An empty file is a fact of its own.
            shutil.copy(path, target / f"{path.stem}-empty{path.suffix}")
        feeds.setdefault((re.sub(r"-\d+$", "", path.stem), path.suffix), []).extend(lines_of(path))
    for (stem, suffix), lines in feeds.items():
        lines += [line for line in lines if random.random() < copies]
        random.shuffle(lines)
        parts = [[] for _ in range(random.randint(1, files_max))]
        for line in lines:
            random.choice(parts).append(line)
        for n, part in enumerate(parts, 1):
            head = [header_of(next(source.glob(f"{stem}*{suffix}")))] if suffix == ".csv" else []
            if part:
                (target / f"{stem}-{n:04}{suffix}").write_bytes(b"".join(line + b"\n" for line in head + part))


def lines_of(path):
    lines = path.read_bytes().split(b"\n")
    return [line for line in lines[1 if path.suffix == ".csv" else 0:] if line]


def header_of(path):
    return path.read_bytes().split(b"\n")[0]
