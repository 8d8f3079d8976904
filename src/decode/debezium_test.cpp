// Envelopes as Debezium 2 and 3 write them for Postgres, with and without the wrapper, and our own.
#include "decode/debezium.h"

#include "base/time.h"
#include "decode/avro_testing.h"
#include "decode/decode_testing.h"

namespace ff {
namespace {
using testing::AvroBytes;
using testing::Collected;
using testing::contract_of;
using testing::decode_text;

Contract orders(const std::string& created = "logicalTypeOptions: {defaultTimezone: UTC}") {
  return contract_of(R"(
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
servers:
  - {server: landing, type: local, path: orders*.ndjson, format: debezium}
customProperties:
  - {property: namespace, value: acme}
  - {property: otherColumns, value: [weight]}
schema:
  - name: shipment
    properties:
      - {name: shipment_id, physicalName: id, logicalType: string}
      - {name: created_at, physicalName: created, logicalType: timestamp, )" +
                     created + R"(}
      - {name: destination_hub, physicalName: dest, logicalType: string}
      - {name: service_level, physicalName: note, logicalType: string}
  - name: driver
    properties:
      - {name: driver_id, physicalName: driver, logicalType: string}
      - {name: phone, logicalType: string, classification: pii}
)");
}

std::string envelope(const std::string& op, const std::string& row, const std::string& sequence,
                     const std::string& more = "") {
  return R"({"before":)" + (op == "d" ? row : "null") + R"(,"after":)" + (op == "d" ? "null" : row) +
         R"(,"source":{"version":"3.6.1.Final","connector":"postgresql","name":"db","ts_ms":1772440000123,"ts_us":1772440000123456,"snapshot":"false","db":"o","sequence":")" +
         sequence + R"(","schema":"public","table":"orders","txId":555,"lsn":200},"op":")" + op +
         R"(","ts_ms":1772440000999)" + more + "}\n";
}
const std::string order_row =
    R"({"id":17,"created":1772440000000000,"dest":"CGN","note":"std","driver":"D7","phone":"+49 123"})";
const std::string sequence = R"([\"160\",\"200\"])";

TEST(Debezium, AChangeIsARowWithItsVersionAndItsTime) {
  const Contract contract =
      orders("customProperties: [{property: unit, value: us}], logicalTypeOptions: {defaultTimezone: UTC}");
  const auto out = decode_text(contract, envelope("c", order_row, sequence));
  ASSERT_EQ(out.all.size(), 2U);
  const Fact& fact = *out.all[0]->fact();
  const auto& order = out.fact<ShipmentFact>(0);
  EXPECT_EQ(order.shipment_id, "17");
  EXPECT_EQ(order.created_at, 1772440000000000);
  EXPECT_EQ(fact.version.ordinal, 160) << "the last commit before";
  EXPECT_EQ(fact.version.ordinal_minor, 2 * 5) << "(200 - 160) / 8: the place behind it";
  EXPECT_EQ(fact.from.ingest_time, 1772440000123456) << "the commit's, not the connector's";
  EXPECT_EQ(fact.unchanged, 0U);
  EXPECT_EQ(out.fact<DriverFact>(1).driver_key.size(), 32U);
  for (const char* secret : {"D7", "+49 123"})
    EXPECT_EQ(out.payload(0).find(secret), std::string::npos) << out.payload(0);
}

TEST(Debezium, TheOrderInTheTransactionGoesBeforeThePlaceInTheLog) {
  const auto out =
      decode_text(orders(), envelope("u", R"({"id":"S1","created":"2026-03-02T08:00:00Z","driver":"D"})", sequence,
                                     R"(,"transaction":{"id":"555:200","total_order":3,"data_collection_order":1})"));
  EXPECT_EQ(out.all[0]->fact()->version.ordinal_minor, 2 * 3);
}

