"""A full disk: the engine stops, says so, and loses nothing; with room again it goes on and ends where it would have ended.

    python tests/law/full_disk.py [SEED]

The lake lies on a small file system of its own (tmpfs), which is enlarged step by step: each run fails with exit code 5 and
the word `disk_full`, or gets through. What the failed runs committed is readable all the while. Needs the right to mount.
"""
import contextlib
import subprocess
import sys

import compare_oracle
import duckdb
import engine
import worlds

STEP_MB = 2


@contextlib.contextmanager
def small_disk(folder, megabytes):
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "fleetflow-test", folder], capture_output=True, text=True)
    if done.returncode != 0:
        raise PermissionError(done.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def judge(seed, folder):
    world, disk = folder / "world", folder / "disk"
    as_of = worlds.lifelike(engine.PROGRAM, world, seed, shipments=150)
    words, lines, refusals, wrong = ["--as-of", as_of, "--batch-records", "1000"], [], 0, []
    try:
        with small_disk(disk, STEP_MB):
            for step in range(1, 40):
                done = engine.run(world, disk / "lake", *words, ok=range(0, 6))
                if done.returncode == 0:
                    break
                refusals += 1
                if done.returncode != 5 or "disk_full" not in done.stderr:
                    wrong.append(f"at {step * STEP_MB} MB: exit {done.returncode}: {done.stderr[:300]}")
                subprocess.run(["mount", "-o", f"remount,size={(step + 1) * STEP_MB}m", disk], check=True)
            lines.append(f"{refusals} runs met a full disk, the last one had {step * STEP_MB} MB")
            if done.returncode == 0:
                differs = compare_oracle.report(compare_oracle.World(world, as_of).differences(disk / "lake" / "lake.duckdb"))
                wrong += [differs] if differs else []
                with duckdb.connect(str(disk / "lake" / "lake.duckdb"), read_only=True) as con:
                    twice = con.execute("select count(*) - count(distinct (partition, position)) from raw.shipment_events").fetchone()[0]
                    wrong += [f"{twice} raw events twice"] if twice else []
            else:
                wrong.append("it never got through")
    except PermissionError as e:
        return 0, 0, f"SKIPPED: cannot mount a tmpfs here ({e}); run as root"
    checks = [("runs met a full disk", refusals >= 2), ("each said disk_full; with room again the lake is the oracle's", not wrong)]
    return sum(ok for _, ok in checks), sum(not ok for _, ok in checks), "\n".join([*lines, *(f"{name:62} {'ok' if ok else 'FAILED'}" for name, ok in checks), *wrong[:10]])


if __name__ == "__main__":
    sys.exit(engine.each(judge, [int(sys.argv[1]) if sys.argv[1:] else 1], workers=1))
