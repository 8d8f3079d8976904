"""What stands on a topic, and what no longer does: poison, transactions, gaps."""
import time

from confluent_kafka import Producer

from world import Lake, Reader, Topic, contract, count, event, now


def poison_is_refused_in_its_place(kafka, folder):
    topic, lake = Topic(kafka, "poison", partitions=1, max_message_bytes=3000000), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name, headers=["traceparent"])
    values = [event(1), b"\x00\xff garbage", None, b"", event(2)[:30], event(3).replace("picked_up", "stolen"), "x" * 2_000_000, "[]", event(4)]
    for value in values:
        topic.send_raw(value, timestamp=now * 1000 + 123, headers=[("traceparent", "00-abc"), ("driver_phone", "555-1234")])
    Reader(kafka, contracts, lake, group="poison", records=len(values)).done()
    records = lake.read().records
    assert [r["outcome"] for r in records] == ["fact", "malformed_record", "tombstone", "malformed_record", "malformed_record", "unmapped_status", "oversized_record", "malformed_record", "fact"], records
    assert [int(r["position"]) for r in records] == list(range(1, 10))
    assert all(r["ingest_time"] == f"{now}123000" and r["headers"] == '{"traceparent":"00-abc"}' for r in records), records


def of_transactions_only_what_was_committed_is_read(kafka, folder):
    topic, lake = Topic(kafka, "shop", partitions=1), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": "shop", "log_level": 0})
    producer.init_transactions(30)

    def transaction(first, count, is_committed):
        producer.begin_transaction()
        for i in range(first, first + count):
            producer.produce(topic.name, value=event(i))
            topic.sent[f"e{i}"] += is_committed
        assert producer.flush(30) == 0
        (producer.commit_transaction if is_committed else producer.abort_transaction)(30)
        return time.time()

    transaction(0, 10, True)
    transaction(10, 10, False)
    transaction(20, 5, True)
    reader = Reader(kafka, contracts, lake, group="shop", commit_ms=50)
    lake.wait_for_mark("kafka:shop/0", 28, reader)  # the third marker has offset 27
    ended_at = transaction(25, 5, False)
    lake.wait_for_mark("kafka:shop/0", 34, reader)
    figures = reader.terminate()
    assert figures["lag"] == 0 and figures["heard_until"] > ended_at * 1e6, figures
    kafka.forget_before("shop", 0, 34)  # nothing that could be read lies between the mark and there
    reader = Reader(kafka, contracts, lake, group="shop", commit_ms=50)
    transaction(30, 1, True)
    lake.wait_for_mark("kafka:shop/0", 36, reader)
    reader.terminate()
    lake.check_once(topic)


def a_topic_made_anew_is_not_read_on(kafka, folder):
    topic, lake = Topic(kafka, "anew", partitions=2), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    topic.send(0, 100)
    running = Reader(kafka, contracts, lake, group="anew").wait_for("^BEGIN")
    lake.wait_for(100, running, 20)
    kafka.delete_topic("anew")
    again = Topic(kafka, "anew", partitions=2)
    again.send(1000, 500)  # longer than the one before: the marks lie within it
    assert running.end(60) == 4 and "kafka_gap" in running.text() and "made anew" in running.text(), running.text()
    reader = Reader(kafka, contracts, lake, group="anew")
    assert reader.end() == 4
    assert "ERROR halt kafka_gap kafka:anew/" in reader.text() and "made anew" in reader.text(), reader.text()


def what_retention_took_is_a_gap(kafka, folder):
    topic, lake = Topic(kafka, "retention", partitions=1), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    topic.send(0, 100)
    Reader(kafka, contracts, lake, group="retention", records=100).done()
    topic.send(100, 200)
    kafka.forget_before("retention", 0, 150)
    reader = Reader(kafka, contracts, lake, group="retention")
    assert reader.end() == 4
    for words in ("ERROR halt kafka_gap kafka:retention/0", "mark is 100", "150 to 300", "go_on_behind kafka:retention/0 = 150"):
        assert words in reader.text(), reader.text()
    assert len(lake.read().records) == 100
    Reader(kafka, contracts, lake, group="retention", records=150, **{"behind.kafka:retention/0": 150}).done()
    assert [int(r["position"]) for r in lake.read().records] == [*range(1, 101), *range(151, 301)]


def a_mark_beyond_the_end_is_a_gap(kafka, folder):
    topic, lake = Topic(kafka, "beyond", partitions=1), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    topic.send(0, 10)
    lake.path.write_text("M kafka:beyond/0 500 \nC\n")
    reader = Reader(kafka, contracts, lake, group="beyond")
    assert reader.end() == 4
    assert "kafka_gap" in reader.text() and "0 to 10" in reader.text(), reader.text()


CHECKS = [("poison is refused in its place", poison_is_refused_in_its_place),
          ("of transactions only what was committed is read", of_transactions_only_what_was_committed_is_read),
          ("a topic made anew is not read on", a_topic_made_anew_is_not_read_on),
          ("what retention took is a gap", what_retention_took_is_a_gap),
          ("a mark beyond the end is a gap", a_mark_beyond_the_end_is_a_gap)]