TEST(Debezium, BeforeAnyCommitTheChangesOwnPlaceCounts) {
  const auto out = decode_text(
      orders(), envelope("r", R"({"id":"S1","created":"2026-03-02T08:00:00Z","driver":"D"})", R"([null,\"200\"])"));
  EXPECT_EQ(out.all[0]->fact()->version.ordinal, 200);
  EXPECT_EQ(out.all[0]->fact()->version.ordinal_minor, 0);
}

TEST(Debezium, ATimeOrPlaceThatNoServerTellsIsAsIfItWereNotSaid) {
  const std::string row = R"({"id":"S1","created":"2026-03-02T08:00:00Z","driver":"D"})";
  const auto late = decode_text(
      orders(), R"({"before":null,"after":)" + row + R"(,"source":{"lsn":200},"op":"c","ts_ms":1772441772440000999})");
  EXPECT_EQ(late.all[0]->fact()->from.ingest_time, 1772440000000000)
      << "the file's arrival: so many milliseconds are no time";
  const auto before_all =
      decode_text(orders(), R"({"before":null,"after":)" + row +
                                R"(,"source":{"lsn":-9223372036854775000,"sequence":"[\"2000\"]"},"op":"c"})");
  EXPECT_EQ(before_all.all[0]->fact()->version.ordinal, 2000);
  EXPECT_EQ(before_all.all[0]->fact()->version.ordinal_minor, 0);
}

TEST(Debezium, NumbersAreTimesIfTheWrapperSaysSo) {
  const std::string schema =
      R"({"type":"struct","fields":[{"type":"struct","field":"after","fields":[{"type":"int64","name":"io.debezium.time.MicroTimestamp","field":"created"}]}]})";
  std::string payload = envelope("c", order_row, sequence);
  payload.pop_back();
  const std::string wrapped = R"({"schema":)" + schema + R"(,"payload":)" + payload + "}\n";
  const auto out = decode_text(orders(), wrapped + payload + "\n");
  ASSERT_EQ(out.all.size(), 4U);
  EXPECT_EQ(out.fact<ShipmentFact>(0).created_at, 1772440000000000);
  EXPECT_EQ(out.outcome(2), "wrong_type created_at") << "without the wrapper nobody knows, and nothing is guessed";
}

TEST(Debezium, WhatWasNotSentIsUnchangedAndNotText) {
  const auto out = decode_text(
      orders(),
      envelope(
          "u",
          R"({"id":"S1","created":"2026-03-02T08:00:00Z","dest":"A","note":"__debezium_unavailable_value","driver":"D"})",
          sequence));
  EXPECT_EQ(out.all[0]->fact()->unchanged, bit(FactField::service_level));
  EXPECT_NE(out.payload(0).find("__debezium_unavailable_value"), std::string::npos);
}

TEST(Debezium, ADeletionIsTrustedInItsKeyOnly) {
  const auto out =
      decode_text(orders(), envelope("d", R"({"id":"S1","created":0,"dest":"","note":null,"driver":"D"})", sequence));
  ASSERT_EQ(out.all.size(), 2U);
  EXPECT_TRUE(out.fact<ShipmentFact>(0).is_deleted);
  EXPECT_EQ(out.all[0]->fact()->unchanged,
            bit(FactField::created_at) | bit(FactField::destination_hub) | bit(FactField::service_level));
  EXPECT_TRUE(out.fact<DriverFact>(1).is_deleted);
}

