"""The broker, the topics, the readers and their lake that the checks are told with."""
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "scripts/stack"))
from servers import Kafka  # noqa: E402
from server import free_ports, run  # noqa: E402

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition  # noqa: E402

programs = root / "build/release/bin"
password = "a-secret-of-this-test"
count = int(os.environ.get("FLEETFLOW_KAFKA_RECORDS", "20000"))
seed = int(os.environ.get("FLEETFLOW_SEED", str(random.randrange(1 << 30))))
rng = random.Random(seed)


class Cluster(Kafka):
    """Beside the listeners of servers.py one with SASL (SCRAM, unsecured OAUTHBEARER that ends with its token) and one with TLS that asks for a client certificate.
    Who comes without a name may do all; what no ACL speaks of everybody may."""

    def set_up(self):
        self.sasl_port, self.tls_port = free_ports(2)
        super().set_up()
        text = self.configuration.read_text()
        more = f",SASL://127.0.0.1:{self.sasl_port},TLS://127.0.0.1:{self.tls_port}"
        text = re.sub(r"^(listeners=.*|advertised.listeners=.*)$", lambda m: m[0] + more, text, flags=re.M)
        text = re.sub(r"^(listener.security.protocol.map=.*)$", r"\1,SASL:SASL_PLAINTEXT,TLS:SSL", text, flags=re.M)
        text += f"""
message.max.bytes=4000000
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
listener.name.sasl.sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
listener.name.sasl.oauthbearer.connections.max.reauth.ms=3600000
listener.name.tls.ssl.keystore.type=PEM
listener.name.tls.ssl.keystore.location={self.folder}/server.pem
listener.name.tls.ssl.truststore.type=PEM
listener.name.tls.ssl.truststore.location={self.folder}/ca.pem
listener.name.tls.ssl.client.auth=required
"""
        self.configuration.write_text(text)
        self.certificates()
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        scram = [w for n in ("256", "512") for w in ("--add-scram", f"SCRAM-SHA-{n}=[name=reader,password={password}]")]
        run(self.java("kafka.tools.StorageTool", "format", "--cluster-id", self.cluster_id, "--config", self.configuration, *scram))

    def certificates(self):
        def openssl(*words):
            run(["openssl", *words])
        f = self.folder
        for authority in ("ca", "other"):
            openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=test authority {authority}", "-keyout", f / f"{authority}.key", "-out", f / f"{authority}.pem")
        for who in ("server", "client"):
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={who}", "-keyout", f / f"{who}.key", "-out", f / f"{who}.csr")
            (f / "names").write_text("subjectAltName=IP:127.0.0.1")
            openssl("x509", "-req", "-in", f / f"{who}.csr", "-CA", f / "ca.pem", "-CAkey", f / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f / "names", "-out", f / f"{who}.crt")
        (f / "server.pem").write_text((f / "server.key").read_text() + (f / "server.crt").read_text())

    def delete_topic(self, topic):
        admin = self.admin()
        admin.delete_topics([topic], operation_timeout=30)[topic].result(30)
        until = time.monotonic() + 20
        while topic in admin.list_topics(timeout=10).topics and time.monotonic() < until:
            time.sleep(0.1)

    def grow_topic(self, topic, partitions):
        from confluent_kafka.admin import NewPartitions
        admin = self.admin()
        admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(30)
        until = time.monotonic() + 20
        while len(admin.list_topics(topic, timeout=10).topics[topic].partitions) < partitions and time.monotonic() < until:
            time.sleep(0.1)

    def deny(self, user, operation, topic):
        from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType
        acl = AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{user}", "*", AclOperation[operation], AclPermissionType.DENY)
        admin = self.admin()
        for future in admin.create_acls([acl]).values():
            future.result(30)

    def forget_before(self, topic, partition, offset):
        """As retention does: the log begins at `offset`."""
        wanted = TopicPartition(topic, partition, offset)
        admin = self.admin()
        for future in admin.delete_records([wanted]).values():
            future.result(30)

    def committed(self, group, topic):
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group})
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        offsets = {p.partition: p.offset for p in consumer.committed([TopicPartition(topic, n) for n in partitions], timeout=30)}
        consumer.close()
        return offsets

    def commit_all(self, group, topic):
        """The group's offsets say that it has read all there is; that is taken once nobody is in it."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group})
        ends = [TopicPartition(topic, n) for n in consumer.list_topics(topic, timeout=30).topics[topic].partitions]
        for end in ends:
            end.offset = consumer.get_watermark_offsets(end, timeout=30)[1]
        until = time.monotonic() + 20
        while True:
            try:
                consumer.commit(offsets=ends, asynchronous=False)
                break
            except KafkaException:
                assert time.monotonic() < until, f"{group} does not end"
                time.sleep(0.2)
        consumer.close()


def wait_until_held(readers, counts, seconds=40):
    """Each of these partitions is read by one reader, and no reader has more than one number above its share."""
    wanted = sorted(f"kafka:{topic}/{n}" for topic, count in counts.items() for n in range(count))
    until = time.monotonic() + seconds
    while True:
        held = [r.held() for r in readers]
        shares = [len(h) for h in held]
        if sorted(name for h in held for name in h) == wanted and max(shares) - min(shares) <= len(counts):
            return
        assert time.monotonic() < until, f"not shared out within {seconds} s: {held}\n" + "\n".join(r.text()[-800:] + r.log()[-400:] for r in readers)
        time.sleep(0.1)


now = int(time.time())


def event(i):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 60))
    return json.dumps({"event_id": f"e{i}", "shipment_id": f"S{i % 997}", "status": "picked_up", "event_time": at, "driver_id": f"D{i % 50}"})


def contract(folder, topic, form="json", headers=()):
    """The product's own contract for events, as a topic."""
    text = (root / "contracts/events.yaml").read_text()
    server = {"server": "cluster", "type": "kafka", "host": "localhost:9092", "format": form,
              "customProperties": [{"property": "topic", "value": topic}, {"property": "headers", "value": list(headers)}]}
    text = re.sub(r"servers:\n(  .*\n)+", "servers: [" + json.dumps(server) + "]\n", text).replace("id: events", f"id: {topic}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{topic}.yaml").write_text(text)
    return folder


