// The Postgres source against a real server (tests/suites/58-postgres.sh starts them): what the lake would have is compared
// with the tables themselves, by plain SQL.
#include "postgres_live.h"

#include <fstream>
#include <random>

#include "decode/decoder.h"

namespace ff::testing {
namespace {

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

void expect_equal(Engine& engine, Database& db, std::int64_t unresolved_max = 0) {
  expect_same(engine.lake.orders(), orders_of(db));
  expect_same(engine.lake.events(), events_of(db));
  EXPECT_EQ(engine.lake.live_drivers(), std::stoll(db.value("select count(*) from drivers")));
  EXPECT_LE(engine.lake.unresolved, unresolved_max);
  EXPECT_TRUE(engine.lake.refusals.empty()) << engine.lake.refusals.front().detail;
}

std::string fill_sql(int orders) {
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
std::string random_transaction(std::mt19937& random, int& next_id) {
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

void say_end(Database& db, const std::string& id = "END") {
  db("insert into orders values ('" + id + "', null, null, '2026-03-09 00:00Z', null)");
}

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

class KilledAnywhere : public ::testing::TestWithParam<unsigned> {};

TEST_P(KilledAnywhere, LosesNothingAndDoublesNothing) {
  std::mt19937 random(GetParam());
  Database db("ff_killed");
  db(tables_sql);
  db(fill_sql(2000));
  Engine engine(db);
  engine.options.snapshot_pages = 8;
  engine.options.batch_records = 1 + random() % 200;
  engine.options.streaming = GetParam() % 2 == 1;
  engine.options.binary = GetParam() % 3 == 1;
  int starts = 0;
  {
    Writer a(db, GetParam() + 100, 100000), b(db, GetParam() + 200, 2000);
    while (starts < 25) {
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
  // A row that was updated and then deleted between two attempts at its snapshot was never read whole. What the update
  // told of it waits in quarantine, and the row is gone, so that no table differs.
  expect_equal(engine, db, 100);
}
INSTANTIATE_TEST_SUITE_P(Seeds, KilledAnywhere, ::testing::Range(1U, 1U + static_cast<unsigned>(std::atoi([] {
                                                                       const char* seeds =
                                                                           std::getenv("FLEETFLOW_TEST_SEEDS");
                                                                       return seeds ? seeds : "2";
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
INSTANTIATE_TEST_SUITE_P(Streaming, LargeTransaction, ::testing::Bool());

TEST(PostgresLive, KeepsLargeValuesThatAnUpdateLeftAlone) {
  Database db("ff_toast");
  db(tables_sql);
  db("insert into orders select 'S' || i, 'R', 'A', '2026-03-01 08:00Z', " + incompressible("i0.i") +
     " from generate_series(1, 20) i0(i)");
  Engine engine(db);
  engine.must_begin();
  say_end(db, "HALF");
  engine.run_until_order("HALF");
  db("update orders set dest = 'B' where id <> 'HALF'");  // notes not sent
  db("begin; insert into orders select 'T', 'R', 'A', '2026-03-01 08:00Z', " + incompressible("'t'") +
     "; update orders set dest = 'B' where id = 'T'; commit");  // told and updated in one batch
  db("delete from orders where id = 'S3'");
  db("alter table orders replica identity full");
  db("update orders set id = 'S1000', dest = 'C' where id = 'S4'");  // the old row comes along, with its note
  say_end(db);
  engine.run_until_order("END");
  expect_equal(engine, db);
  EXPECT_EQ(std::get<3>(engine.lake.orders()["S7"]).size(), 3200U);
  EXPECT_EQ(std::get<3>(engine.lake.orders()["S1000"]).size(), 3200U);
}

TEST(PostgresLive, DoesNotGuessALargeValueItNeverSaw) {
  Database db("ff_toast_key");
  db(tables_sql);
  db("insert into orders select 'S1', 'R', 'A', '2026-03-01 08:00Z', " + incompressible("'s'"));
  Engine engine(db);
  engine.must_begin();
  say_end(db, "HALF");
  engine.run_until_order("HALF");
  db("update orders set id = 'S2' where id = 'S1'");  // another key, and its note stays unsent
  say_end(db);
  engine.run_until_order("END");
  EXPECT_EQ(engine.lake.unresolved, 1);
  EXPECT_FALSE(engine.lake.orders().contains("S2"));
  // The way out: read the row again.
  ASSERT_TRUE(engine.source->snapshot_again("public", "orders", "id = 'S2'").ok());
  engine.run_until([&] { return engine.lake.orders().contains("S2"); });
  expect_same(engine.lake.orders(), orders_of(db));
}

TEST(PostgresLive, AKeyChangeIsTheOldRowGoneAndANewOne) {
  Database db("ff_key");
  db(tables_sql);
  Engine engine(db);
  engine.must_begin();
  db("insert into orders values ('A', 'R', 'H', '2026-03-01 08:00Z', 'n')");
  db("insert into events values ('e1', 'A', 'picked_up', '2026-03-01 09:00Z', 7)");
  db("update orders set id = 'B' where id = 'A'");
  db("update events set shipment_id = 'B' where id = 'e1'");
  db("insert into drivers values (1, 'X', 'Secret Name')");
  db("update drivers set id = 2");
  say_end(db);
  engine.run_until_order("END");
  expect_equal(engine, db);
  EXPECT_TRUE(engine.lake.orders().contains("B"));
  ShipmentRows rows;
  ASSERT_TRUE(engine.lake.shipments.contains("A"));
  fold(engine.lake.shipments.at("A"), rows);
  EXPECT_TRUE(rows.order()->told.is_deleted);
  EXPECT_TRUE(rows.events.at(0).told.is_retracted);
  for (const std::string& payload : engine.lake.payloads)
    EXPECT_EQ(payload.find("Secret"), std::string::npos) << payload;
}

TEST(PostgresLive, RefusesAReplicaIdentityThatCannotTellRowsApart) {
  Database db("ff_identity");
  db(tables_sql);
  db("alter table events drop constraint events_pkey, add primary key (id)");
  Engine engine(db);
  auto started = engine.start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().cause, "replica_identity");
  EXPECT_NE(started.error().message.find("ALTER TABLE public.events REPLICA IDENTITY FULL"), std::string::npos)
      << started.error().message;
  db("create unique index by_shipment on events(shipment_id, id)");
  db("alter table events alter shipment_id set not null");
  db("alter table events replica identity using index by_shipment");
  engine.must_begin();
  db("insert into events values ('e1', 'A', 'picked_up', '2026-03-01 09:00Z', 7)");
  db("update events set status = 'delivered'");
  db("insert into events values ('e2', 'A', 'picked_up', '2026-03-01 09:00Z', 7)");
  db("delete from events where id = 'e2'");
  say_end(db);
  engine.run_until_order("END");
  expect_equal(engine, db);
  db("alter table events replica identity nothing");  // while it runs
  db("insert into events values ('e3', 'A', 'picked_up', '2026-03-01 09:00Z', 7)");
  db("alter table events replica identity default");
  db("insert into events values ('e4', 'A', 'picked_up', '2026-03-01 09:00Z', 7)");
  EXPECT_EQ(engine.run_until_halt().cause, "replica_identity");
}

TEST(PostgresLive, HaltsAtATruncateAndGoesPastItWhenTold) {
  Database db("ff_truncate");
  db(tables_sql);
  db(fill_sql(20));
  Engine engine(db);
  engine.must_begin();
  db("insert into orders values ('A', 'R', 'H', '2026-03-01 08:00Z', 'n')");
  engine.run_until_order("A");
  const auto before = engine.lake.orders().size();
  db("truncate orders");
  say_end(db);
  const Error halted = engine.run_until_halt();
  EXPECT_EQ(halted.cause, "table_truncated");
  EXPECT_FALSE(engine.lake.seen.contains("END"));
  engine.kill();
  engine.must_start();
  EXPECT_EQ(engine.run_until_halt().cause, "table_truncated") << "a restart does not pass it by chance";
  const std::size_t at = halted.message.find("past_truncates: [");
  ASSERT_NE(at, std::string::npos) << halted.message;
  engine.options.past_truncates = {halted.message.substr(at + 17, halted.message.find(']', at) - at - 17)};
  engine.kill();
  engine.must_start();
  engine.run_until_order("END");
  EXPECT_EQ(engine.lake.orders().size(), before + 1);
}

TEST(PostgresLive, ReadsPartitionedTablesByTheirRoot) {
  Database db("ff_partitioned");
  db("create table orders(id text, ref text, dest text, created timestamptz not null, note text, primary key (id)) "
     "partition by hash (id);"
     "create table orders_0 partition of orders for values with (modulus 2, remainder 0);"
     "create table orders_1 partition of orders for values with (modulus 2, remainder 1);"
     "create publication pub for table orders");
  db("insert into orders select 'S' || i, 'R', 'H', '2026-03-01 08:00Z', 'n' from generate_series(1, 500) i");
  Engine engine(db, {orders_yaml});
  auto refused = engine.start();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("publish_via_partition_root = true"), std::string::npos)
      << refused.error().message;
  db("alter publication pub set (publish_via_partition_root = true)");
  engine.must_begin();
  say_end(db, "HALF");
  engine.run_until_order("HALF");
  db("update orders set id = id || 'x' where id like 'S1%'");  // many move to the other partition
  db("delete from orders where id like 'S2%'");
  say_end(db);
  engine.run_until_order("END");
  expect_same(engine.lake.orders(), orders_of(db));
  EXPECT_TRUE(engine.lake.marks.contains(
      "postgres:t/snapshot/" +
      engine.mark("postgres:t/snapshot").resume.substr(0, engine.mark("postgres:t/snapshot").resume.find(' ')) +
      "/public.orders_1/0-8192"));
}

TEST(PostgresLive, TablesChangeUnderIt) {
  Database db("ff_ddl");
  db(tables_sql);
  Engine engine(db);
  engine.must_begin();
  db("insert into orders values ('A', 'R', 'H', '2026-03-01 08:00Z', 'n')");
  db("alter table orders add column weight int");  // drift: known by name, its values never land
  db("insert into orders values ('B', 'R', 'H', '2026-03-01 08:00Z', 'n', 5)");
  db("alter table orders alter created type text using created::text || 'x'");  // a type that is no time any more
  db("insert into orders values ('C', 'R', 'H', 'yesterday', 'n', 5)");
  db("begin; alter table orders drop column created; insert into orders values ('D', 'R', 'H', 'n', 5); commit");  // a required one
  db("alter table orders add column created timestamptz default '2026-03-01 08:00Z'");
  db("alter table orders rename column dest to destination");  // an optional one: not said from now on, and drift
  db("insert into orders values ('E', 'R', 'H', 'n', 5)");
  say_end(db, "F");  // by position into other columns by now: created is the last one and has its default
  engine.run_until([&] { return engine.lake.refusals.size() >= 3 || engine.lake.seen.contains("F"); });
  EXPECT_TRUE(engine.lake.seen.contains("A") && engine.lake.seen.contains("B") && engine.lake.seen.contains("E"));
  ASSERT_GE(engine.lake.refusals.size(), 2U);
  EXPECT_EQ(engine.lake.refusals[0].reason, "wrong_type");
  EXPECT_EQ(engine.lake.refusals[0].subject, "C");
  EXPECT_EQ(engine.lake.refusals[1].reason, "missing_field");
  EXPECT_EQ(engine.lake.refusals[1].subject, "D");
  const std::set<std::string> drifts(engine.lake.drifts.begin(), engine.lake.drifts.end());
  EXPECT_TRUE(drifts.contains("weight") && drifts.contains("destination") && drifts.contains("dest"));
  for (const std::string& payload : engine.lake.payloads) EXPECT_EQ(payload.find("weight"), std::string::npos);
}

TEST(PostgresLive, RefusesASlotThatIsNotTheOneItRead) {
  Database db("ff_slots");
  db(tables_sql);
  Engine engine(db);
  engine.must_begin();
  say_end(db, "A");
  engine.run_until_order("A");
  engine.kill();
  const std::string slot = "'" + engine.options.slot + "'";
  const auto drop = [&] {
    for (int i = 0; i < 100 && db.value("select active from pg_replication_slots where slot_name = " + slot) == "t";
         ++i)
      std::this_thread::sleep_for(20ms);
    db("select pg_drop_replication_slot(" + slot + ")");
  };
  drop();
  auto refused = engine.start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, "slot_missing");
  say_end(db, "LOST");
  db("select pg_create_logical_replication_slot(" + slot + ", 'pgoutput')");
  refused = engine.start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, "slot_gap") << "made anew: LOST would be lost in silence";
  drop();
  db("select pg_create_physical_replication_slot(" + slot + ")");
  refused = engine.start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, "slot_foreign");
}

TEST(PostgresLive, RefusesASlotThatSomebodyElseMoved) {
  Database db("ff_moved");
  db(tables_sql);
  Engine engine(db);
  engine.must_begin();
  say_end(db, "A");
  engine.run_until_order("A");
  engine.kill();
  say_end(db, "SKIPPED");
  for (int i = 0; i < 100 && db.value("select bool_or(active) from pg_replication_slots where slot_name = '" +
                                      engine.options.slot + "'") == "t";
       ++i)
    std::this_thread::sleep_for(20ms);
  db("select pg_replication_slot_advance('" + engine.options.slot + "', pg_current_wal_lsn())");
  const auto refused = engine.start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, "slot_gap") << refused.error().message;
}

TEST(PostgresLive, RefusesASlotThatTheServerGaveUp) {
  Database db("ff_lost");
  db(tables_sql);
  Engine engine(db);
  engine.must_begin();
  say_end(db, "A");
  engine.run_until_order("A");
  engine.kill();
  db("alter system set max_slot_wal_keep_size = '1MB'");
  db("select pg_reload_conf()");
  for (int i = 0; i < 4; ++i)
    db("select pg_switch_wal()"), db("create table if not exists filler as select 1 x"),
        db("insert into filler select generate_series(1, 1000)");
  db("checkpoint");
  const std::string status =
      db.value("select wal_status from pg_replication_slots where slot_name = '" + engine.options.slot + "'");
  db("alter system reset max_slot_wal_keep_size");
  db("select pg_reload_conf()");
  ASSERT_EQ(status, "lost");
  const auto refused = engine.start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, "slot_lost") << refused.error().message;
}

TEST(PostgresLive, RefusesAnotherClusterUnderTheOldName) {
  const char* other = std::getenv("FLEETFLOW_TEST_POSTGRES_OTHER");
  if (!other) GTEST_SKIP() << "FLEETFLOW_TEST_POSTGRES_OTHER names no second server";
  Database db("ff_cluster");
  db(tables_sql);
  Engine engine(db);
  engine.must_begin();
  say_end(db, "A");
  engine.run_until_order("A");
  engine.kill();
  PgConnection admin = PgConnection::open(other, PgMode::sql).value();
  Database::run(admin, "drop database if exists ff_cluster with (force)");
  Database::run(admin, "create database ff_cluster");
  engine.options.conninfo = std::string(other) + " dbname=ff_cluster";
  {
    PgConnection there = PgConnection::open(engine.options.conninfo, PgMode::sql).value();
    for (const std::string& statement : {tables_sql}) Database::run(there, statement);
  }
  const auto refused = engine.start();
  Database::run(admin, "drop database ff_cluster with (force)");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, "other_cluster") << refused.error().message;
}

TEST(PostgresLive, TellsTheServerOnlyWhatTheLakeHas) {
  Database db("ff_flush");
  db(tables_sql);
  Engine engine(db);
  engine.must_begin();
  say_end(db, "A");
  engine.run_until_order("A");
  std::this_thread::sleep_for(300ms);
  const auto confirmed = [&] {
    return db.value("select confirmed_flush_lsn from pg_replication_slots where slot_name = '" + engine.options.slot +
                    "'");
  };
  const std::string before = confirmed();
  say_end(db, "B");
  for (int i = 0; i < 40; ++i) engine.poll();  // read, but in no lake
  EXPECT_FALSE(engine.pending.empty());
  EXPECT_EQ(confirmed(), before);
  engine.commit();
  std::this_thread::sleep_for(1500ms);
  EXPECT_EQ(confirmed(), before) << "committed, and nobody has confirmed it";
  engine.confirm();
  for (int i = 0; i < 50 && confirmed() == before; ++i) engine.poll(), engine.commit();
  EXPECT_NE(confirmed(), before);
  EXPECT_LE(parse_lsn(confirmed())->bytes, parse_position(engine.mark("postgres:t").resume)->lsn.bytes);
}

TEST(PostgresLive, AnIdleSlotMovesOnThroughTheLake) {
  Database db("ff_idle");
  db(tables_sql);
  db("create table busy(x text)");  // of no publication
  Engine engine(db);
  engine.options.idle_bytes = 100'000;
  engine.must_begin();
  say_end(db, "A");
  engine.run_until_order("A");
  const auto confirmed = [&] {
    return db.value("select confirmed_flush_lsn from pg_replication_slots where slot_name = '" + engine.options.slot +
                    "'");
  };
  const std::string before = confirmed(), mark = engine.mark("postgres:t").resume;
  const std::int64_t position = engine.mark("postgres:t").position;
  db("insert into busy select repeat('x', 100) from generate_series(1, 20000)");
  const std::string target = db.value("select pg_current_wal_lsn()");
  engine.run_until([&] { return parse_lsn(confirmed())->bytes + 100'000 > parse_lsn(target)->bytes; });
  EXPECT_NE(engine.mark("postgres:t").resume, mark);
  EXPECT_EQ(engine.mark("postgres:t").position, position);
  engine.kill();
  engine.must_start();  // and it is no gap
  say_end(db);
  engine.run_until_order("END");
  expect_equal(engine, db);
}

TEST(PostgresLive, ASlowEngineDoesNotLoseTheConnection) {
  Database db("ff_slow");
  db(tables_sql);
  db("alter database ff_slow set wal_sender_timeout = '3s'");
  Engine engine(db);
  engine.options.batch_records = 10;
  engine.must_begin();
  say_end(db, "A");
  engine.run_until_order("A");
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

TEST(PostgresLive, NamesWhatIsMissingAndTheWayOut) {
  Database db("ff_setup");
  Engine engine(db);
  const auto refusal = [&]() -> Error {
    const auto started = engine.start();
    return started.ok() ? Error{} : started.error();
  };
  EXPECT_EQ(refusal().cause, "publication_missing");
  EXPECT_NE(refusal().message.find("CREATE PUBLICATION \"pub\" FOR TABLE"), std::string::npos) << refusal().message;
  db("create publication pub");
  EXPECT_EQ(refusal().cause, "table_missing");
  db("create table orders(id text primary key, ref text, dest text, created timestamptz)");
  EXPECT_EQ(refusal().cause, "table_not_published");
  db("alter publication pub add table orders");
  const Error mismatch = refusal();
  EXPECT_EQ(mismatch.cause, "table_mismatch");
  EXPECT_NE(mismatch.message.find("'note'"), std::string::npos) << mismatch.message;
  engine.options.conninfo += " port=1";
  EXPECT_EQ(refusal().cause, "source_away");
  EXPECT_EQ(refusal().recourse, Recourse::retry);
}

TEST(PostgresLive, FailoverToAStandbyThatHasTheSlot) {
  const char* standby = std::getenv("FLEETFLOW_TEST_STANDBY");
  if (!standby) GTEST_SKIP() << "FLEETFLOW_TEST_STANDBY names no standby";
  Database db("ff_failover");
  db(tables_sql);
  Engine engine(db);
  const std::string primary = engine.options.conninfo, there = std::string(standby) + " dbname=ff_failover";
  engine.must_begin();
  say_end(db, "A");
  engine.run_until_order("A");
  const auto on_standby = [&](const std::string& query) {
    auto connection = PgConnection::open(there, PgMode::sql);
    if (!connection.ok()) return std::string();
    const auto rows = connection.value().query(query);
    return rows.ok() && !rows.value().empty() ? rows.value()[0][0].value_or("") : std::string();
  };
  const std::string is_synced =
      "select synced and not temporary from pg_replication_slots where slot_name = '" + engine.options.slot + "'";
  const auto end = std::chrono::steady_clock::now() + 90s;  // The standby looks every 0.2 to 30 s.
  for (int i = 0; on_standby(is_synced) != "t" && std::chrono::steady_clock::now() < end; ++i) {
    say_end(db, "TICK" + std::to_string(i));  // A slot is synced when it has moved.
    std::this_thread::sleep_for(100ms);
    while (engine.poll(10ms)) engine.commit(), engine.confirm();
  }
  ASSERT_EQ(on_standby(is_synced), "t");
  say_end(db, "B");
  engine.run_until_order("B");
  say_end(db, "C");  // in the standby, not in the lake
  const std::string written = db.value("select pg_current_wal_lsn()");
  for (int i = 0; i < 200 && on_standby("select pg_last_wal_replay_lsn() >= '" + written + "'") != "t"; ++i)
    std::this_thread::sleep_for(50ms);
  engine.kill();
  ASSERT_EQ(on_standby("select pg_promote()"), "t");

  engine.options.conninfo = there;
  engine.must_start();
  engine.run_until_order("C");
  {
    PgConnection promoted = PgConnection::open(there, PgMode::sql).value();
    Database::run(promoted, "insert into orders values ('D', null, null, '2026-03-09 00:00Z', null)");
  }
  engine.run_until_order("D");
  EXPECT_EQ(parse_position(engine.mark("postgres:t").resume)->timeline, 2);
  EXPECT_TRUE(engine.lake.orders().contains("A") && engine.lake.orders().contains("B"));

  // A lake that went on with the old server after the new one had left it has read what the new one never had.
  engine.kill();
  Engine astray(db);
  astray.options.slot = engine.options.slot + "_astray";
  astray.must_begin();
  say_end(db, "ASTRAY");
  astray.run_until_order("ASTRAY");
  astray.kill();
  astray.options.conninfo = there;
  {
    PgConnection promoted = PgConnection::open(there, PgMode::sql).value();
    Database::run(promoted, "select pg_create_logical_replication_slot('" + astray.options.slot + "', 'pgoutput')");
  }
  const auto refused = astray.start();
  {
    PgConnection promoted = PgConnection::open(there, PgMode::sql).value();
    Database::run(promoted, "select pg_drop_replication_slot('" + astray.options.slot + "')");
  }
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, "timeline_diverged") << refused.error().message;
}

}  // namespace
}  // namespace ff::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (ff::testing::server().empty()) {
    std::fprintf(stderr, "postgres_live: FLEETFLOW_TEST_POSTGRES must be the conninfo of a server's superuser\n");
    return 2;
  }
  return RUN_ALL_TESTS();
}
