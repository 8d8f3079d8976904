"""Apache Kafka: one broker (servers.py)."""
import socket

from gate import Gate
from server import Server, accepts, deps, free_ports, run


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
        # A broker that was killed is let in again when its old session has ended: 9 s, unless told otherwise.
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
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
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
            run(self.java("-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format", "--cluster-id", self.cluster_id, "--config", self.configuration))

    def java(self, *words):
        return ["java", f"-Xmx{self.heap}", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{deps}/kafka/*", *map(str, words)]

    def command(self):
        return self.java("kafka.Kafka", self.configuration)

    def is_ready(self):
        """It answers a client's first question: which requests it knows (ApiVersions, v0)."""
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
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

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