class Topic:
    def __init__(self, kafka, name, partitions=8, **settings):
        self.kafka, self.name, self.partitions = kafka, name, partitions
        self.sent = collections.Counter()  # event ids
        kafka.make_topic(name, partitions, retention_ms=-1, **settings)
        self.start()

    def start(self):
        self.producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "acks": "all", "linger.ms": 5, "message.max.bytes": 4000000, "log_level": 0})

    def send(self, first, count, flush=True):
        for i in range(first, first + count):
            self.producer.produce(self.name, key=f"S{i % 997}", value=event(i))
            self.producer.poll(0)
            self.sent[f"e{i}"] += 1
        if flush:
            assert self.producer.flush(60) == 0

    def grow(self, partitions):
        self.kafka.grow_topic(self.name, partitions)
        self.start()  # the old one would not know of them yet

    def send_to_each(self, first, partitions):
        """One record to each of these partitions; the number of the next."""
        for i, partition in enumerate(partitions, first):
            self.send_raw(event(i), partition)
            self.sent[f"e{i}"] += 1
        return first + len(partitions)

    def send_raw(self, value, partition=0, **more):
        self.producer.produce(self.name, value=value, partition=partition, **more)
        assert self.producer.flush(30) == 0


class Lake:
    def __init__(self, path):
        self.path = path

    def read(self):
        text = self.path.read_text() if self.path.exists() else ""
        text = text[: text.rfind("\nC\n") + 3] if "\nC\n" in text else ""
        self.records, self.marks = [], {}
        for line in text.splitlines():
            words = line.split(" ", 6)
            if words[0] == "R":
                self.records.append(dict(zip(("partition", "position", "outcome", "id", "ingest_time", "headers"), words[1:])))
            elif words[0] == "M":
                self.marks[words[1]] = (int(words[2]), " ".join(words[3:]))
        return self

    def wait_for(self, count, reader, seconds=60):
        until = time.monotonic() + seconds
        while len(self.read().records) < count:
            assert time.monotonic() < until and reader.process.poll() is None, f"{len(self.records)} of {count}\n{reader.text()[-1500:]}\n{reader.log()[-800:]}"
            time.sleep(0.2)

    def wait_for_mark(self, partition, position, reader, seconds=60):
        until = time.monotonic() + seconds
        while self.read().marks.get(partition, (0,))[0] != position:
            assert time.monotonic() < until and reader.process.poll() is None, f"{self.marks}, not {position}\n{reader.text()[-1500:]}\n{reader.log()[-800:]}"
            time.sleep(0.1)

    def check_once(self, *topics):
        """Every record sent to these is in exactly once, no position twice, and in each partition they stand in order."""
        self.read()
        last = collections.defaultdict(int)
        for r in self.records:
            position = int(r["position"])
            assert position > last[r["partition"]], f"{r['partition']}: {position} after {last[r['partition']]}"
            last[r["partition"]] = position
        got = collections.Counter(r["id"] for r in self.records)
        sent = sum((t.sent for t in topics), collections.Counter())
        missing, extra = sent - got, got - sent
        assert not missing and not extra, f"missing {sum(missing.values())} {list(missing)[:3]}, extra {sum(extra.values())} {list(extra)[:3]}"