TEST(Debezium, AChangedKeyIsTheOldThingGoneAndANewOne) {
  const std::string before = R"({"id":"S1","created":0,"dest":"","note":null,"driver":"D1"})",
                    after = R"({"id":"S2","created":"2026-03-02T08:00:00Z","dest":"A","note":"std","driver":"D1"})";
  std::string change = envelope("u", after, sequence);
  change.replace(change.find("null"), 4, before);
  const auto out = decode_text(orders(), change);
  ASSERT_EQ(out.all.size(), 4U);
  const auto &gone = out.fact<ShipmentFact>(0), &now = out.fact<ShipmentFact>(2);
  EXPECT_EQ(gone.shipment_id, "S1");
  EXPECT_TRUE(gone.is_deleted);
  EXPECT_EQ(now.shipment_id, "S2");
  EXPECT_FALSE(now.is_deleted);
  EXPECT_EQ(now.destination_hub, "A");
  EXPECT_EQ(out.all[0]->fact()->from.position, out.all[2]->fact()->from.position) << "one record: read whole or not";
  EXPECT_TRUE(out.fact<DriverFact>(1).is_deleted);
  EXPECT_TRUE(out.all[1]->fact()->version < out.all[3]->fact()->version) << "who stays is there at last";

  const auto again = decode_text(orders(), std::string(out.payload(0)) + "\n" + std::string(out.payload(2)) + "\n", 0,
                                 DriverIds::keys);
  ASSERT_EQ(again.all.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(again.all[i]->fact()->version == out.all[i]->fact()->version);
    EXPECT_EQ(again.all[i]->fact()->unchanged, out.all[i]->fact()->unchanged);
  }
}

TEST(Debezium, ABeforeThatLacksTheKeyTellsNothing) {
  std::string change = envelope("u", R"({"id":"S1","created":"2026-03-02T08:00:00Z","driver":"D"})", sequence);
  change.replace(change.find("null"), 4, R"({"id":null,"dest":"","note":"old"})");
  const auto out = decode_text(orders(), change);
  ASSERT_EQ(out.all.size(), 2U);
  EXPECT_FALSE(out.fact<ShipmentFact>(0).is_deleted);
}

TEST(Debezium, ItsOwnPayloadReadsBackAsTheSameFacts) {
  const Contract contract =
      orders("customProperties: [{property: unit, value: us}], logicalTypeOptions: {defaultTimezone: UTC}");
  const auto first = decode_text(contract, envelope("c", order_row, sequence));
  const auto again = decode_text(contract, std::string(first.payload(0)) + "\n", 0, DriverIds::keys);
  ASSERT_EQ(again.all.size(), 2U);
  EXPECT_EQ(again.fact<DriverFact>(1).driver_key, first.fact<DriverFact>(1).driver_key);
  EXPECT_EQ(again.fact<ShipmentFact>(0).created_at, first.fact<ShipmentFact>(0).created_at);
  EXPECT_TRUE(again.all[0]->fact()->version == first.all[0]->fact()->version);
  EXPECT_EQ(again.all[0]->fact()->from.ingest_time, first.all[0]->fact()->from.ingest_time);
  EXPECT_EQ(again.payload(0), first.payload(0));
}

