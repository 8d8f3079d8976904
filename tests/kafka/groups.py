"""Members of one group: who reads what, when somebody joins, leaves, sleeps or is killed."""
import re
import signal
import threading
import time

from confluent_kafka import Consumer

from world import Lake, Reader, Topic, contract, count, event, rng, wait_until_held


def killed_anywhere_each_record_is_in_once(kafka, folder):
    topic, lake = Topic(kafka, "killed"), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    topic.send(0, count)
    for _ in range(4):
        reader = Reader(kafka, contracts, lake, commit_ms=20, **{"property.group.instance.id": "one"}).wait_for("^BEGIN")
        time.sleep(rng.uniform(0.02, 0.5))
        reader.kill()
    figures = Reader(kafka, contracts, lake, idle_ms=3000, **{"property.group.instance.id": "one"}).done()
    lake.check_once(topic)
    assert figures["lag"] == 0 and figures["partitions"] == 8 and figures["brokers_up"] >= 1, figures
    marks = {int(name.split("/")[1]): mark for name, (mark, _) in lake.marks.items()}
    committed = kafka.committed("fleetflow", topic.name)
    assert committed == marks, f"the group's offsets {committed} are not the lake's marks {marks}"


def the_groups_offsets_are_never_the_truth(kafka, folder):
    topic, lake = Topic(kafka, "truth", partitions=4), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    reader = Reader(kafka, contracts, lake, group="truth", commit_ms=300)
    for i in range(10):
        topic.send(200 * i, 200)
        committed, marks = kafka.committed("truth", topic.name), lake.read().marks
        assert all(offset <= marks.get(f"kafka:truth/{n}", (0,))[0] for n, offset in committed.items()), f"the group is at {committed}, the lake at {marks}"
    lake.wait_for(2000, reader)
    reader.terminate()
    topic.send(2000, 1000)
    kafka.commit_all("truth", topic.name)
    reader = Reader(kafka, contracts, lake, group="truth", commit_ms=50)
    lake.wait_for(3000, reader)
    reader.terminate()
    lake.check_once(topic)


