"""The Kafka source and publisher against a real broker and a real registry, both hurt while they are read.

    check_kafka.py [WORDS]     only the checks whose name holds WORDS
    FLEETFLOW_KAFKA_RECORDS    records in the larger checks (default 20000)
"""
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import groups  # noqa: E402
import records  # noqa: E402
import wires  # noqa: E402
from world import Cluster, seed  # noqa: E402

CHECKS = groups.CHECKS + records.CHECKS + wires.CHECKS


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="fleetflow-kafka-") as folder, Cluster(pathlib.Path(folder) / "broker", gated=True) as kafka:
        for i, (name, check) in enumerate(CHECKS):
            if wanted not in name:
                continue
            started = time.monotonic()
            place = pathlib.Path(folder) / f"check{i}"
            place.mkdir()
            try:
                check(kafka, place)
                passed, word = passed + 1, "ok    "
            except Exception as error:
                failed, word = failed + 1, f"FAILED {type(error).__name__}: {error}\n      "
            print(f"{word} {name} ({time.monotonic() - started:.0f} s)", flush=True)
    print(f"{passed} passed, {failed} failed" if not failed else f"seed {seed}\n{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
