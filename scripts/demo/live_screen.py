"""What a running FleetFlow does, once a second, as text: records in, how soon they are visible, what the tables say.

    live_screen.py --metrics http://127.0.0.1:9464/metrics --lake FOLDER [--seconds N]

Rates and times come from two pages of /metrics, as a monitoring system would take them: of the last ten seconds. Tables come from
read-only SQL (`fleetflow query`), which asks the running engine. On a terminal the screen is drawn in place; elsewhere one
screen follows the other. Ends with the service, or after --seconds.
"""
import argparse
import collections
import csv
import io
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

root = pathlib.Path(__file__).resolve().parents[2]
window = 10  # seconds
sample = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
label = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def read_metrics(url):
    """(name, labels) -> value."""
    values = {}
    with urllib.request.urlopen(url, timeout=5) as page:
        for line in page.read().decode().splitlines():
            found = sample.match(line)
            if found:
                values[found[1], frozenset(label.findall(found[2] or ""))] = float(found[3])
    return values


class Page:
    """The newest metrics beside those of some seconds ago."""

    def __init__(self, old, new, seconds):
        self.old, self.new, self.seconds = old, new, max(seconds, 1e-9)

    def sums(self, name, by, **where):
        """Increase over the time between, summed by one label (None: all)."""
        out = collections.Counter()
        for (n, labels), value in self.new.items():
            words = dict(labels)
            if n == name and all(words.get(k) == v for k, v in where.items()):
                out[words.get(by) if by else None] += value - self.old.get((n, labels), 0)
        return out

    def rates(self, name, by=None, **where):
        return {key: count / self.seconds for key, count in self.sums(name, by, **where).items()}

    def gauge(self, name):
        return [value for (n, _), value in self.new.items() if n == name]

    def quantiles(self, name, *wanted, **where):
        """The upper bounds of the buckets in which they lie; None: nothing was counted."""
        buckets = sorted((float("inf") if le == "+Inf" else float(le), count) for le, count in self.sums(name + "_bucket", "le", **where).items())
        total = buckets[-1][1] if buckets else 0
        return [next((le for le, count in buckets if count >= q * total), None) if total else None for q in wanted]


def ask(program, lake, sql):
    done = subprocess.run([program, "query", "--lake", lake, "--format", "csv", sql], capture_output=True, text=True)
    return list(csv.DictReader(io.StringIO(done.stdout))) if done.returncode == 0 else None


status_sql = """select current_status as status, count(*) as n from core.shipments group by all order by n desc, status limit 9"""
sla_sql = """select sla_status as status, count(*) as n from curated.shipment_sla group by all order by n desc, status"""
finding_sql = """select check_name as status, count(*) as n from ops.findings group by all order by n desc, status limit 6"""


def bound(seconds):
    return "more" if seconds == float("inf") else "-" if seconds is None else f"{seconds:.1f} s" if seconds >= 0.1 else f"{1000 * seconds:.0f} ms"


def row(title, rows):
    if rows is None:
        return f"{title:10} the tables do not answer"
    return f"{title:10} " + ("   ".join(f"{r['status']} {int(r['n']):,}" for r in rows) or "none yet")


def screen(page, tables):
    taken = page.rates("fleetflow_records_total", "source", stage="decode")
    p50, p99 = page.quantiles("fleetflow_e2e_latency_seconds", 0.5, 0.99)
    marks = [now for now in page.gauge("fleetflow_watermark_timestamp_seconds") if now > 0]
    commit50, = page.quantiles("fleetflow_commit_seconds", 0.5)
    lag, database_lag = page.gauge("fleetflow_kafka_lag_records"), page.gauge("fleetflow_cdc_lag_seconds")
    depth = page.gauge("fleetflow_dlq_depth")
    memory = page.gauge("process_resident_memory_bytes")
    return [
        f"FleetFlow, live   {time.strftime('%H:%M:%S', time.gmtime())} UTC",
        "",
        f"{'in':10} {sum(taken.values()):,.0f} records/s:  " + "   ".join(f"{source} {rate:,.0f}" for source, rate in sorted(taken.items())),
        f"{'lag':10} Kafka {sum(lag):,.0f} records" + (f", Postgres {max(database_lag):.1f} s" if database_lag else ""),
        f"{'visible':10} half within {bound(p50)}, 99 of 100 within {bound(p99)} of being heard of (promised: 180 s)",
        f"{'newest':10} " + (f"what the sources said {time.time() - max(marks):.1f} s ago is in the tables" if marks else "nothing yet"),
        f"{'commits':10} {sum(page.rates('fleetflow_commits_total', None, result='ok').values()):.1f}/s, half within {bound(commit50)}",
        f"{'machine':10} {sum(page.rates('process_cpu_seconds_total').values()):.2f} of a core, {max(memory, default=0) / 2**20:,.0f} MB",
        "",
        row("shipments", tables[0]),
        row("promises", tables[1]),
        row("findings", tables[2]),
        f"{'refused':10} {max(depth, default=0):,.0f} records in quarantine",
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--metrics", default="http://127.0.0.1:9464/metrics")
    parser.add_argument("--lake", required=True)
    parser.add_argument("--program", default=os.environ.get("FLEETFLOW", str(root / "build/release/bin/fleetflow")))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    words = parser.parse_args()
    pages, started, answered = collections.deque(), time.monotonic(), False
    while time.monotonic() - started < words.seconds:
        tick = time.monotonic()
        try:
            pages.append((tick, read_metrics(words.metrics)))
            answered = True
        except OSError:
            if answered:
                print("the service does not answer any more")
                return 0
            if tick - started > 60:
                print(f"nothing answers at {words.metrics}", file=sys.stderr)
                return 1
            time.sleep(0.5)
            continue
        while pages[-1][0] - pages[0][0] > window:
            pages.popleft()
        tables = [ask(words.program, words.lake, sql) for sql in (status_sql, sla_sql, finding_sql)]
        lines = screen(Page(pages[0][1], pages[-1][1], pages[-1][0] - pages[0][0]), tables)
        if sys.stdout.isatty():
            sys.stdout.write("\033[H\033[J")
        print("\n".join(lines) + ("" if sys.stdout.isatty() else "\n"), flush=True)
        time.sleep(max(0.0, 1 - (time.monotonic() - tick)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        pass
