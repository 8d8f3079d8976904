"""What FleetFlow does with live sources, beside Apache Flink and Debezium, in one run on one machine; one table in the end.

Starts Kafka and Postgres of its own on loopback (build/bench-live), both on the same cores as what is measured. Nothing here is a test:
no figure fails anything. What each figure means stands in docs/performance.md, "Live"; the peers' rules in bench/peers/README.md.
"""
import argparse
import os
import shutil
import sys
import time

import database
import hold
import machine
import soak
import stream

sys.path.insert(0, str(machine.root / "scripts/stack"))
from servers import Kafka, Postgres  # noqa: E402

parts = ["stream", "database", "hold"]
began = time.monotonic()


def say(text):
    print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True)


def figure(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def row(title, ours=None, flink=None, debezium=None, aim="", digits=0, is_less_better=False):
    peer = flink if flink is not None else debezium
    ratio = "-" if ours is None or peer is None else f"{peer / ours if is_less_better else ours / peer:.1f}x"
    return title, figure(ours, digits), figure(flink, digits), figure(debezium, digits), ratio, aim


def stream_rows(m):
    ours, theirs, events = m["fleetflow"], m["flink"] or {}, m["events"]
    rate = lambda f: events / f["wall_s"] if f else None  # noqa: E731
    per = lambda f, what: f[what] * 1e6 / events if f else None  # noqa: E731
    return [row("Kafka to curated, events/s", rate(ours), rate(theirs), aim="200,000; 5x"), row("  CPU µs/event, own process", per(ours, "cpu_s"), per(theirs, "cpu_s"), digits=1, is_less_better=True),
            row("  CPU µs/event, broker", per(ours, "broker_cpu_s"), digits=1), row("  peak memory, MB", ours["peak_rss_mb"], theirs.get("peak_rss_mb"), is_less_better=True)]


def database_rows(m):
    rows = []
    for what, title, aim in (("snapshot", "Postgres snapshot, rows", "500,000; 5x"), ("updates", "Postgres updates, changes", "100,000; 5x")):
        ours, theirs = m["fleetflow"][what], m["debezium"].get(what)
        rows += [row(f"{title}/CPU-s", ours["per_cpu_s"], debezium=theirs and theirs["rows"] / theirs["cpu_s"], aim=aim),
                 row(f"{title}/s", ours["rows"] / ours["wall_s"], debezium=theirs and theirs["rows"] / theirs["wall_s"]),
                 row("  peak memory, MB", ours["peak_rss_mb"], debezium=theirs and theirs["peak_rss_mb"], is_less_better=True)]
    return rows


def hold_rows(m, rate):
    events, pings = m["freshness"]["shipment_events", "curated"], m["freshness"]["gps_locations", "curated"]
    core = m["freshness"]["shipment_events", "core"]
    rows = [row(f"held {m['seconds']:.0f} s: events/s told", m["told"]["events"] / m["seconds"], aim=f"{rate:,}"), row("  pings/s told", m["told"]["gps"] / m["seconds"], aim="1,400"),
            row("  rows/s told to Postgres", (m["told"]["orders"] + m["told"]["drivers"] + m["told"]["assignments"]) / m["seconds"]),
            row("  event to curated p50, s", events[1], aim="2", digits=2), row("  event to curated p99, s", events[2], aim="5", digits=2), row("  event to core p50, s", core[1], digits=2),
            row("  event to core p99, s", core[2], digits=2), row("  ping to curated p50, s", pings[1], aim="2", digits=2), row("  ping to curated p99, s", pings[2], aim="5", digits=2),
            row("  records behind at the end", m["behind_at_end"]), row("  peak memory, MB", m["peak_rss_mb"])]
    return rows + [row(f"  cores used, {name}", cores, digits=2) for name, cores in m["cores"].items()]


def soak_rows(m, hours):
    return [row(f"soak {hours:g} h: events/s told, average", m["told"]["events"] / m["seconds"]), row("  memory, MB/h (second half, least squares)", m["slope_mb_h"], aim="0", digits=1),
            row("  peak memory, MB", m["peak_rss_mb"]), row("  records behind at the end", m["behind_at_end"]), row("  caught up after, s", m["caught_up_s"])]


def table(rows, head=("", "FleetFlow", "Flink", "Debezium", "ratio", "aim")):
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    for r in [head, *rows]:
        print("  ".join([r[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(r[1:], widths[1:]))]))


def main():
    parser = argparse.ArgumentParser(prog="./ff bench live", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, help="some of: stream (Kafka to curated), database (snapshot and updates), hold (freshness)")
    parser.add_argument("--shipments", type=int, default=50_000, help="in the topic of 'stream', of about 20 events each (50000)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="in the table of 'database' (1000000)")
    parser.add_argument("--seconds", type=int, default=300, help="how long the rate is held (300)")
    parser.add_argument("--rate", type=int, default=35_000, help="events a second held (35000), pings and rows of Postgres in proportion")
    parser.add_argument("--soak", type=float, metavar="HOURS", help="nothing but HOURS at 8,000 events a second, 35,000 in the last 12 s of each two minutes, which are a day; takes some 30 GB of disk an hour")
    parser.add_argument("--memory-limit", help="DuckDB's share in a soak (the service's own default)")
    parser.add_argument("--skip-peers", action="store_true", help="neither Flink nor Debezium")
    words = parser.parse_args()
    if words.soak:
        words.only = []
    folder = machine.root / "build/bench-live"
    shutil.rmtree(folder, ignore_errors=True)
    rows, load = [], os.getloadavg()[0]

    def in_folder(name, measure):
        """A part has servers and a folder of its own, gone when it is done."""
        say(f"== {name}")
        place = folder / name
        place.mkdir(parents=True)
        with Kafka(place / "kafka") as kafka, Postgres(place / "postgres", settings={"max_wal_size": "8GB"}) as postgres:
            measured = measure(place, kafka, postgres)
        shutil.rmtree(place)
        return measured

    if "stream" in words.only:
        rows += stream_rows(in_folder("stream", lambda place, kafka, _: stream.measure(place, kafka, words.shipments, not words.skip_peers, say)))
    if "database" in words.only:
        rows += database_rows(in_folder("database", lambda _, kafka, postgres: database.measure(kafka, postgres, words.rows, not words.skip_peers, say)))
    if "hold" in words.only:
        rows += hold_rows(in_folder("hold", lambda place, kafka, postgres: hold.play(place, kafka, postgres, words.rate, words.seconds, say)), words.rate)
    if words.soak:
        day_s = 120  # one day's orders after the other: as many lives begin as end
        diary = soak.Diary(say)
        measured = in_folder("soak", lambda place, kafka, postgres: hold.play(place, kafka, postgres, 8000, int(words.soak * 3600), say, burst=(35_000, 12, day_s), retention_ms=1_800_000,
                                                                              days=max(1, round(words.soak * 3600 / day_s)), memory_limit=words.memory_limit, diary=diary))
        rows += soak_rows(measured, words.soak)
        table(diary.rows, soak.heads)
    print(f"\n{machine.words()}; load before {load:.1f}, now {os.getloadavg()[0]:.1f}\n{machine.versions()}\n./ff bench live {' '.join(sys.argv[1:])}\n")
    table(rows)


if __name__ == "__main__":
    main()