def two_readers_share_and_none_reads_twice(kafka, folder):
    topic, lake = Topic(kafka, "shared", partitions=16), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    sending = threading.Thread(target=lambda: [(topic.send(i, count // 20, flush=False), time.sleep(0.5)) for i in range(0, count, count // 20)])
    sending.start()
    first = Reader(kafka, contracts, lake, group="shared", commit_ms=50).wait_for("^BEGIN")
    second = Reader(kafka, contracts, lake, group="shared", commit_ms=50).wait_for("^BEGIN")
    first.wait_for("^REVOKED")
    time.sleep(1)
    third = Reader(kafka, contracts, lake, group="shared", commit_ms=50).wait_for("^BEGIN")
    time.sleep(1)
    first.terminate()  # leaves in order
    time.sleep(1)
    second.kill()  # is missed after its session's time
    sending.join()
    topic.send(count, 0)
    last = Reader(kafka, contracts, lake, group="shared", commit_ms=50, idle_ms=9000)
    assert last.done(90)["partitions"] > 0
    third.terminate()
    lake.check_once(topic)


def who_joins_takes_only_what_moves(kafka, folder):
    scans, calls, lake = Topic(kafka, "moves-a", partitions=9), Topic(kafka, "moves-b", partitions=9), Lake(folder / "lake")
    contracts = [contract(folder / "contracts", name) for name in ("moves-a", "moves-b", "moves-late")][0]
    words = {"group": "moves", "shared": 1, "commit_ms": 50}
    first, second = (Reader(kafka, contracts, lake, **words) for _ in range(2))
    wait_until_held([first, second], {"moves-a": 9, "moves-b": 9})
    before = [(r.held(), len(r.text())) for r in (first, second)]
    stop, sent = threading.Event(), [0]

    def keep_sending():
        while not stop.is_set():
            sent[0] = scans.send_to_each(calls.send_to_each(sent[0], range(9)), range(9))
            time.sleep(0.05)
    sending = threading.Thread(target=keep_sending)
    sending.start()
    third = Reader(kafka, contracts, lake, **words)
    wait_until_held([first, second, third], {"moves-a": 9, "moves-b": 9})
    stop.set()
    sending.join()
    moved = set()
    for reader, (held, length) in zip((first, second), before):
        since = reader.text()[length:]
        gone = re.findall(r"^REVOKED (\S+)", since, re.M)
        assert set(gone) == held - reader.held() and len(gone) == len(set(gone)), f"had {sorted(held)}, and then:\n{since}"
        assert not re.search("^(TAKEN|BEGIN) ", since, re.M), f"it took up anew what it had:\n{since}"
        moved |= set(gone)
    assert moved == third.held() == set(re.findall(r"^TAKEN (\S+)", third.text(), re.M)), (moved, third.text())
    late = Topic(kafka, "moves-late", partitions=9)
    late.send_to_each(sent[0], range(9))
    lake.wait_for(sent[0] + 9, third)
    for reader in (first, second, third):
        assert reader.numbers("moves-a") == reader.numbers("moves-b") == reader.numbers("moves-late") != set(), reader.text()
        assert set(re.findall(r"^TAKEN (\S+)", reader.text(), re.M)) >= reader.held(), reader.text()
        reader.terminate()
    lake.check_once(scans, calls, late)


def topics_of_any_size_that_come_and_grow(kafka, folder):
    few, many, lake = Topic(kafka, "few", partitions=2), Topic(kafka, "many", partitions=6), Lake(folder / "lake")
    contracts = [contract(folder / "contracts", name) for name in ("few", "many", "later")][0]
    i = many.send_to_each(few.send_to_each(0, range(2)), range(6))
    reader = Reader(kafka, contracts, lake, group="sizes", commit_ms=50)
    lake.wait_for(i, reader, 20)
    reader.wait_for("^ERROR retry kafka_no_topic .* later ")
    later = Topic(kafka, "later", partitions=3)  # comes
    i = later.send_to_each(i, range(3))
    lake.wait_for(i, reader, 20)
    few.grow(4)  # grows, and has not the most
    i = few.send_to_each(i, range(4))
    lake.wait_for(i, reader, 20)
    assert "REVOKED" not in reader.text(), f"what came took something away:\n{reader.text()}"
    later.grow(9)  # now it has the most
    i = later.send_to_each(i, range(9))
    lake.wait_for(i, reader, 20)
    said = len(reader.text())
    later.grow(12)  # and more of them
    i = later.send_to_each(i, range(12))
    lake.wait_for(i, reader, 20)
    assert "REVOKED" not in reader.text()[said:], f"what grew took something away:\n{reader.text()[said:]}"
    assert [len(reader.numbers(t)) for t in ("few", "many", "later")] == [4, 6, 12], reader.held()
    reader.terminate()
    lake.check_once(few, many, later)


def workers_refuse_topics_of_other_counts(kafka, folder):
    even, odd = Topic(kafka, "even", partitions=4), Topic(kafka, "odd", partitions=4)
    contracts = [contract(folder / "contracts", name) for name in ("even", "odd")][0]
    first, second = (Reader(kafka, contracts, group="counts", shared=1) for _ in range(2))
    wait_until_held([first, second], {"even": 4, "odd": 4})
    even.grow(5)  # from here on a key's partition is another there
    late = Reader(kafka, contracts, group="late-counts", shared=1)
    for reader in (first, second, late):
        assert reader.end() == 4 and "ERROR halt kafka_bad_setting topic odd has 4 partitions and topic even has 5" in reader.text(), reader.text()
        assert "TAKEN kafka:even/4" not in reader.text(), reader.text()


def who_slept_too_long_loses_what_it_held(kafka, folder):
    topic, lake = Topic(kafka, "slept", partitions=6), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    words = {"group": "slept", "shared": 1, "commit_ms": 400}
    sleeper, other = (Reader(kafka, contracts, lake, **words) for _ in range(2))
    wait_until_held([sleeper, other], {"slept": 6})
    topic.send(0, 2000)
    lake.wait_for(1, sleeper)
    topic.send(2000, 2000)
    sleeper.process.send_signal(signal.SIGSTOP)
    slept = len(sleeper.text())
    wait_until_held([other], {"slept": 6})
    topic.send(4000, 2000)
    lake.wait_for(6000, other)
    sleeper.process.send_signal(signal.SIGCONT)
    sleeper.wait_for("(?s)\\A.{%d}.*^REVOKED .*^TAKEN " % slept)
    wait_until_held([sleeper, other], {"slept": 6})
    topic.send(6000, 2000)
    lake.wait_for(8000, sleeper)
    woken = sleeper.text()[slept:]
    assert woken.count("REVOKED") == 3, f"it gave up something else than its share:\n{woken}"
    sleeper.terminate()
    other.terminate()
    lake.check_once(topic)


def a_named_member_comes_back_to_what_it_had(kafka, folder):
    topic, lake = Topic(kafka, "named", partitions=6), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)

    def member(name):
        return Reader(kafka, contracts, lake, group="named", shared=1, commit_ms=50, **{"property.group.instance.id": name, "property.session.timeout.ms": 20000})
    one, two = member("one"), member("two")
    wait_until_held([one, two], {"named": 6})
    topic.send(0, 600)
    lake.wait_for(600, one)
    held, said = one.held(), two.text()
    for way, stop in (("in order", one.terminate), ("killed", lambda: one.kill())):
        stop()
        topic.send(sum(topic.sent.values()), 600)
        time.sleep(3)  # time enough for the other to hear of a member that leaves
        one = member("one")
        lake.wait_for(sum(topic.sent.values()), one)
        assert one.held() == held, f"it ended {way} and came back to {one.held()}, not {held}"
        assert two.text() == said, f"one ended {way}, and the other had to hear of it:\n{two.text()[len(said):]}"
    one.terminate()
    two.terminate()
    lake.check_once(topic)


def who_takes_a_members_name_fences_it(kafka, folder):
    topic, lake, name = Topic(kafka, "fenced", partitions=2), Lake(folder / "lake"), "one"
    contracts = contract(folder / "contracts", topic.name)

    def member():
        return Reader(kafka, contracts, lake, group="fenced", commit_ms=50, **{"property.group.instance.id": name})
    topic.send(0, 100)
    reader = member()
    lake.wait_for(100, reader)
    second = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "fenced", "partition.assignment.strategy": "cooperative-sticky", "enable.auto.commit": False, "group.instance.id": name})
    second.subscribe(["fenced"])
    until = time.monotonic() + 30
    while "kafka_fenced" not in reader.text():
        assert time.monotonic() < until, reader.text() + reader.log()
        second.poll(0.2)
    reader.wait_for("^ERROR halt kafka_fenced .*group.instance.id")
    second.close()
    topic.send(100, 100)
    reader = member()
    lake.wait_for(200, reader)
    reader.terminate()
    lake.check_once(topic)


def a_group_of_the_old_kind_is_waited_for(kafka, folder):
    topic, lake = Topic(kafka, "old", partitions=2), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    topic.send(0, 100)
    old = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "old", "partition.assignment.strategy": "range", "enable.auto.commit": False, "session.timeout.ms": 6000})
    old.subscribe(["old"])
    until = time.monotonic() + 20
    while not old.assignment():
        assert time.monotonic() < until
        old.poll(0.2)
    reader = Reader(kafka, contracts, lake, group="old", commit_ms=50)
    reader.wait_for("^ERROR retry kafka_away .*[Ii]nconsistent group protocol")
    assert lake.read().records == []
    old.close()
    lake.wait_for(100, reader)
    reader.terminate()
    lake.check_once(topic)


