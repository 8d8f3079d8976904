"""What the peers' runners share: compiling a main against pinned jars, and saying what was measured."""
import pathlib
import subprocess

root = pathlib.Path(__file__).resolve().parents[2]
deps = root / ".deps"


def compiled(name, part):
    """The folder with the classes of bench/peers/NAME.java, compiled if it changed."""
    source, classes = root / f"bench/peers/{name}.java", root / "build/peers" / name
    made = classes / f"{name}.class"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        classes.mkdir(parents=True, exist_ok=True)
        subprocess.run(["javac", "-nowarn", "-cp", f"{deps}/{part}/*", "-d", classes, source], check=True)
    return classes


def say(what, rows, measured):
    more = {k: v for k, v in measured.items() if k not in ("wall_s", "cpu_s", "peak_rss_mb", "pass")}
    print(f"{what}; pass {measured['pass']}: {rows:,} rows in {measured['wall_s']:.1f} s = {rows / measured['wall_s']:,.0f} rows/s; {measured['cpu_s']:.1f} CPU s = "
          f"{rows / measured['cpu_s']:,.0f} rows/CPU-s; peak {measured['peak_rss_mb']} MB; {more}", flush=True)
