"""Postgres: a table read by snapshot and by its changes, by us and by Debezium, the same rows and the same updates.

Ours is bench/postgres_bench.cpp (decoded to facts and handed out, nothing behind it); Debezium's embedded engine writes JSON to a topic.
"""
import re
import subprocess
import sys

from machine import peer, root

sys.path.insert(0, str(root / "bench/peers"))
import debezium  # noqa: E402

line = re.compile(r"(snapshot|updates|inserts|deletes) +(\d+) records +([\d.]+) s +(\d+) /s +(\d+) per CPU s here +(\d+) per CPU s of the server's +peak (\d+) MB")


def fleetflow(postgres, rows):
    """what -> records, wall_s, per_cpu_s, per_server_cpu_s, peak_rss_mb"""
    done = subprocess.run([root / "build/release/bin/postgres_bench", postgres.dsn, str(rows)], cwd=root, capture_output=True, text=True)
    found = {what: {"rows": int(n), "wall_s": float(wall), "per_cpu_s": int(here), "per_server_cpu_s": int(server), "peak_rss_mb": int(mb)} for what, n, wall, _, here, server, mb in line.findall(done.stdout)}
    assert done.returncode == 0 and {"snapshot", "updates"} <= found.keys(), f"postgres_bench: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return found


def measure(kafka, postgres, rows, with_peers, say):
    ours = fleetflow(postgres, rows)
    for what in ("snapshot", "updates"):
        say(f"FleetFlow {what}: {ours[what]['rows']:,} in {ours[what]['wall_s']:.1f} s, {ours[what]['per_cpu_s']:,} a CPU second, {ours[what]['per_server_cpu_s']:,} a CPU second of the server's sender")
    theirs = {}
    if with_peers:
        say("Debezium reads the table three times, then the updates three times; the last one counts")
        theirs["snapshot"] = peer(lambda: debezium.measure("snapshot", postgres.port, "orders", kafka.bootstrap), say)
        debezium.make_slots(debezium.database(postgres.port))
        postgres.sql(f"do $$ begin for i in 1..{rows} loop update orders set destination_hub = 'HUB1' where order_ref = 'R' || i; if i % 1000 = 0 then commit; end if; end loop; end $$")
        theirs["updates"] = peer(lambda: debezium.measure("changes", postgres.port, "orders", kafka.bootstrap, rows), say)
        for what, m in ((what, m) for what, m in theirs.items() if m):
            say(f"Debezium {what}: {m['rows']:,} in {m['wall_s']:.1f} s, {m['rows'] / m['cpu_s']:,.0f} a CPU second")
    return {"fleetflow": ours, "debezium": theirs}
