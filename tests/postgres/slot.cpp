// The slot: what it is told, when it moves, which one is not ours, and what a failover leaves of it.
// Against a real server: what the lake would have is compared with the tables themselves, by plain SQL.
#include "live.h"

namespace ff::testing {
namespace {

TEST(PostgresLive, RefusesASlotThatIsNotTheOneItRead) {
  Database db("ff_slots");
  db(tables_sql);
  Engine engine(db);
  read_an_order(engine, db, "A");
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
  read_an_order(engine, db, "A");
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
  read_an_order(engine, db, "A");
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
  read_an_order(engine, db, "A");
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
  read_an_order(engine, db, "A");
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
  read_an_order(engine, db, "A");
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
  read_an_order(engine, db, "A");
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
