"""The Postgres source against real servers: PostgreSQL 15 and 18, and 18 with a standby that takes over.

Starts the servers, runs build/release/bin/postgres_live against each, and adds up. FLEETFLOW_TEST_SEEDS and
FLEETFLOW_TEST_LARGE_ROWS make it longer.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "scripts/stack"))
from server import run  # noqa: E402
from servers import Postgres  # noqa: E402

# Little memory for decoding, so that transactions stream and spill; no fsync, since no machine is killed here.
settings = {"max_replication_slots": 20, "max_wal_senders": 20, "logical_decoding_work_mem": "64kB"}


def conninfo(server):
    return f"host=127.0.0.1 port={server.port} user=app dbname=postgres"


def standby_of(primary, folder):
    primary.sql("select pg_create_physical_replication_slot('standby')")
    data = folder / "data"
    data.mkdir(parents=True)
    if os.geteuid() == 0:
        shutil.chown(data, "postgres", "postgres")
        data.chmod(0o700)
    run(primary.as_postgres("pg_basebackup", "-h", "127.0.0.1", "-p", primary.port, "-U", "app", "-D", data, "-X", "stream", "-S", "standby", "-c", "fast", "-R"))
    following = {"primary_conninfo": conninfo(primary), "primary_slot_name": "standby", "sync_replication_slots": "on", "hot_standby_feedback": "on"}
    return Postgres(folder, 18, fsync=False, settings={**settings, **following})


def check(name, only, **environment):
    """passed, failed, skipped of one run of the tests."""
    words = [root / "build/release/bin/postgres_live", f"--gtest_filter={only}"]
    done = subprocess.run(words, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(f"== {name}")
    print("\n".join(line for line in done.stdout.splitlines() if "NOTICE" not in line and "RUN" not in line), flush=True)
    count = {word: int(n) for word, n in re.findall(r"\[  (PASSED|FAILED|SKIPPED) +\] (\d+) tests?[.,]", done.stdout)}
    ended = re.search(r"^\[==========\] \d+ tests? from", done.stdout, re.M) is not None
    failed = count.get("FAILED", 0) or (0 if done.returncode == 0 and ended else 1)
    return count.get("PASSED", 0), failed, count.get("SKIPPED", 0)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("filter", nargs="?", default="", help="only tests whose name holds this")
    only = options.parse_args().filter
    with tempfile.TemporaryDirectory(prefix="fleetflow-postgres-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        with Postgres(folder / "15", 15, fsync=False, settings=settings) as old, Postgres(folder / "18", 18, fsync=False, settings=settings) as new:
            # Both at once: each waits more than it works. Only one may use the other's server.
            with concurrent.futures.ThreadPoolExecutor() as pool:
                both = [pool.submit(check, "PostgreSQL 15", f"*{only}*-*Failover*:*IdleForTooLong*", FLEETFLOW_TEST_POSTGRES=conninfo(old), FLEETFLOW_TEST_POSTGRES_OTHER=conninfo(new)),
                        pool.submit(check, "PostgreSQL 18", f"*{only}*-*Failover*:*AnotherCluster*", FLEETFLOW_TEST_POSTGRES=conninfo(new))]
                both = [run.result() for run in both]
            if only in "PostgresLive.FailoverToAStandbyThatHasTheSlot":
                with standby_of(new, folder / "standby") as standby:
                    both.append(check("PostgreSQL 18 and its standby", "*Failover*", FLEETFLOW_TEST_POSTGRES=conninfo(new), FLEETFLOW_TEST_STANDBY=conninfo(standby)))
    passed, failed, skipped = (sum(column) for column in zip(*both))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
