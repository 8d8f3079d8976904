// Reading on: the snapshot and the stream behind it, over kills, lost connections and slow engines.
// Against a real server: what the lake would have is compared with the tables themselves, by plain SQL.
#include <malloc.h>

#include <fstream>

#include "decode/decoder.h"
#include "writing.h"

namespace ff::testing {
namespace {

TEST(PostgresLive, ReadsASnapshotAndThenTheStreamWhileOthersWrite) {
  Database db("ff_handover");
  db(tables_sql);
  db(fill_sql(3000));
  Engine engine(db);
  engine.options.snapshot_pages = 4;
  engine.options.batch_records = 500;
  {
    Writer a(db, 1, 100000), b(db, 2, 200000), low(db, 3, 3000);
    engine.must_start();
    engine.run_until([&] { return engine.mark("postgres:t/snapshot").resume.ends_with("complete") && a.count > 60; });
    a.finish(), b.finish(), low.finish();
  }
  say_end(db);
  engine.run_until_order("END");
  expect_equal(engine, db);
  EXPECT_GT(engine.mark("postgres:t").position, 100) << "the stream told something";
  EXPECT_GT(engine.lake.marks.size(), 10U) << "the snapshot came in many ranges";
}

TEST(PostgresLive, AStopDoesNotWaitForTheTransactionThatTheSlotWaitsFor) {
  Database db("ff_waits");
  db(tables_sql);
  db(fill_sql(100));
  PgConnection other = db.connect();
  Database::run(other, "begin");
  Database::run(other, "insert into orders values ('OPEN', 'R', 'H', '2026-03-01 08:00Z', 'x')");
  Engine engine(db);
  const std::string our_slots = "select count(*) from pg_replication_slots where database = current_database()";
  engine.must_start();
  ASSERT_TRUE(comes_true(db, "select (" + our_slots + ") = 1")) << "the slot is being made";
  std::this_thread::sleep_for(300ms);
  const auto stopped = std::chrono::steady_clock::now();
  engine.kill();
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, 2s);
  EXPECT_TRUE(comes_true(db, "select (" + our_slots + ") = 0")) << "the server makes a slot for nobody";

