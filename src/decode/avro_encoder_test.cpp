// What a publisher writes in Avro is read as what it was in JSON.
#include "decode/avro_encoder.h"

#include "decode/avro_testing.h"
#include "decode/avro_value.h"
#include "decode/decode_testing.h"

namespace ff {
namespace {
using testing::Collected;
using testing::contract_of;
using testing::native;

Contract scans() {
  return contract_of(R"(
apiVersion: v3.1.0
kind: DataContract
id: depot-scans
version: 1.0.0
status: active
servers:
  - {server: cluster, type: kafka, host: "k:9092", format: json, customProperties: [{property: topic, value: scans}]}
customProperties:
  - {property: namespace, value: acme}
  - {property: otherColumns, value: [phone, more]}
schema:
  - name: shipment_event
    properties:
      - {name: shipment_id, physicalName: id, logicalType: integer}
      - {name: status, logicalType: string}
      - {name: event_time, physicalName: at, logicalType: integer, customProperties: [{property: unit, value: s}], logicalTypeOptions: {defaultTimezone: UTC}}
      - {name: driver_id, logicalType: string, classification: pseudonym}
      - {name: retracted, logicalType: boolean}
)");
}

/// The record by its schema, as JSON again; or that it was not written.
std::string there_and_back(AvroEncoder& encoder, const std::string& json) {
  std::string data = "kept";
  if (!encoder.append(json, data)) return data == "kept" ? "not written" : "not written, and something appended";
  const auto schema = parse_avro_schema(encoder.schema());
  AvroReader reader(schema.value(), std::string_view(data).substr(4));
  std::string scratch;
  const Value value = reader.read(schema.value().root, scratch);
  return reader.end().empty() ? std::string(value.bytes) : reader.end();
}

TEST(AvroEncoder, EachValueComesBackAsItWas) {
  AvroEncoder encoder = AvroEncoder::make(scans()).value();
  const auto back = [&](const std::string& json) { return there_and_back(encoder, json); };
  const std::string rest = R"("driver_id":null,"retracted":null})", first = R"({"phone":null,"more":null,)";
  EXPECT_EQ(
      back(R"({"retracted":true,"status":"a \"b\" é","id":"S1","at":1772440000.123456,"driver_id":"D7","more":"x"})"),
      R"({"phone":null,"more":"x","id":"S1","status":"a \"b\" é","at":1772440000.123456,"driver_id":"D7","retracted":true})");
  EXPECT_EQ(back(R"({"id":-9223372036854775808,"at":1772440000})"),
            first + R"("id":"-9223372036854775808","status":null,"at":1772440000,)" + rest)
      << "an id is text, whatever wrote it";
  EXPECT_EQ(back(R"({"at":"noon","status":null,"nobody":"knows"})"),
            first + R"("id":null,"status":null,"at":"noon",)" + rest);
  EXPECT_EQ(
      back(R"({"more":{"a":[1,2.50]},"retracted":"no","phone":12.50,"driver_id":[ 1 ]})"),
      R"({"phone":"12.50","more":"{\"a\":[1,2.50]}","id":null,"status":null,"at":null,"driver_id":"[ 1 ]","retracted":"no"})");
}

TEST(AvroEncoder, WhatIsNoObjectIsNotWritten) {
  AvroEncoder encoder = AvroEncoder::make(scans()).value();
  for (const char* bytes : {"", "no JSON", "[1]", "17", R"({"id":"S1")", R"({"id":"S1"} x)", R"({"id":tru})"})
    EXPECT_EQ(there_and_back(encoder, bytes), "not written") << bytes;
}

TEST(AvroEncoder, TheFactsAreTheSame) {
  Contract contract = native("events");
  AvroEncoder encoder = AvroEncoder::make(contract).value();
  const std::string event =
      R"({"namespace":"acme","event_id":"e1","shipment_id":"S1","status":"delivered","event_time":"2026-03-02T08:00:00Z","driver_id":"D7","version":3})";
  testing::FixedSchemas schemas;
  schemas.schemas[1] = encoder.schema();
  std::string avro = testing::AvroBytes::of_schema(1).bytes;
  ASSERT_TRUE(encoder.append(event, avro));
  std::vector<std::pair<Fact, std::string>> facts;
  for (const Format format : {Format::ndjson, Format::avro}) {
    contract.format = format;
    const auto decoder = make_decoder(contract, 0, PseudonymKey::demo(), DriverIds::from_source, &schemas);
    const std::vector<RecordRef> records = {{1, 1772440000000000, format == Format::avro ? avro : event, {}}};
    const Batch batch = decoder.value()->decode_records(0, records).value();
    ASSERT_EQ(batch.records.size(), 1U);
    ASSERT_TRUE(batch.records[0].fact()) << batch.records[0].refusal()->detail;
    facts.emplace_back(*batch.records[0].fact(), batch.records[0].subject());
  }
  const auto &json = std::get<ShipmentEventFact>(facts[0].first.body),
             &read = std::get<ShipmentEventFact>(facts[1].first.body);
  EXPECT_EQ(read.event_time, json.event_time);
  EXPECT_EQ(read.driver_key, json.driver_key);
  EXPECT_TRUE(facts[0].first.version == facts[1].first.version);
  EXPECT_EQ(facts[0].second, facts[1].second);
}

TEST(AvroEncoder, PersonalDataHasNoFieldAndEveryFieldAWayToBeAbsent) {
  const std::string schema = AvroEncoder::make(native("drivers")).value().schema();
  EXPECT_EQ(schema.find("phone"), std::string::npos) << schema;
  std::size_t fields = 0, defaults = 0;
  for (std::size_t at = 0; (at = schema.find(R"({"name":)", at)) != std::string::npos; ++at) ++fields;
  for (std::size_t at = 0; (at = schema.find(R"("default":null)", at)) != std::string::npos; ++at) ++defaults;
  EXPECT_GT(fields, 0U);
  EXPECT_EQ(fields, defaults) << schema;
}

TEST(AvroEncoder, ANameThatAvroDoesNotAllowIsNamed) {
  Contract contract = scans();
  contract.columns.back().name = "Zustell-PLZ";
  const auto made = AvroEncoder::make(contract);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().cause, "contract_bad_value");
  EXPECT_NE(made.error().message.find("'Zustell-PLZ'"), std::string::npos);
}

}  // namespace
}  // namespace ff
