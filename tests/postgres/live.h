/// A stand-in for the engine and its lake in tests against a real server: it keeps facts and marks as commits do, dies where a test
/// wants it to, and is compared with the tables of database.h.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "contract/contract.h"
#include "domain/driver.h"
#include "domain/shipment.h"
#include "engine/unchanged.h"
#include "source/postgres_position.h"
#include "source/postgres_requests.h"
#include "source/postgres_source.h"

#include "database.h"

namespace ff::testing {

class Feeds {
 public:
  explicit Feeds(const std::vector<std::string>& yamls) {
    static int count = 0;
    const auto folder = std::filesystem::temp_directory_path() /
                        ("fleetflow-feeds-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    std::filesystem::create_directories(folder);
    int i = 0;
    for (const std::string& yaml : yamls) std::ofstream(folder / (std::to_string(i++) + ".yaml")) << yaml;
    auto loaded = ContractSet::load(folder);
    std::filesystem::remove_all(folder);
    if (!loaded.ok()) ADD_FAILURE() << loaded.error().message;
    set.emplace(std::move(loaded).value());
  }
  std::optional<ContractSet> set;
};

/// What the lake would have: the facts of all commits, and the marks of the same commits.
class Lake {
 public:
  std::map<std::string, Mark> marks;
  std::map<std::string, ShipmentFacts> shipments;
  std::map<std::string, DriverFacts> drivers;
  std::vector<Refusal> refusals;
  std::vector<std::string> drifts, payloads;
  std::set<std::string> seen;  ///< shipment ids of committed facts
  std::int64_t unresolved = 0, records = 0;

  /// Everything of these batches, at once. A record of the slot stands right behind the one before it, or it was lost or doubled.
  void commit(std::vector<SourceBatch>& batches, const Partitions& partitions) {
    std::vector<Fact*> facts;
    for (SourceBatch& b : batches) {
      const std::string name = partitions.name_of(b.partition);
      Mark& mark = marks[name];
      std::int64_t last = mark.position;
      const bool is_data = (name.find("/snapshot") == std::string::npos && !name.ends_with("/requests")) ||
                           std::count(name.begin(), name.end(), '/') > 1;
      for (Decoded& d : b.batch.records) {
        const Provenance& from = d.fact() ? d.fact()->from : d.refusal()->from;
        EXPECT_TRUE(from.position == last || from.position == last + 1) << name << " " << last << " " << from.position;
        last = from.position;
        ++records;
        payloads.emplace_back(d.payload);
        if (d.refusal()) refusals.push_back(*d.refusal());
        if (d.fact()) facts.push_back(&kept_.emplace_back(std::move(*d.fact())));
      }
      EXPECT_TRUE(!is_data || b.last_position == last) << name;
      for (const Drift& drift : b.batch.drifts) drifts.push_back(drift.field);
      EXPECT_GE(b.last_position, mark.position) << name;
      mark = {b.last_position, b.resume};
    }
    // As the engine does: by key, and within a key by version where something has to be filled in.
    std::stable_sort(facts.begin(), facts.end(), [](const Fact* a, const Fact* b) { return a->version < b->version; });
    for (Fact* f : facts) add(*f);
  }

  void add(Fact& fact) {
    if (auto* d = std::get_if<DriverFact>(&fact.body)) {
      DriverFacts& known = drivers[d->driver_key];
      if (is_whole(fill_unchanged(known, fact))) known.add({d->home_hub, d->is_deleted, fact.version, fact.from});
      return;
    }
    if (auto* s = std::get_if<ShipmentFact>(&fact.body)) {
      seen.insert(s->shipment_id);
      ShipmentFacts& known = shipments[s->shipment_id];
      if (is_whole(fill_unchanged(known, fact)))
        known.add(ClaimTelling{s->name_space, s->order_ref, s->customer_id, s->carrier_id, s->service_level,
                               s->origin_hub, s->destination_hub, s->created_at, s->promised_pickup_by,
                               s->promised_delivery_by, s->is_deleted, fact.version, fact.from});
      return;
    }
    auto& e = std::get<ShipmentEventFact>(fact.body);
    ShipmentFacts& known = shipments[e.shipment_id];
    if (is_whole(fill_unchanged(known, fact)))
      known.add(EventTelling{e.name_space, e.event_id, e.driver_key, e.facility, e.reason, e.event_time, e.driving_s,
                             e.status, e.retracted, fact.version, fact.from});
  }