  engine.must_start();
  ASSERT_TRUE(comes_true(db, "select (" + our_slots + ") = 1"));
  Database::run(other, "insert into orders values ('OPEN2', 'R', 'H', '2026-03-01 08:00Z', 'x')");
  say_end(db, "BESIDE");
  Database::run(other, "commit");
  engine.run_until([&] { return engine.mark("postgres:t/snapshot").resume.ends_with("complete"); });
  say_end(db);
  engine.run_until_order("END");
  expect_equal(engine, db);
  EXPECT_EQ(engine.lake.records, 100 * 3 + 4) << "each row once, by the snapshot or by the stream";
}

class KilledAnywhere : public ::testing::TestWithParam<unsigned> {};

TEST_P(KilledAnywhere, LosesNothingAndDoublesNothing) {
  std::mt19937 random(GetParam());
  Database db("ff_killed");
  db(tables_sql);
  db(fill_sql(2000));
  Engine engine(db);
  engine.options.snapshot_pages = 8;
  engine.options.batch_records = 1 + random() % 200;
  engine.options.streaming = (GetParam() & 1) != 0;
  engine.options.binary = (GetParam() & 2) != 0;
  int starts = 0;
  {
    Writer a(db, GetParam() + 100, 100000), b(db, GetParam() + 200, 2000);
    while (starts < 10) {
      ++starts;
      engine.must_start();
      // Some polls, some of them committed, some of those confirmed; then dead.
      for (int polls = static_cast<int>(random() % 25); polls > 0 && engine.error.cause.empty(); --polls) {
        engine.poll(20ms);
        if (random() % 3 == 0) engine.commit();
        if (random() % 3 == 0) engine.confirm();
      }
      EXPECT_NE(engine.error.recourse == Recourse::halt, !engine.error.cause.empty()) << engine.error.message;
      engine.kill();
    }
  }
  say_end(db);
  engine.must_start();
  engine.run_until_order("END");
  const std::string command = stream_command(engine, db);
  EXPECT_EQ(command.find("streaming 'on'") != std::string::npos, engine.options.streaming) << command;
  EXPECT_EQ(command.find("binary 'true'") != std::string::npos, engine.options.binary) << command;
  // A row that was updated and then deleted between two attempts at its snapshot was never read whole. What the update
  // told of it waits in quarantine, and the row is gone, so that no table differs.
  expect_equal(engine, db, 100);
}
INSTANTIATE_TEST_SUITE_P(Seeds, KilledAnywhere, ::testing::Range(1U, 1U + static_cast<unsigned>(std::atoi([] {
                                                                       const char* seeds =
                                                                           std::getenv("FLEETFLOW_TEST_SEEDS");
                                                                       return seeds ? seeds : "4";
                                                                     }()))));

int large_transaction_rows() {
  const char* rows = std::getenv("FLEETFLOW_TEST_LARGE_ROWS");
  return rows ? std::atoi(rows) : 20000;
}

class LargeTransaction : public ::testing::TestWithParam<bool> {};

TEST_P(LargeTransaction, IsCutAnywhereAndTakenUpInItsMiddle) {
  Database db("ff_large");
  db(tables_sql);
  Engine engine(db);
  engine.options.streaming = GetParam();
  // Each start makes the server send all of the transaction again: some twenty cuts, whatever its size.
  engine.options.batch_records = static_cast<std::size_t>(std::max(1000, large_transaction_rows() / 150));
  engine.must_begin();
  say_end(db, "BEFORE");
  engine.run_until_order("BEFORE");
  const std::string n = std::to_string(large_transaction_rows());
  // A savepoint that is rolled back, and another transaction that commits in the middle of this one.
  db("begin");
  db("insert into orders select 'L' || i, 'R', 'H', '2026-03-01 08:00Z', 'x' from generate_series(1, " + n + ") i");
  db("savepoint a");
  db("insert into orders select 'GONE' || i, 'R', 'H', '2026-03-01 08:00Z', 'x' from generate_series(1, 3000) i");
  db("rollback to savepoint a");
  {
    PgConnection other = db.connect();
    Database::run(other, "insert into orders values ('BESIDE', 'R', 'H', '2026-03-01 08:00Z', 'x')");
  }
  db("update orders set dest = 'H2' where id like 'L%7'");
  db("commit");
  say_end(db);
  // A second engine on the same lake and slot, again and again, each killed in the transaction.
  int cuts = 0;
  for (; !engine.lake.seen.contains("END"); ++cuts) {
    ASSERT_LT(cuts, 400);
    engine.kill();
    engine.must_start();
    for (int i = 0; i < 7 && !engine.lake.seen.contains("END"); ++i)
      if (engine.poll(5s)) engine.commit();
    if (const auto at = parse_position(engine.mark("postgres:t").resume); at && at->index > 0) {
      EXPECT_EQ(db.value("select confirmed_flush_lsn <= '" + to_text(at->lsn) +
                         "' from pg_replication_slots where slot_name = '" + engine.options.slot + "'"),
                "t")
          << "the server keeps the transaction that is half read";
    }
    engine.confirm();
  }
  EXPECT_GT(cuts, 1);
  expect_equal(engine, db);
  EXPECT_FALSE(engine.lake.seen.contains("GONE1"));
}

/// A line of /proc/self/status, in MiB.
std::int64_t memory_mb(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stoll(line.substr(name.size() + 1)) / 1024;
  return -1;
}

/// What is in use now; VmHWM counts from here on. What earlier tests have freed is nobody's.
std::int64_t begin_peak() {
  ::malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
  return memory_mb("VmRSS");
}

TEST_P(LargeTransaction, StaysInMemoryHoweverLarge) {
  Database db("ff_memory");
  db(tables_sql);
  Engine engine(db, {orders_yaml});
  engine.options.streaming = GetParam();
  engine.options.batch_records = 1000;
  engine.must_begin();
  const std::int64_t n = 10 * large_transaction_rows();
  const std::int64_t before = begin_peak();
  db("insert into orders select 'L' || i, 'R', 'H', '2026-03-01 08:00Z', repeat('x', 300) from generate_series(1, " +
     std::to_string(n) + ") i");
  std::this_thread::sleep_for(3s);  // It is slow to begin: what comes meanwhile has to wait at the server.
  const auto start = std::chrono::steady_clock::now();
  // A lake that keeps marks only; the reader is killed and begun anew a third of the way.
  std::int64_t records = 0;
  bool was_killed = false;
  while (records < n) {
    ASSERT_LT(std::chrono::steady_clock::now() - start, 280s) << records << " of " << n << " records came";
    if (!engine.poll(5s)) continue;
    {
      const std::lock_guard lock(engine.mutex);
      for (SourceBatch& b : engine.pending) {
        records += static_cast<std::int64_t>(b.batch.records.size());
        engine.lake.marks[engine.partitions->name_of(b.partition)] = {b.last_position, b.resume};
      }
    }
    engine.pending.clear();
    if (was_killed || records < n / 3) continue;
    was_killed = true;
    engine.kill();
    engine.must_start();
  }
  EXPECT_EQ(records, n);
  EXPECT_EQ(engine.mark("postgres:t").position, n) << "each once";
  const std::int64_t grown = memory_mb("VmHWM") - before;
  std::printf("%lld rows in one transaction, streaming %s: %.1f s, memory rose by %lld MiB at its peak\n",
              static_cast<long long>(n), GetParam() ? "on" : "off",
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
              static_cast<long long>(grown));
  EXPECT_LT(grown, 32) << "and its rows alone are more than 60";
}
INSTANTIATE_TEST_SUITE_P(Streaming, LargeTransaction, ::testing::Bool());

TEST(PostgresLive, ASnapshotOfWideRowsStaysInMemory) {
  Database db("ff_wide");
  db(tables_sql);
  const std::int64_t n = 1000;  // of 100 kB: 100 MB
  db("insert into orders select 'W' || i, 'R', 'H', '2026-03-01 08:00Z', repeat('x', 100000) from generate_series(1, " +
     std::to_string(n) + ") i");
  Engine engine(db, {orders_yaml});
  const std::int64_t before = begin_peak();
  engine.must_start();
  std::int64_t records = 0;
  while (records < n) {
    if (!engine.poll(30s)) break;
    records += static_cast<std::int64_t>(engine.pending.back().batch.records.size());
    engine.pending.clear();
  }
  EXPECT_EQ(records, n) << engine.error.message;
  const std::int64_t grown = memory_mb("VmHWM") - before;
  std::printf("a snapshot of 100 MB in wide rows: memory rose by %lld MiB at its peak\n",
              static_cast<long long>(grown));
  EXPECT_LT(grown, 100);
}

TEST(PostgresLive, OfAStreamedTransactionOnlyWhatCommitsIsTold) {
  Database db("ff_rollback");
  db(tables_sql);
  Engine engine(db);
  engine.options.streaming = true;
  engine.options.spill_bytes_max = 5 << 20;  // Two of those below fit, three do not.
  read_an_order(engine, db, "A");
  PgConnection other = db.connect();
  const auto insert = [&](const std::string& prefix) {
    Database::run(other, "insert into orders select '" + prefix +
                             "' || i, 'R', 'H', '2026-03-01 08:00Z', repeat('x', 300) from generate_series(1, 5000) i");
  };
  const auto are_streamed = [&](int count) {
    return comes_true(db, "select stream_txns = " + std::to_string(count) +
                              " from pg_stat_replication_slots where slot_name = '" + engine.options.slot + "'");
  };
  for (int i = 1; i <= 4; ++i) {
    Database::run(other, "begin");
    insert("GONE");
    ASSERT_TRUE(are_streamed(i));
    Database::run(other, "rollback");
  }
  Database::run(other, "begin; savepoint a");
  insert("GONE");
  ASSERT_TRUE(are_streamed(5));
  Database::run(other, "rollback to savepoint a; savepoint b");
  insert("KEPT");
  Database::run(other, "release savepoint b; commit");
  say_end(db);
  engine.run_until_order("END");
  expect_equal(engine, db);
  EXPECT_EQ(engine.lake.records, 5002) << "and nothing of what was rolled back";
}

TEST(PostgresLive, ReadsAgainBesideAWriterAlsoAfterAKill) {
  Database db("ff_again");
  db(tables_sql);
  db(fill_sql(500));
  Engine engine(db);
  read_an_order(engine, db, "A");
  Writer writer(db, 7, 500);
  const std::int64_t before = engine.lake.records;
  const auto ask = [&](std::optional<std::string> from, std::optional<std::string> to, const std::string& slot) {
    return emit_request(db.conninfo, *engine.feeds.set, "pub", "",
                        {slot, "public", "orders", from || to ? "id" : "", from, to});
  };
  ASSERT_TRUE(ask({}, {}, "somebody_elses").ok());
  ASSERT_TRUE(ask({}, {}, engine.options.slot).ok());
  ASSERT_TRUE(ask("A", "B", engine.options.slot).ok());
  engine.run_until([&] { return engine.mark("postgres:t/requests").position >= 2; });
  engine.kill();  // What was asked for is in the lake, and perhaps half of what came of it.
  engine.must_start();
  engine.run_until([&] {
    const Mark open = engine.mark("postgres:t/requests");
    return open.position >= 2 && open.resume.empty();
  });
  // By hand, past all checks: values are no SQL, and what cannot be read does not stop the stream.
  for (const char* column : {"nothing", "id"})
    db(std::string("select pg_logical_emit_message(true, 'fleetflow.snapshot', '") +
       PgSnapshotRequest{engine.options.slot, "public", "orders", column, "x''; drop table orders; --", {}}.to_json() +
       "')");
  engine.run_until([&] {  // What the writer tells meanwhile may stand before the word of it.
    const Mark open = engine.mark("postgres:t/requests");
    return open.position >= 6 && open.resume.empty() && engine.error.cause == "request_refused";
  });
  writer.finish();
  const std::int64_t orders = std::stoll(db.value("select count(*) from orders"));
  EXPECT_GE(engine.lake.records - before, orders + 1);
  say_end(db);
  engine.run_until_order("END");
  expect_equal(engine, db);
  EXPECT_TRUE(comes_true(db, "select count(*) = 1 from pg_replication_slots where database = current_database()"))
      << "only the stream's own slot is left";
}

TEST(PostgresLive, ASlowEngineDoesNotLoseTheConnection) {
  Database db("ff_slow");
  db(tables_sql);
  db("alter database ff_slow set wal_sender_timeout = '3s'");
  Engine engine(db);
  engine.options.batch_records = 10;
  read_an_order(engine, db, "A");
  db("insert into orders select 'S' || i, 'R', 'H', '2026-03-01 08:00Z', 'n' from generate_series(1, 500) i");
  const std::string pid =
      db.value("select active_pid from pg_replication_slots where slot_name = '" + engine.options.slot + "'");
  std::this_thread::sleep_for(5s);  // The queue is full, and nobody polls.
  say_end(db);
  engine.run_until_order("END");
  EXPECT_EQ(db.value("select active_pid from pg_replication_slots where slot_name = '" + engine.options.slot + "'"),
            pid);
  EXPECT_EQ(engine.error.cause, "");
  expect_equal(engine, db);
}

TEST(PostgresLive, ConnectsAgainAndGoesOnWhereItWas) {
  Database db("ff_reconnect");
  db(tables_sql);
  Engine engine(db);
  engine.must_begin();
  for (int i = 0; i < 3; ++i) {
    const std::string id = "A" + std::to_string(i);
    say_end(db, id);
    engine.run_until_order(id);
    db("select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '" + engine.options.slot +
       "'");
  }
  say_end(db);
  engine.run_until_order("END");
  EXPECT_EQ(engine.error.cause, "source_away");
  expect_equal(engine, db);
}

TEST(PostgresLive, WhatRawKeepsReadsBackAsTheSameFacts) {
  Database db("ff_raw");
  db(tables_sql);
  db(fill_sql(300));
  Engine engine(db);
  engine.must_begin();
  {
    Writer a(db, 5, 300);
    engine.run_until([&] { return a.count > 80; });
  }
  say_end(db);
  engine.run_until_order("END");
  expect_equal(engine, db);
  Lake again;
  for (std::uint32_t feed = 0; feed < 3; ++feed) {
    const Contract& contract = (*engine.feeds.set)[feed];
    const auto path = std::filesystem::temp_directory_path() / ("fleetflow-raw-" + std::to_string(::getpid()));
    {
      std::ofstream out(path);
      for (const std::string& payload : engine.lake.payloads)
        if (payload.find("\"table\":\"" + contract.table + "\"") != std::string::npos) out << payload << "\n";
    }
    struct Collect final : Sink {
      explicit Collect(std::deque<Batch>& b) : batches(b) {}
      Result<void> accept(Batch batch) override { return batches.push_back(std::move(batch)), Result<void>{}; }
      std::deque<Batch>& batches;
    };
    static std::deque<Batch> kept;  // tellings point into the facts
    Collect sink(kept);
    const std::size_t first = kept.size();
    const auto stats = make_decoder(contract, feed, engine.key, DriverIds::keys).value()->decode({path, 0, 0}, 0, sink);
    std::filesystem::remove(path);
    ASSERT_TRUE(stats.ok()) << stats.error().message;
    std::vector<Fact*> facts;
    for (std::size_t b = first; b < kept.size(); ++b)
      for (Decoded& d : kept[b].records) {
        ASSERT_TRUE(d.fact()) << d.refusal()->detail << " " << d.payload;
        facts.push_back(d.fact());
      }
    std::stable_sort(facts.begin(), facts.end(), [](const Fact* a, const Fact* b) { return a->version < b->version; });
    for (Fact* f : facts) again.add(*f);
  }
  ASSERT_EQ(again.shipments.size(), engine.lake.shipments.size());
  for (const auto& [id, facts] : engine.lake.shipments) {
    const ShipmentFacts& read = again.shipments.at(id);
    const auto same = [](const auto& a, const auto& b) {
      return a.identity() == b.identity() && a.version == b.version && a.content() == b.content() &&
             a.retracted() == b.retracted() && a.from.ingest_time == b.from.ingest_time;
    };
    EXPECT_TRUE(std::equal(facts.claims.begin(), facts.claims.end(), read.claims.begin(), read.claims.end(), same))
        << id;
    EXPECT_TRUE(std::equal(facts.events.begin(), facts.events.end(), read.events.begin(), read.events.end(), same))
        << id;
  }
  EXPECT_EQ(again.drivers.size(), engine.lake.drivers.size());
  EXPECT_EQ(again.live_drivers(), engine.lake.live_drivers());
}

}  // namespace
}  // namespace ff::testing
