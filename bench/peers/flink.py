"""Apache Flink on a topic of shipment events: bench/peers/FlinkPeer.java, measured.

flink.py BOOTSTRAP TOPIC [PASSES]   (the last of 3 passes counts; the others warm the JVM up)
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from confluent_kafka import Consumer, TopicPartition

from peer import compiled, deps, say


def rows_in(bootstrap, topic):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "count", "log_level": 0})
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    marks = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30) for p in partitions]
    consumer.close()
    return sum(high - low for low, high in marks)


def measure(bootstrap, topic, passes=3):
    """A line of FlinkPeer a pass, with `rows`, the records of the topic."""
    rows = rows_in(bootstrap, topic)
    classes = compiled("FlinkPeer", "flink")
    with tempfile.TemporaryDirectory(prefix="fleetflow-flink-") as work:
        log = pathlib.Path(work) / "log"
        opens = [word for p in ("java.util", "java.lang", "java.time") for word in ("--add-opens", f"java.base/{p}=ALL-UNNAMED")]
        done = subprocess.run(["java", "-Xmx2g", *opens, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{classes}:{deps}/flink/*", "FlinkPeer", bootstrap, topic, work, str(passes)],
                              stdout=subprocess.PIPE, stderr=log.open("w"), text=True)
        if done.returncode != 0:
            raise SystemExit(f"FlinkPeer: exit {done.returncode}\n{done.stdout}{log.read_text()[-3000:]}")
    return [{**json.loads(line), "rows": rows} for line in done.stdout.splitlines()]


def main():
    bootstrap, topic, *words = sys.argv[1:]
    for measured in measure(bootstrap, topic, *words):
        say("Flink 2.2.1, RocksDB, exactly-once every 1 s, answer counted but not stored", measured.pop("rows"), measured)


if __name__ == "__main__":
    main()