TEST(Debezium, WhatIsNoEnvelopeIsRefusedAndATombstoneIsNothing) {
  const auto out = decode_text(orders(),
                               "{\"id\":1}\nnull\n\n{\"op\":\"t\",\"source\":{}}\n{\"op\":\"c\",\"after\":null}\n{"
                               "\"op\":\"c\",\"after\":{\"id\":tru}}\n");
  ASSERT_EQ(out.all.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(out.outcome(i), "malformed_record");
  EXPECT_EQ(out.refusal(1).from.position, 4);
}

TEST(Debezium, UnknownColumnsAreDriftAndNeverLand) {
  const auto out = decode_text(
      orders(),
      envelope("c", R"({"id":"S1","created":"2026-03-02T08:00:00Z","driver":"D","salary":"98765"})", sequence));
  EXPECT_EQ(out.drifts, std::vector<std::string>{"salary"});
  EXPECT_EQ(out.payload(0).find("98765"), std::string::npos);
}

/// As an Avro converter registers it: the row's type once, by name from then on; times with the names that Connect gives them.
const std::string envelope_schema =
    R"({"type":"record","name":"Envelope","namespace":"db.public.orders","fields":[
  {"name":"before","type":["null",{"type":"record","name":"Value","fields":[
    {"name":"id","type":"int"},
    {"name":"created","type":[{"type":"long","connect.version":1,"connect.default":0,"connect.name":"io.debezium.time.MicroTimestamp"},"null"],"default":0},
    {"name":"seen","type":["null",{"type":"long","connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}],"default":null},
    {"name":"weight","type":["null",{"type":"bytes","scale":2,"precision":10,"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}],"default":null},
    {"name":"note","type":["null","string"],"default":null},
    {"name":"driver","type":["null","string"],"default":null},
    {"name":"salary","type":["null","string"],"default":null}],"connect.name":"db.public.orders.Value"}],"default":null},
  {"name":"after","type":["null","Value"],"default":null},
  {"name":"source","type":{"type":"record","name":"Source","namespace":"io.debezium.connector.postgresql","fields":[
    {"name":"version","type":"string"},{"name":"ts_us","type":["null","long"],"default":null},
    {"name":"sequence","type":["null","string"],"default":null},{"name":"schema","type":"string"},{"name":"table","type":"string"},
    {"name":"txId","type":["null","long"],"default":null}]}},
  {"name":"op","type":"string"},
  {"name":"ts_ms","type":["null","long"],"default":null},
  {"name":"transaction","type":["null",{"type":"record","name":"block","namespace":"event","fields":[
    {"name":"id","type":"string"},{"name":"total_order","type":"long"}]}],"default":null}],"connect.name":"db.public.orders.Envelope"})";

/// `note`: what the column of that name holds.
AvroBytes avro_row(AvroBytes out, const std::string& note) {
  return out.number(17)
      .number(0)
      .number(1772440000000000)
      .number(1)
      .number(1772440000123)
      .number(1)
      .text("\x04\xD2")  // 1234: 12.34
      .number(1)
      .text(note)
      .number(1)
      .text("D7")
      .number(1)
      .text("98765");
}
std::string avro_change(const std::string& op, const std::string& note, std::int64_t total_order = 0) {
  AvroBytes out = AvroBytes::of_schema(5);
  if (op == "d")
    out = avro_row(out.number(1), note).number(0);
  else
    out = avro_row(out.number(0).number(1), note);
  out.text("3.6.1.Final").number(1).number(1772440000123456).number(1).text(R"(["160","200"])").text("public");
  out.text("orders").number(1).number(555).text(op).number(1).number(1772440000999);
  if (total_order == 0) return out.number(0).bytes;
  return out.number(1).text("555:200").number(total_order).bytes;
}

Contract avro_orders() {
  Contract contract = contract_of(R"(
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
servers:
  - {server: cluster, type: kafka, host: "k:9092", format: debezium_avro, customProperties: [{property: topic, value: orders}]}
customProperties:
  - {property: namespace, value: acme}
  - {property: otherColumns, value: [weight]}
schema:
  - name: shipment
    properties:
      - {name: shipment_id, physicalName: id, logicalType: string}
      - {name: created_at, physicalName: created, logicalType: timestamp, logicalTypeOptions: {defaultTimezone: Europe/Berlin}}
      - {name: promised_pickup_by, physicalName: seen, logicalType: timestamp, logicalTypeOptions: {defaultTimezone: Europe/Berlin}}
      - {name: service_level, physicalName: note, logicalType: string}
  - name: driver
    properties:
      - {name: driver_id, physicalName: driver, logicalType: string}
)");
  return contract;
}

struct AvroEnvelopes : ::testing::Test {
  Contract contract = avro_orders();
  testing::FixedSchemas schemas;

  AvroEnvelopes() { schemas.schemas[5] = envelope_schema; }
  Collected decode(const std::vector<std::string>& values) {
    const auto decoder = make_decoder(contract, 0, PseudonymKey::demo(), DriverIds::from_source, &schemas);
    return testing::decode_values(*decoder.value(), values, 1);
  }
};

TEST_F(AvroEnvelopes, AreReadAsThoseInJson) {
  const auto out = decode({avro_change("c", "std"), avro_change("u", std::string(debezium_unavailable), 3)});
  ASSERT_EQ(out.all.size(), 4U);
  ASSERT_EQ(out.outcome(0), "fact") << (out.all[0]->refusal() ? out.refusal(0).detail : "");
  const auto& order = out.fact<ShipmentFact>(0);
  EXPECT_EQ(order.shipment_id, "17");
  EXPECT_EQ(order.service_level, "std");
  EXPECT_EQ(order.created_at, 1772440000000000 - 3600 * us_per_second) << "a reading of a clock in Berlin";
  EXPECT_EQ(order.promised_pickup_by, 1772440000123000 - 3600 * us_per_second) << "this too, whatever Avro calls it";
  EXPECT_EQ(out.all[0]->fact()->version.ordinal, 160);
  EXPECT_EQ(out.all[0]->fact()->version.ordinal_minor, 2 * 5);
  EXPECT_EQ(out.all[0]->fact()->from.ingest_time, 1772440000123456);
  EXPECT_EQ(out.all[2]->fact()->version.ordinal_minor, 2 * 3);
  EXPECT_EQ(out.all[2]->fact()->unchanged, bit(FactField::service_level));
  EXPECT_EQ(out.drifts, std::vector<std::string>{"salary"});
  EXPECT_NE(out.payload(0).find(R"("weight":12.34)"), std::string_view::npos) << out.payload(0);
  for (const char* secret : {"D7", "98765"})
    EXPECT_EQ(out.payload(0).find(secret), std::string_view::npos) << out.payload(0);

  const auto again = decode_text(contract, std::string(out.payload(0)) + "\n", 0, DriverIds::keys);
  ASSERT_EQ(again.all.size(), 2U);
  EXPECT_EQ(again.fact<ShipmentFact>(0).created_at, order.created_at);
  EXPECT_TRUE(again.all[0]->fact()->version == out.all[0]->fact()->version);
}

TEST_F(AvroEnvelopes, ADeletionIsOneAndATombstoneIsNothing) {
  std::vector<RecordRef> records = {{1, 1, {}, {}}};
  const auto out = decode({avro_change("d", "")});
  ASSERT_EQ(out.all.size(), 2U);
  EXPECT_TRUE(out.fact<ShipmentFact>(0).is_deleted);
  const auto decoder = make_decoder(contract, 0, PseudonymKey::demo(), DriverIds::from_source, &schemas);
  EXPECT_TRUE(decoder.value()->decode_records(0, records).value().records.empty());
}

TEST_F(AvroEnvelopes, WhatIsNoneIsRefusedAndItsNeighboursAreNot) {
  schemas.schemas[6] = R"({"type":"record","name":"Scan","fields":[{"name":"id","type":"string"}]})";
  const std::string change = avro_change("c", "std");
  std::string unknown = change;
  unknown[4] = 99;
  const auto out = decode({change, envelope("c", order_row, sequence), unknown, AvroBytes::of_schema(6).text("x").bytes,
                           change + "x", change.substr(0, 40), change});
  std::vector<std::string> outcomes;
  for (std::size_t i = 0; i < out.all.size(); ++i) outcomes.push_back(out.outcome(i));
  EXPECT_EQ(outcomes,
            (std::vector<std::string>{"fact", "fact", "malformed_record", "unknown_schema", "malformed_record",
                                      "malformed_record", "malformed_record", "fact", "fact"}));
}

TEST_F(AvroEnvelopes, WhileNobodyAnswersTheyWait) {
  schemas.error = Error{Recourse::retry, "schema_registry_away", "connection refused"};
  EXPECT_EQ(decode({avro_change("c", "std")}).error.recourse, Recourse::retry);
  EXPECT_EQ(make_decoder(contract, 0, PseudonymKey::demo()).error().cause, "schema_registry_missing");
}

}  // namespace
}  // namespace ff