def a_partition_that_left_in_a_pause_comes_back(kafka, folder):
    topic, lake = Topic(kafka, "paused", partitions=4), Lake(folder / "lake")
    contracts = contract(folder / "contracts", topic.name)
    padding = "x" * 900
    for i in range(12_000):
        topic.producer.produce(topic.name, key=f"S{i}", value=event(i)[:-1] + f', "facility": "{padding}"}}')
        topic.producer.poll(0)
        topic.sent[f"e{i}"] += 1
    assert topic.producer.flush(60) == 0
    first = Reader(kafka, contracts, lake, group="paused", commit_ms=50, stall_ms=12000, queue_bytes=1 << 20, fetch_bytes=1 << 20).wait_for("^STALL ")
    time.sleep(3)  # its queue is full, and all it holds is paused
    second = Reader(kafka, contracts, lake, group="paused", commit_ms=50)
    first.wait_for("^REVOKED").wait_for("^STALLED")
    lake.wait_for(12_000, first)
    second.terminate()
    topic.send(20_000, 400)
    lake.wait_for(12_400, first, 30)
    first.terminate()
    lake.check_once(topic)


CHECKS = [("killed anywhere, each record is in once", killed_anywhere_each_record_is_in_once),
          ("the group's offsets are never the truth", the_groups_offsets_are_never_the_truth),
          ("two readers share and none reads twice", two_readers_share_and_none_reads_twice),
          ("who joins takes only what moves", who_joins_takes_only_what_moves),
          ("topics of any size, that come and grow", topics_of_any_size_that_come_and_grow),
          ("workers refuse topics of other counts", workers_refuse_topics_of_other_counts),
          ("who slept too long loses what it held", who_slept_too_long_loses_what_it_held),
          ("a named member comes back to what it had", a_named_member_comes_back_to_what_it_had),
          ("who takes a member's name fences it", who_takes_a_members_name_fences_it),
          ("a group of the old kind is waited for", a_group_of_the_old_kind_is_waited_for),
          ("a partition that left in a pause comes back", a_partition_that_left_in_a_pause_comes_back)]
