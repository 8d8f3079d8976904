/// Other people's work in the tables of live.h: a stock of rows, and writers that never rest.
#pragma once

#include <atomic>
#include <random>
#include <thread>

#include "live.h"

namespace ff::testing {

inline std::string fill_sql(int orders) {
  const std::string n = std::to_string(orders);
  return "insert into orders select 'S' || i, 'R' || i, 'HUB' || i % 7, timestamptz '2026-03-01 08:00Z' + i * interval "
         "'1 s', "
         "case when i % 50 = 0 then " +
         incompressible("i0.i") + " else 'n' || i end from generate_series(1, " + n +
         ") i0(i);"
         "insert into events select 'e' || i, 'S' || (i % " +
         n +
         " + 1), 'picked_up', timestamptz '2026-03-01 09:00Z' + i * interval '1 s', i % 90 "
         "from generate_series(1, " +
         n +
         ") i;"
         "insert into drivers select i, 'HUB' || i % 7, 'Name ' || i from generate_series(1, 100) i";
}

/// A transaction of a dispatcher's day, made of a seed: inserts, updates (also of the key, also with a large note left alone), deletes,
/// savepoints rolled back, and now and then all of it.
inline std::string random_transaction(std::mt19937& random, int& next_id) {
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::string out = "begin;";
  bool in_savepoint = false;
  for (int i = 0, n = 1 + pick(6); i < n; ++i) {
    const std::string id = "'S" + std::to_string(1 + pick(std::max(1, next_id - 1))) + "'";
    switch (pick(10)) {
      case 0:
      case 1:
        ++next_id;
        out += "insert into orders values ('S" + std::to_string(next_id) +
               "', 'R', 'NEW', timestamptz '2026-03-02 08:00Z' + " + std::to_string(next_id) + " * interval '1 s', " +
               (pick(3) ? "'small'" : incompressible("'" + std::to_string(random()) + "'")) +
               ") on conflict do nothing;";
        break;
      case 2:
      case 3:
      case 4:
        out += "update orders set dest = 'H" + std::to_string(pick(50)) + "' where id = " + id + ";";
        break;
      case 5:
        out += "delete from orders where id = " + id + ";";
        break;
      case 6:
        ++next_id;
        out += "update orders set id = 'S" + std::to_string(next_id) + "', note = 'moved' where id = " + id + ";";
        break;
      case 7:
        out += "update events set status = 'delivered', at = at + interval '1 h' where shipment_id = " + id + ";";
        break;
      case 8:
        out += "delete from events where shipment_id = " + id + ";insert into drivers values (" +
               std::to_string(1000 + pick(99999)) + ", 'X', 'N') on conflict do nothing;";
        break;
      default:
        out += in_savepoint ? "rollback to savepoint a;" : "savepoint a;";
        in_savepoint = true;
    }
  }
  return out + (pick(12) == 0 ? "rollback" : "commit");
}

/// Writes random transactions on a connection of its own until stopped.
class Writer {
 public:
  Writer(Database& db, unsigned seed, int first_id)
      : thread_([this, seed, first_id, connection = std::make_shared<PgConnection>(db.connect())] {
          std::mt19937 random(seed);
          int next = first_id;
          for (; !stop_; ++count) {
            const auto done = connection->query(random_transaction(random, next));
            // A deadlock or a key that another writer took: the transaction did not happen.
            if (!done.ok()) std::ignore = connection->query("rollback");
          }
        }) {}
  ~Writer() { finish(); }
  void finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::atomic<int> count = 0;

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace ff::testing
