// The slot: what it is told, when it moves, which one is not ours, and what a failover leaves of it.
// Against a real server: what the lake would have is compared with the tables themselves, by plain SQL.
#include "writing.h"

namespace ff::testing {
namespace {

/// It stops for that reason, and its message names the way out.
void expect_refusal(const Result<void>& started, const std::string& cause, const std::string& way_out) {
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().cause, cause);
  EXPECT_EQ(started.error().recourse, Recourse::halt);
  EXPECT_NE(started.error().message.find(way_out), std::string::npos) << started.error().message;
}

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
  expect_refusal(engine.start(), "slot_missing", "raise authority.epoch");
  say_end(db, "LOST");
  db("select pg_create_logical_replication_slot(" + slot + ", 'pgoutput')");
  expect_refusal(engine.start(), "slot_gap", "raise authority.epoch");  // made anew: LOST would be lost in silence
  drop();
  db("select pg_create_physical_replication_slot(" + slot + ")");
  expect_refusal(engine.start(), "slot_foreign", "choose another slot name");
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
  expect_refusal(engine.start(), "slot_gap", "raise authority.epoch");
}

/// A setting of the server, until the end of the scope.
class Setting {
 public:
  Setting(Database& db, const std::string& name, const std::string& value) : db_(db), name_(name) {
    db_("alter system set " + name + " = '" + value + "'");
    db_("select pg_reload_conf()");
  }
  ~Setting() {
    db_("alter system reset " + name_);
    db_("select pg_reload_conf()");
  }

 private:
  Database& db_;
  std::string name_;
};

/// Checkpoints until the slot is lost: a setting takes its time to reach the server's processes.
void lose_the_slot(Engine& engine, Database& db, const std::string& setting, const std::string& value) {
  const Setting cap(db, setting, value);
  db("create table filler(x int)");
  std::string status;
  for (int i = 0; i < 50 && status != "lost"; ++i) {
    db("insert into filler select generate_series(1, 1000)");
    db("select pg_switch_wal()");
    db("checkpoint");
    status = db.value("select wal_status from pg_replication_slots where slot_name = '" + engine.options.slot + "'");
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_EQ(status, "lost");
}

TEST(PostgresLive, RefusesASlotThatTheServerGaveUp) {
  Database db("ff_lost");
  db(tables_sql);
  Engine engine(db);
  read_an_order(engine, db, "A");
  engine.kill();
  lose_the_slot(engine, db, "max_slot_wal_keep_size", "1MB");
  expect_refusal(engine.start(), "slot_lost", "max_slot_wal_keep_size");
}

TEST(PostgresLive, HaltsWhenTheServerGivesTheSlotUpUnderIt) {
  Database db("ff_lost_under");
  db(tables_sql);
  Engine engine(db);
  read_an_order(engine, db, "A");
  lose_the_slot(engine, db, "max_slot_wal_keep_size", "1MB");
  expect_refusal(engine.run_until_halt(), "slot_lost", "max_slot_wal_keep_size");
}

TEST(PostgresLive, RefusesASlotThatWasIdleForTooLong) {
  Database db("ff_idle_slot");
  if (db.sql->server_version() < 180000) GTEST_SKIP() << "no idle_replication_slot_timeout before 18";
  db(tables_sql);
  Engine engine(db);
  read_an_order(engine, db, "A");
  engine.kill();
  lose_the_slot(engine, db, "idle_replication_slot_timeout", "1s");
  expect_refusal(engine.start(), "slot_lost", "'idle_timeout' (max_slot_wal_keep_size, idle_replication_slot_timeout)");
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
  expect_refusal(refused, "other_cluster", "point conninfo to the right one");
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
  // The lake is left behind while others write on, and the standby takes over in the middle of it.
  Writer before(db, 11, 0);
  say_end(db, "B");
  engine.run_until_order("B");
  engine.run_until([&] { return before.count > 100; });
  engine.kill();
  const std::string written = db.value("select pg_current_wal_lsn()");
  for (int i = 0; i < 200 && on_standby("select pg_last_wal_replay_lsn() > '" + written + "'") != "t"; ++i)
    std::this_thread::sleep_for(50ms);
  ASSERT_EQ(on_standby("select pg_promote()"), "t");
  before.finish();

  db.conninfo = engine.options.conninfo = there;
  db.sql.emplace(db.connect());
  {
    Writer after(db, 12, 100000);
    engine.must_start();
    engine.run_until([&] { return after.count > 100; });
  }
  say_end(db, "D");
  engine.run_until_order("D");
  EXPECT_EQ(parse_position(engine.mark("postgres:t").resume)->timeline, 2);
  expect_equal(engine, db);
  db.conninfo = primary;
  db.sql.emplace(db.connect());

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
  expect_refusal(refused, "timeline_diverged", "Raise authority.epoch");
}

}  // namespace
}  // namespace ff::testing
