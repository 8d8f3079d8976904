"""Puts the lines of NDJSON files into a topic in their order, keyed by a member; says how many. The same topic for every peer.

load_topic.py BOOTSTRAP TOPIC KEY_MEMBER FILE...
"""
import re
import sys
import time

from confluent_kafka import Producer


def main():
    bootstrap, topic, member, *files = sys.argv[1:]
    key_of = re.compile(f'"{member}":"([^"]*)"'.encode())
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 20, "batch.size": 1 << 18, "partitioner": "murmur2_random", "queue.buffering.max.messages": 500_000, "log_level": 0})
    count, started = 0, time.monotonic()
    for name in files:
        with open(name, "rb") as lines:
            for line in lines:
                line = line.rstrip(b"\n")
                found = key_of.search(line)
                while True:
                    try:
                        producer.produce(topic, value=line, key=found[1] if found else None)
                        break
                    except BufferError:
                        producer.poll(0.1)
                count += 1
                if count % 10_000 == 0:
                    producer.poll(0)
    left = producer.flush(120)
    if left:
        raise SystemExit(f"{left} records could not be produced")
    print(f"{count} records in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
