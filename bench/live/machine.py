"""What ran on what: CPU and memory by process from /proc, and the words that every figure needs beside it."""
import os
import pathlib
import platform
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "scripts/stack"))
from server import family  # noqa: E402

ticks = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """User and system seconds of a process, all below it, and those of them that have ended."""
    total = 0
    for member in family(pid):
        try:
            words = pathlib.Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has just ended; its parent counts it.
        total += sum(map(int, words[11:15]))
    return total / ticks


def rss_mb(pid, what="VmRSS"):
    """Resident now, or at most so far (VmHWM)."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def words():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "-C", root, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run(["git", "-C", root, "status", "--porcelain", "src", "models"], capture_output=True, text=True).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return f"commit {commit}{' and changes' if changed else ''}; {cpu}, {os.cpu_count()} cores, {memory} GB, {platform.system()} {platform.release()}"


def versions():
    java = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.splitlines()[0].replace('"', "")
    postgres = subprocess.run(["/usr/lib/postgresql/15/bin/postgres", "--version"], capture_output=True, text=True).stdout.split()[2]
    kafka = next((jar.stem.rpartition("-")[2] for jar in (root / ".deps/kafka").glob("kafka-clients-*.jar")), "?")
    return f"Kafka {kafka}, PostgreSQL {postgres}, Flink 2.2.1, Debezium 3.6.1 embedded, {java}"


def peer(measure, say):
    """A peer's last pass; None, and why, if it ends: what was measured of ours stays."""
    try:
        return measure()[-1]
    except SystemExit as e:
        say(f"the peer failed: {e}")
