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
from gate import Gate
from kafka import Kafka
from postgres import Postgres
from registry import Registry
from server import ServerFailed

__all__ = ["Gate", "Kafka", "Postgres", "Registry", "ServerFailed"]
