/// A real Postgres server for tests (FLEETFLOW_TEST_POSTGRES, a conninfo of a superuser): a database of its own for each, tables of
/// an order system in it, and the contracts of these tables.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "source/postgres_connection.h"

namespace ff::testing {

using namespace std::chrono_literals;

inline std::string server() {
  const char* conninfo = std::getenv("FLEETFLOW_TEST_POSTGRES");
  return conninfo ? conninfo : "";
}

/// A database that is gone with the object.
class Database {
 public:
  explicit Database(const std::string& name) : name_(name) {
    PgConnection admin = PgConnection::open(server(), PgMode::sql).value();
    drop(admin);
    run(admin, "create database " + name);
    conninfo = server() + " dbname=" + name;
    sql.emplace(PgConnection::open(conninfo, PgMode::sql).value());
  }
  ~Database() {
    sql.reset();
    PgConnection admin = PgConnection::open(server(), PgMode::sql).value();
    drop(admin);
  }
  static PgRows run(PgConnection& on, const std::string& statement) {
    auto rows = on.query(statement);
    if (!rows.ok()) ADD_FAILURE() << rows.error().message;
    return rows.ok() ? std::move(rows).value() : PgRows{};
  }
  PgRows operator()(const std::string& statement) { return run(*sql, statement); }
  std::string value(const std::string& query) {
    const PgRows rows = (*this)(query);
    return rows.empty() || !rows[0][0] ? "" : *rows[0][0];
  }
  PgConnection connect() { return PgConnection::open(conninfo, PgMode::sql).value(); }

  std::string conninfo;
  std::optional<PgConnection> sql;

 private:
  void drop(PgConnection& admin) {
    for (int i = 0; i < 100; ++i) {
      run(admin, "select pg_terminate_backend(active_pid) from pg_replication_slots where database = '" + name_ +
                     "' and active");
      const auto left =
          admin.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = '" +
                      name_ + "' or slot_name = 'slot_" + name_ + "'");
      if (left.ok()) break;
      std::this_thread::sleep_for(20ms);
    }
    run(admin, "drop database if exists " + name_ + " with (force)");
  }
  std::string name_;
};

inline std::string contract_yaml(const std::string& id, const std::string& table, const std::string& fact,
                                 const std::string& properties) {
  return "apiVersion: v3.1.0\nkind: DataContract\nid: " + id +
         "\nversion: 1.0.0\nstatus: active\nservers:\n"
         "  - {server: db, type: postgres, host: db.example, port: 5432, database: orders, schema: public}\n"
         "customProperties:\n  - {property: namespace, value: acme}\n  - {property: historical, value: true}\n"
         "schema:\n  - name: " +
         table + "\n    physicalName: " + table + "\n    customProperties: [{property: fact, value: " + fact +
         "}]\n    properties:\n" + properties;
}

inline const std::string orders_yaml =
    contract_yaml("orders", "orders", "shipment",
                  "      - {name: shipment_id, physicalName: id, logicalType: string}\n"
                  "      - {name: order_ref, physicalName: ref, logicalType: string}\n"
                  "      - {name: destination_hub, physicalName: dest, logicalType: string}\n"
                  "      - {name: created_at, physicalName: created, logicalType: timestamp}\n"
                  "      - {name: service_level, physicalName: note, logicalType: string}\n");
inline const std::string drivers_yaml =
    contract_yaml("drivers", "drivers", "driver",
                  "      - {name: driver_id, physicalName: id, logicalType: string}\n"
                  "      - {name: home_hub, physicalName: hub, logicalType: string}\n"
                  "      - {name: full_name, logicalType: string, classification: pii}\n");
inline const std::string events_yaml =
    contract_yaml("events", "events", "shipment_event",
                  "      - {name: event_id, physicalName: id, logicalType: string}\n"
                  "      - {name: shipment_id, logicalType: string}\n"
                  "      - {name: status, logicalType: string}\n"
                  "      - {name: event_time, physicalName: at, logicalType: timestamp}\n"
                  "      - {name: driver_id, physicalName: driver, logicalType: string}\n");

/// What the tables of those contracts are, and a publication for them.
inline const std::string tables_sql =
    "create table orders(id text primary key, ref text, dest text, created timestamptz not null, note text);"
    "create table drivers(id bigint primary key, hub text, full_name text);"
    "create table events(id text, shipment_id text, status text, at timestamptz, driver bigint, primary "
    "key(shipment_id, id));"
    "create publication pub for table orders, drivers, events";

/// Bytes that no compression makes small, so that Postgres stores them out of line.
inline std::string incompressible(const std::string& what) {
  return "(select string_agg(md5(" + what + " || i::text), '') from generate_series(1, 100) i)";
}

}  // namespace ff::testing