  /// The orders that are there now: id -> ref, dest, created, note.
  using Orders = std::map<std::string, std::tuple<std::string, std::string, std::int64_t, std::string>>;
  Orders orders() const {
    Orders out;
    ShipmentRows rows;
    for (const auto& [id, facts] : shipments) {
      fold(facts, rows);
      for (const ClaimRow& claim : rows.claims)
        if (!claim.told.is_deleted)
          out[id] = {std::string(claim.told.order_ref), std::string(claim.told.destination_hub), claim.told.created_at,
                     std::string(claim.told.service_level)};
    }
    return out;
  }
  /// shipment|event -> status, time.
  using Events = std::map<std::string, std::pair<std::string, std::int64_t>>;
  Events events() const {
    Events out;
    ShipmentRows rows;
    for (const auto& [id, facts] : shipments) {
      fold(facts, rows);
      for (const EventRow& e : rows.events)
        if (!e.told.is_retracted)
          out[id + "|" + std::string(e.told.event_id)] = {std::string(status_name(e.told.status)), e.told.event_time};
    }
    return out;
  }
  std::int64_t live_drivers() const {
    std::int64_t count = 0;
    for (const auto& [key, facts] : drivers) {
      const DriverRow row = fold(facts);
      count += row.exists && !row.told.is_deleted;
    }
    return count;
  }

 private:
  bool is_whole(Unchanged filled) {
    unresolved += filled == Unchanged::unknown;
    return filled == Unchanged::filled;
  }
  std::deque<Fact> kept_;  ///< tellings point into them
};

inline Lake::Orders orders_of(Database& db) {
  Lake::Orders out;
  for (const auto& row :
       db("select id, coalesce(ref, ''), coalesce(dest, ''), (extract(epoch from created) * 1000000)::bigint, "
          "coalesce(note, '') from orders"))
    out[*row[0]] = {*row[1], *row[2], std::stoll(*row[3]), *row[4]};
  return out;
}
inline Lake::Events events_of(Database& db) {
  Lake::Events out;
  for (const auto& row :
       db("select shipment_id || '|' || id, status, (extract(epoch from at) * 1000000)::bigint from events"))
    out[*row[0]] = {*row[1], std::stoll(*row[2])};
  return out;
}

/// An engine without tables: polls, commits, confirms, and may be killed at any point and started again on its lake.
class Engine {
 public:
  Engine(Database& db, std::vector<std::string> yamls = {orders_yaml, drivers_yaml, events_yaml})
      : feeds(yamls), key(PseudonymKey::demo()) {
    options.name = "t";
    options.conninfo = db.conninfo;
    options.slot = "slot_" + db.value("select current_database()");
    options.publication = "pub";
    options.spill_directory = std::filesystem::temp_directory_path();
  }

  Result<void> start() {
    pending.clear();
    source.reset();
    partitions = std::make_unique<Partitions>();
    source = FF_TRY(PostgresSource::start(
        *feeds.set, key, options, [this](const std::string& partition) -> Result<Mark> { return mark(partition); },
        *partitions));
    return {};
  }
  void must_start() {
    const auto started = start();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }

  /// Started, and the snapshot is in the lake: what is written from now on comes by the stream.
  void must_begin() {
    must_start();
    run_until([&] { return mark("postgres:t/snapshot").resume.ends_with("complete"); });
  }
  /// The source asks for it as well, on its own thread.
  Mark mark(const std::string& partition) {
    const std::lock_guard lock(mutex);
    const auto at = lake.marks.find(partition);
    return at == lake.marks.end() ? Mark{} : at->second;
  }

