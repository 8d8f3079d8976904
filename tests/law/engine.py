"""The program as these tests use it: run over a folder of facts into a lake, killed where asked."""
import concurrent.futures
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("FLEETFLOW", str(ROOT / "build/release/bin/fleetflow"))
KILLED = -9
# Nobody cuts the power here, so memory is as good as a disk, and faster.
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) and os.statvfs("/dev/shm").f_bavail * os.statvfs("/dev/shm").f_frsize > 2 << 30 else None


def run(world, lake, *words, crash_at=None, ok=(0,), **settings):
    """One `fleetflow run`; returns what it did, and fails loudly on an exit code that is not in `ok`."""
    environment = dict(os.environ, **settings)
    if crash_at:
        environment["FLEETFLOW_CRASH_AT"] = crash_at
    done = subprocess.run([PROGRAM, "run", "--quiet", "--threads", "1", "--input", world, "--lake", lake, *words], env=environment, capture_output=True, text=True)
    if done.returncode not in ok:
        raise RuntimeError(f"fleetflow run --input {world} --lake {lake} {' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr}")
    return done


def crash_points():
    return subprocess.run([PROGRAM, "crash-points"], capture_output=True, text=True, check=True).stdout.split()


def each(judge, cases, workers=2):
    """Calls judge(case, folder) for every case in processes beside each other, each with a folder of its own; prints each report
    as it comes. judge returns (passed, failed, text); a text that begins with SKIPPED counts as one skipped. Ends with the suite's line; returns the exit code."""
    total, skipped = [0, 0], 0
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        for done in concurrent.futures.as_completed([pool.submit(_in_own_folder, judge, case) for case in cases]):
            passed, failed, text = done.result()
            total, skipped = [total[0] + passed, total[1] + failed], skipped + text.startswith("SKIPPED")
            print(text, flush=True)
    print(f"{total[0]} passed, {total[1]} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if total[1] or not (total[0] or skipped) else 0


def _in_own_folder(judge, case):
    with tempfile.TemporaryDirectory(prefix="fleetflow-law-", dir=SCRATCH) as folder:
        try:
            return judge(case, pathlib.Path(folder))
        except Exception as e:  # One world's misfortune is that world's failure.
            return 0, 1, f"{case}: {type(e).__name__}: {e}"
