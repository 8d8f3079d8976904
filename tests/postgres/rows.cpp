// What a change means: large values, keys, identities, TRUNCATE, partitions, tables that are altered.
// Against a real server: what the lake would have is compared with the tables themselves, by plain SQL.
#include "writing.h"

namespace ff::testing {
namespace {

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
  const auto ask = [&](const std::string& table) {
    return emit_request(db.conninfo, *engine.feeds.set, "pub", "",
                        {engine.options.slot, "public", table, "id", "S2", "S3"});
  };
  EXPECT_EQ(ask("nothing").error().cause, "table_missing");
  ASSERT_TRUE(ask("orders").ok());
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

TEST(PostgresLive, InsertsNeedNoReplicaIdentity) {
  Database db("ff_nothing");
  db(tables_sql);
  db("alter table events replica identity nothing");
  Engine engine(db);
  const auto refused = engine.start();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().cause, "replica_identity") << "its publication tells of updates";
  db("alter publication pub set (publish = 'insert')");
  engine.must_begin();
  db("insert into events values ('e1', 'A', 'picked_up', '2026-03-01 09:00Z', 7)");
  db("update events set status = 'delivered'");
  say_end(db);
  engine.run_until_order("END");
  EXPECT_EQ(engine.lake.events().at("A|e1").first, "picked_up") << "as it was inserted";
  // Once it tells of updates, the server itself makes none that nobody could place.
  db("alter publication pub set (publish = 'insert, update, delete')");
  for (const char* change : {"update events set status = 'delivered'", "delete from events"}) {
    const auto made = db.sql->query(change);
    ASSERT_FALSE(made.ok());
    EXPECT_NE(made.error().message.find("does not have a replica identity"), std::string::npos) << made.error().message;
  }
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

/// How the server sends values, and transactions that are large.
struct Wire {
  const char* name;
  bool binary, streaming;
};
class OnEachWire : public ::testing::TestWithParam<Wire> {};
INSTANTIATE_TEST_SUITE_P(Wires, OnEachWire,
                         ::testing::Values(Wire{"Text", false, false}, Wire{"Binary", true, false},
                                           Wire{"BinaryStreamed", true, true}),
                         [](const auto& wire) { return wire.param.name; });

TEST_P(OnEachWire, TablesChangeUnderIt) {
  Database db("ff_ddl");
  db(tables_sql);
  Engine engine(db);
  engine.options.binary = GetParam().binary;
  engine.options.streaming = GetParam().streaming;
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

TEST_P(OnEachWire, ATypeThatIsNewToItIsReadAsText) {
  Database db("ff_retyped");
  db(tables_sql);
  db("create type level as enum ('slow', 'express')");
  Engine engine(db);
  engine.options.binary = GetParam().binary;
  engine.options.streaming = GetParam().streaming;
  read_an_order(engine, db, "A");
  EXPECT_EQ(stream_command(engine, db).find("binary") != std::string::npos, GetParam().binary);
  db("alter table orders alter dest type inet using inet '10.0.0.1', alter note type level using level 'slow'");
  // Enough for a transaction that is streamed.
  db("insert into orders select 'B' || i, 'R', '10.0.0.2', '2026-03-01 08:00Z', 'express' from generate_series(1, "
     "2000) i");
  db("alter table orders alter dest type text");  // and what the server says of it now is of no help
  say_end(db);
  engine.run_until_order("END");
  const auto orders = engine.lake.orders();
  EXPECT_EQ(orders.size(), 2002U);
  for (const auto& [id, order] : orders) {
    if (!id.starts_with("B")) continue;
    ASSERT_EQ(std::get<1>(order), "10.0.0.2");
    ASSERT_EQ(std::get<3>(order), "express");
  }
}

TEST(PostgresLive, TextAndBinarySayTheSame) {
  Database db("ff_types");
  db("create type level as enum ('slow', 'express')");
  const bool has_infinite_intervals = db.sql->server_version() >= 170000;
  const std::vector<std::pair<std::string, std::vector<std::string>>> types = {
      {"level", {"express", "slow"}},
      {"timestamptz", {"infinity", "-infinity", "0044-03-15 12:00+00 BC", "2026-03-01 08:00:00.000001+02"}},
      {"text[]", {"{}", R"({a,NULL,"null","b,c","d\\\"",""})", R"({{x,y},{z,"\\t"}})", "[0:1]={a,b}"}},
      {"int[]", {"{1,-2,NULL}"}},
      {"numeric", {"NaN", "Infinity", "-Infinity", "0.00", "-12345678901234567890.000100", "1e20", "1e-20"}},
      {"jsonb", {R"({"a": [1, null, "x\u00e9"]})", R"("")", "null"}},
      {"json", {R"({ "a":1 })"}},
      {"timestamp", {"infinity", "2026-03-01 08:00:00.5"}},
      {"date", {"infinity", "-infinity", "0001-12-31 BC", "2026-02-28"}},
      {"time", {"24:00:00", "00:00:00.123"}},
      {"float8", {"NaN", "-Infinity", "-0", "1e15", "123456789012345", "0.0001", "1e-5", "1e-300"}},
      {"float4", {"Infinity", "1e6", "123456", "0.1"}},
      {"interval",
       {"-1 year +2 days -03:04:05.6", has_infinite_intervals ? "infinity" : "0",
        has_infinite_intervals ? "-infinity" : "0"}},
      {"boolean", {"t", "f"}},
      {"bigint", {"-9223372036854775808"}},
      {"bytea", {R"(\x00ff)"}},
      {"uuid", {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
      {"char(3)", {"x"}}};
  std::string columns, others;
  for (std::size_t i = 0; i < types.size(); ++i) {
    columns += ", c" + std::to_string(i) + " " + types[i].first;
    if (i > 1) others += (i == 2 ? "c" : ", c") + std::to_string(i);
  }
  db("create table kinds(id int primary key, created timestamptz" + columns + ")");
  db("create publication pub for table kinds");
  std::string yaml = contract_yaml("kinds", "kinds", "shipment",
                                   "      - {name: shipment_id, physicalName: id, logicalType: string}\n"
                                   "      - {name: created_at, physicalName: created, logicalType: timestamp}\n"
                                   "      - {name: service_level, physicalName: c0, logicalType: string}\n"
                                   "      - {name: promised_pickup_by, physicalName: c1, logicalType: timestamp}\n");
  yaml.insert(yaml.find("schema:\n"), "  - {property: otherColumns, value: [" + others + "]}\n");
  Engine text(db, {yaml}), binary(db, {yaml});
  binary.options.slot += "_binary";
  binary.options.binary = true;
  text.must_begin();
  binary.must_begin();
  for (std::size_t row = 0; row < 8; ++row) {
    std::string values = std::to_string(row) + ", '2026-03-01 08:00Z'";
    for (const auto& [type, said] : types) values += ", '" + said[row % said.size()] + "'";
    db("insert into kinds values (" + values + ")");
  }
  text.run_until([&] { return text.lake.records == 8; });
  binary.run_until([&] { return binary.lake.records == 8; });
  EXPECT_EQ(stream_command(text, db).find("binary"), std::string::npos);
  EXPECT_NE(stream_command(binary, db).find("binary 'true'"), std::string::npos);
  EXPECT_EQ(text.lake.payloads, binary.lake.payloads);
  EXPECT_EQ(text.lake.seen, binary.lake.seen);
  EXPECT_EQ(text.lake.orders(), binary.lake.orders());
  EXPECT_EQ(text.lake.refusals.size(), binary.lake.refusals.size());
}

}  // namespace
}  // namespace ff::testing