  /// One poll; true if something came. A halt is a failure unless asked for by `error`.
  bool poll(std::chrono::milliseconds wait = 50ms) {
    auto next = source->poll(wait);
    if (!next.ok()) {
      error = next.error();
      return false;
    }
    if (!next.value()) return false;
    pending.push_back(std::move(*next.value()));
    return true;
  }
  void commit() {
    const std::lock_guard lock(mutex);
    std::set<std::uint32_t> touched;
    for (const SourceBatch& b : pending) touched.insert(b.partition);
    lake.commit(pending, *partitions);
    pending.clear();
    for (const std::uint32_t p : touched) unconfirmed[p] = {p, lake.marks[partitions->name_of(p)]};
  }
  void confirm() {
    std::vector<Progress> done;
    for (const auto& [p, progress] : unconfirmed) done.push_back(progress);
    unconfirmed.clear();
    EXPECT_TRUE(source->confirm(done).ok());
  }
  /// Until `done`, committing whatever comes.
  void run_until(const std::function<bool()>& done, std::chrono::seconds at_most = 60s) {
    const auto end = std::chrono::steady_clock::now() + at_most;
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "not done in time";
      ASSERT_TRUE(error.cause.empty() || error.recourse != Recourse::halt) << error.message;
      if (poll()) commit(), confirm();
    }
  }
  /// Until the stream has told this order. (It may have come with a snapshot before, which says nothing of the stream.)
  void run_until_order(const std::string& id) {
    run_until([&] {
      const auto known = lake.shipments.find(id);
      return known != lake.shipments.end() &&
             std::any_of(known->second.claims.begin(), known->second.claims.end(),
                         [](const ClaimTelling& c) { return c.version.ordinal_minor > 0; });
    });
  }
  /// Until a halt, which is returned.
  Error run_until_halt() {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < end) {
      if (poll()) commit(), confirm();
      if (!error.cause.empty() && error.recourse == Recourse::halt) return error;
    }
    return {};
  }
  /// What a kill leaves: the lake.
  void kill() {
    source.reset();
    pending.clear();
    unconfirmed.clear();
    error = {};
  }

  Feeds feeds;
  PseudonymKey key;
  PostgresOptions options;
  std::mutex mutex;
  Lake lake;
  std::unique_ptr<Partitions> partitions;
  std::unique_ptr<PostgresSource> source;
  std::vector<SourceBatch> pending;
  std::map<std::uint32_t, Progress> unconfirmed;
  Error error;
};

template <class Map>
void expect_same(const Map& lake, const Map& table) {
  int shown = 0;
  for (const auto& [key, value] : table)
    if (const auto at = lake.find(key); (at == lake.end() || at->second != value) && ++shown <= 5)
      ADD_FAILURE() << key << (at == lake.end() ? " is missing in the lake" : " differs");
  for (const auto& [key, value] : lake)
    if (!table.contains(key) && ++shown <= 5) ADD_FAILURE() << key << " is in the lake and not in the table";
  EXPECT_EQ(lake.size(), table.size());
}

inline void expect_equal(Engine& engine, Database& db, std::int64_t unresolved_max = 0) {
  expect_same(engine.lake.orders(), orders_of(db));
  expect_same(engine.lake.events(), events_of(db));
  EXPECT_EQ(engine.lake.live_drivers(), std::stoll(db.value("select count(*) from drivers")));
  EXPECT_LE(engine.lake.unresolved, unresolved_max);
  EXPECT_TRUE(engine.lake.refusals.empty()) << engine.lake.refusals.front().detail;
}

inline bool comes_true(Database& db, const std::string& query, std::chrono::seconds at_most = 10s) {
  const auto end = std::chrono::steady_clock::now() + at_most;
  while (db.value(query) != "t") {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

/// What the stream of this engine's slot asked the server for.
inline std::string stream_command(Engine& engine, Database& db) {
  return db.value(
      "select query from pg_stat_activity join pg_replication_slots on active_pid = pid where slot_name = '" +
      engine.options.slot + "'");
}

inline void say_end(Database& db, const std::string& id = "END") {
  db("insert into orders values ('" + id + "', null, null, '2026-03-09 00:00Z', null)");
}

/// The snapshot is in the lake, and this order after it, by the stream.
inline void read_an_order(Engine& engine, Database& db, const std::string& id) {
  engine.must_begin();
  say_end(db, id);
  engine.run_until_order(id);
}

}  // namespace ff::testing