class Reader:
    def __init__(self, kafka, contracts, lake=None, group="fleetflow", bootstrap=None, **words):
        self.out = open(os.memfd_create("out"), "w+")
        self.err = open(os.memfd_create("err"), "w+")
        words = {"brokers": bootstrap or kafka.bootstrap, "group": group, "contracts": contracts, **({"lake": lake.path} if lake else {}),
                 "property.session.timeout.ms": 6000, "property.heartbeat.interval.ms": 1000, "property.reconnect.backoff.max.ms": 1000, **words}
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", str(programs / "kafka_reader"), *(f"{k}={v}" for k, v in words.items())], stdout=self.out, stderr=self.err)

    def text(self):
        return os.pread(self.out.fileno(), 1 << 24, 0).decode()

    def log(self):
        return os.pread(self.err.fileno(), 1 << 24, 0).decode()

    def held(self):
        """The partitions that it reads, by what it said."""
        held = set()
        for word, name in re.findall(r"^(BEGIN|REVOKED) (\S+)", self.text(), re.M):
            held = held | {name} if word == "BEGIN" else held - {name}
        return held

    def numbers(self, topic):
        return {int(n) for t, n in (name.split(":")[1].split("/") for name in self.held()) if t == topic}

    def wait_for(self, pattern, seconds=40):
        until = time.monotonic() + seconds
        while not re.search(pattern, self.text(), re.M):
            assert time.monotonic() < until, f"no /{pattern}/ within {seconds} s; it said:\n{self.text()[-1500:]}\n{self.log()[-1500:]}"
            assert self.process.poll() is None or re.search(pattern, self.text(), re.M), f"ended ({self.process.returncode}) without /{pattern}/:\n{self.text()[-1500:]}\n{self.log()[-1500:]}"
            time.sleep(0.05)
        return self

    def end(self, seconds=60):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"did not end within {seconds} s:\n{self.text()[-1500:]}\n{self.log()[-1500:]}")
        return self.process.returncode

    def done(self, seconds=60):
        """It ended well; its figures."""
        assert self.end(seconds) == 0, f"exit {self.process.returncode}:\n{self.text()[-1500:]}\n{self.log()[-1500:]}"
        return json.loads(re.search(r"^DONE (.*)$", self.text(), re.M)[1])

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.done()

    def kill(self):
        self.process.kill()
        self.process.wait()
