"""One small world into two lakes, a DuckDB file and an Iceberg REST catalog (SeaweedFS), and every table compared.

A line too broken to say when it was heard of has the time of its file, which two runs do not share: this world has none.
Both lakes take the world in two steps of as_of and in several commits, so that appends, deletes and replaced groups all
happen on both. The rows must be the same; audit columns (which differ by nature between two runs) are left out.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import duckdb

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "scripts/stack"))
from server import free_ports  # noqa: E402

program = os.environ.get("FLEETFLOW", root / "build/release/bin/fleetflow")
weed = root / ".deps/venv-seaweed/bin/weed"
extensions = root / ".deps/duckdb/iceberg/extensions/v1.5.5/linux_amd64"
user, secret = "fleet", "fleetsecret"
steps = ["2026-03-02T15:00:00Z", "2026-03-04T00:00:00Z"]
audit = {"source", "partition", "position", "publish_seq", "contract", "contract_version"}
schemas = ("core", "curated")


class Catalog:
    """A SeaweedFS with one table bucket, on loopback only."""

    def __init__(self, folder):
        names = ["master.port", "volume.port", "filer.port", "master.port.grpc", "volume.port.grpc", "filer.port.grpc",
                 "s3.port", "s3.port.grpc", "s3.port.iceberg", "admin.port", "admin.port.grpc"]
        ports = dict(zip(names, free_ports(len(names))))
        self.s3, self.iceberg = ports["s3.port"], ports["s3.port.iceberg"]
        self.log = open(folder / "weed.log", "w")
        self.process = subprocess.Popen(
            [weed, "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-bucket=lake", "-tableBucket=warehouse", "-s3.port.lance=0",
             "-webdav=false", "-master.telemetry=false", *(f"-{name}={port}" for name, port in ports.items())],
            env={**os.environ, "AWS_ACCESS_KEY_ID": user, "AWS_SECRET_ACCESS_KEY": secret}, stdout=self.log, stderr=self.log)

    def wait(self, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.iceberg}/v1/config?warehouse=s3://warehouse", timeout=2):
                    return
            except urllib.error.HTTPError as e:
                if e.code != 404:
                    return  # It answers, if only that one has to log in; 404: the bucket is not there yet.
            except OSError:
                pass
            time.sleep(0.5)
        raise SystemExit(f"SeaweedFS did not answer within {seconds} s; its log: {self.log.name}")

    def prepare(self):
        """Statements that make a DuckDB connection able to attach the catalog."""
        return [*(f"load '{extensions}/{name}.duckdb_extension'" for name in ("avro", "httpfs", "iceberg")),
                f"create secret store (type s3, key_id '{user}', secret '{secret}', endpoint '127.0.0.1:{self.s3}', use_ssl false, url_style 'path', region 'us-east-1')",
                f"create secret catalog (type iceberg, client_id '{user}', client_secret '{secret}', endpoint 'http://127.0.0.1:{self.iceberg}', "
                f"oauth2_server_uri 'http://127.0.0.1:{self.iceberg}/v1/oauth/tokens')"]

    def attach(self):
        return f"attach 's3://warehouse' as lake (type iceberg, read_only false, endpoint 'http://127.0.0.1:{self.iceberg}', secret catalog, access_delegation_mode 'none')"


def run(world, lake, *more):
    for as_of in steps:
        done = subprocess.run([program, "run", "--quiet", "--input", world, "--lake", lake, "--as-of", as_of, "--batch-records", "4000", *more], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"fleetflow run into {lake}: exit {done.returncode}\n{done.stderr}")


def compare(con, one, other):
    """Every table of core and curated, and the findings, of two attached lakes: how many are equal, how many differ."""
    passed = failed = 0
    tables = con.execute(f"select schema_name, table_name from duckdb_tables() where database_name = '{one}' and schema_name in ('core', 'curated') "
                         "union all select 'ops', 'findings' union all select 'curated', 'exception_report' order by all").fetchall()
    for schema, table in tables:
        columns = [c[0] for c in con.execute(f"describe {one}.{schema}.{table}").fetchall() if c[0] not in audit]
        if (schema, table) in {("curated", "pipeline_freshness")}:
            continue  # Its subject is the run itself.
        rows = [sorted(con.execute(f"select {', '.join(columns)} from {name}.{schema}.{table}").fetchall(), key=repr) for name in (one, other)]
        ok = rows[0] == rows[1]
        passed, failed = passed + ok, failed + (not ok)
        print(f"{'ok     ' if ok else 'DIFFERS'} {schema}.{table}: {len(rows[0])} rows in the {one}, {len(rows[1])} in the {other}")
        if not ok:
            print(*(f"         only in the {name}: {row}" for name, a, b in ((one, *rows), (other, *rows[::-1])) for row in [r for r in a if r not in b][:3]), sep="\n")
    return passed, failed


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="fleetflow-iceberg-") as folder:
        folder = pathlib.Path(folder)
        (folder / "s3").mkdir()
        catalog = Catalog(folder / "s3")
        try:
            subprocess.run([program, "simulate", "--shipments", "300", "--seed", "11", *(w for f in ("corrupt_line", "corrupt_driver", "cut_file", "empty_file") for w in ("--fault", f + "=0")), "--out", folder / "world"], check=True, stdout=subprocess.DEVNULL)
            run(folder / "world", folder / "file")
            catalog.wait()
            start = time.monotonic()
            run(folder / "world", folder / "iceberg", "--lake-attach", catalog.attach(), *(w for s in catalog.prepare() for w in ("--lake-prepare", s)))
            print(f"into Iceberg in {time.monotonic() - start:.1f} s")
            con = duckdb.connect()
            for statement in [*catalog.prepare(), catalog.attach(), f"attach '{folder / 'file' / 'lake.duckdb'}' as file (read_only)"]:
                con.execute(statement)
            passed, failed = compare(con, "file", "lake")
        finally:
            catalog.process.terminate()
            catalog.process.wait()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
