"""A small world from a seed, as native NDJSON: not lifelike, but dense in what rules must settle.

A handful of shipments, drivers and hours, so that everything meets everything: ties, handovers at one instant, lost and
found, facts of unknown orders and drivers, versions, conflicts, retractions, future and late facts, midnight, deletions.

    python tests/models/random_world.py FOLDER [SEED]
"""
import datetime
import json
import random
import sys

START = datetime.datetime(2026, 3, 1, 6)
STATUSES = ("assigned arrived_at_pickup picked_up picked_up arrived_at_facility departed_facility in_transit customs_hold "
            "out_for_delivery delivery_attempted delivery_attempted exception exception returning delivered delivered returned cancelled lost").split()
LIKELY = "assigned picked_up arrived_at_facility departed_facility in_transit out_for_delivery delivery_attempted delivered".split()


def iso(minutes):
    return (START + datetime.timedelta(minutes=minutes)).isoformat() + "Z"


def world(seed, shipments=60, drivers=6, days=6):
    """File stem -> list of records; everything is heard of within `days` days of START."""
    r = random.Random(seed)
    facts = {"orders": [], "drivers": [], "events": [], "assignments": [], "gps": []}
    span = days * 1440

    def heard(minute):
        lag = r.choice([0, 0, 0, 1, 10, 20, 31, 120, 1500])
        return iso(max(0, minute + (lag if r.random() > 0.03 else -r.choice([3, 20]))))

    def driver():
        return r.choice([None] + [f"D{i}" for i in range(drivers)] * 2)

    for d in range(drivers - 1):  # the last one is never introduced
        facts["drivers"].append({"driver_id": f"D{d}", "home_hub": "AAA", "version": 1, "ingest_time": iso(0 if d % 2 else r.randrange(span))})
        if r.random() < 0.2:
            facts["drivers"].append({"driver_id": f"D{d}", "home_hub": "BBB", "version": 1, "ingest_time": iso(r.randrange(span))})
    for s in range(shipments):
        shipment, created = f"S{s}", r.randrange(span // 2)
        for claim in range(r.choice([0, 1, 1, 1, 1, 1, 2])):
            for version in range(1, r.choice([2, 2, 2, 3])):
                order = {"namespace": "acme", "shipment_id": shipment, "order_ref": f"O{s}-{claim}", "customer_id": "C1",
                         "carrier_id": r.choice(["K1", "K2"]), "service_level": r.choice(["same_day", "express", "express", "standard", "handshake"]),
                         "origin_hub": "AAA", "destination_hub": r.choice(["BBB", "CCC"]), "created_at": iso(created + 7 * claim), "version": version,
                         "is_deleted": version > 1 and r.random() < 0.2, "ingest_time": heard(created + 30 * version)}
                if r.random() < 0.15:
                    order["promised_delivery_by"] = iso(created + r.randrange(3000))
                if r.random() < 0.1:
                    order["promised_pickup_by"] = iso(created + r.randrange(300))
                facts["orders"].append(order)
        minute, walk = created, LIKELY if r.random() < 0.5 else [r.choice(STATUSES) for _ in range(r.randrange(8))]
        for n, status in enumerate(walk):
            minute += r.choice([0, 1, 30, 60, 90, 700])
            event = {"namespace": r.choice(["acme", "acme", "bolt"]), "event_id": f"e{n if r.random() > 0.1 else 0}", "shipment_id": shipment,
                     "status": status, "event_time": iso(minute), "driver_id": driver() if r.random() < 0.4 else None,
                     "facility": r.choice([None, "F1", "F2"]), "reason": r.choice([None, "weather", "damaged"]) if status == "exception" else None,
                     "driving_s": r.choice([None, None, None, 1800, 20000, 90000]), "version": 0, "ingest_time": heard(minute)}
            facts["events"].append(event)
            if r.random() < 0.08:
                facts["events"].append({**event, "retracted": True, "ingest_time": heard(minute + 60)})
            if r.random() < 0.08:
                facts["events"].append({**event, "facility": "F9", "version": r.choice([0, 1]), "ingest_time": heard(minute + 90)})
        for n in range(r.choice([0, 1, 2, 3, 5])):
            at = created + 30 * r.randrange(80)
            facts["assignments"].append({
                "namespace": "acme", "assignment_id": f"a{n}", "shipment_id": shipment, "driver_id": driver(),
                "action": r.choice(["assign", "assign", "reassign", "unassign"]), "effective_at": iso(at), "version": 1,
                "is_deleted": r.random() < 0.05, "ingest_time": heard(at - r.choice([0, 0, 600]))})
    for d in range(drivers):
        minute, lat = r.randrange(600), 40.0
        while minute < span * 2 // 3 and d:  # the first one never pings
            minute += r.choice([2, 5, 5, 5, 10, 10, 15, 16, 45, 900]) if r.random() < 0.3 else 9
            lat += r.choice([0, 0.01, 0.02, 0.03]) + (1.0 if r.random() < 0.01 else 0)
            facts["gps"].append({"driver_id": f"D{d}", "device_id": r.choice(["T1", "T1", "T1", "T2"]), "event_time": iso(minute), "lat": round(lat, 4),
                                 "lon": -74.0, "speed_mps": r.choice([None, None, 0.5, 12.0]), "ingest_time": heard(minute)})
    return facts


def write(facts, folder):
    for stem, records in facts.items():
        with open(f"{folder}/{stem}.ndjson", "w") as out:
            out.writelines(json.dumps(record) + "\n" for record in records)


if __name__ == "__main__":
    write(world(int(sys.argv[2]) if sys.argv[2:] else 3), sys.argv[1])
