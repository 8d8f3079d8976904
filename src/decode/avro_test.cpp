#include <cmath>

#include "base/time.h"
#include "decode/avro_testing.h"
#include "decode/avro_value.h"
#include "decode/decode_testing.h"

namespace ff {
namespace {

using namespace ff::testing;

/// kind and text of the first value in the data, then what is left.
struct Read {
  Value::Kind kind = Value::absent;
  std::string text, broken;
  std::size_t rest = 0;
};

Read read_one(const std::string& schema, const std::string& bytes) {
  auto parsed = parse_avro_schema(schema);
  if (!parsed.ok()) return {Value::absent, {}, parsed.error().message, 0};
  AvroReader reader(parsed.value(), bytes);
  std::string scratch;
  const Value value = reader.read(parsed.value().root, scratch);
  return {value.kind, std::string(value.bytes), reader.broken(), reader.rest().size()};
}

const std::string long_as = R"({"type":"long","logicalType":")";

TEST(Avro, ReadsEveryTypeAsJsonWouldSayIt) {
  const auto number = [](std::int64_t n) { return AvroBytes().number(n).bytes; };
  const std::int64_t day = 20'514;  // 2026-03-02
  const std::int64_t second = day * 86'400 + 8 * 3600;
  const struct {
    std::string schema, bytes;
    Value::Kind kind;
    std::string text;
  } cases[] = {
      {R"("null")", "", Value::null, ""},
      {R"("boolean")", std::string(1, '\1'), Value::boolean, "true"},
      {R"("int")", number(-7), Value::number, "-7"},
      {R"("long")", number(INT64_MIN), Value::number, "-9223372036854775808"},
      {R"("long")", number(INT64_MAX), Value::number, "9223372036854775807"},
      {R"("float")", AvroBytes().raw(52.52f).bytes, Value::number, "52.52"},
      {R"("double")", AvroBytes().raw(13.404954).bytes, Value::number, "13.404954"},
      {R"("double")", AvroBytes().raw(std::nan("")).bytes, Value::text, "NaN"},
      {R"("string")", AvroBytes().text("Köln \"2\"").bytes, Value::text, "Köln \"2\""},
      {R"("bytes")", AvroBytes().text("a\xff").bytes, Value::nested, "\"a\xc3\xbf\""},
      {R"({"type":"fixed","name":"f","size":2})", "ab", Value::nested, "\"ab\""},
      {R"({"type":"enum","name":"e","symbols":["A","B"]})", number(1), Value::text, "B"},
      {R"(["null","string"])", AvroBytes().number(1).text("x").bytes, Value::text, "x"},
      {R"(["null","string"])", number(0), Value::null, ""},
      {long_as + R"(timestamp-millis"})", number(second * 1000), Value::text, "2026-03-02T08:00:00Z"},
      {long_as + R"(timestamp-micros"})", number(second * 1'000'000 + 5), Value::text, "2026-03-02T08:00:00.000005Z"},
      {long_as + R"(timestamp-nanos"})", number(-1), Value::text, "1969-12-31T23:59:59.999999Z"},
      {long_as + R"(local-timestamp-millis"})", number(second * 1000), Value::text, "2026-03-02T08:00:00"},
      {long_as + R"(timestamp-millis"})", number(INT64_MAX), Value::number, "9223372036854775807"},  // no such year
      {long_as + R"(of-our-own"})", number(3), Value::number, "3"},
      {R"({"type":"int","logicalType":"date"})", number(day), Value::text, "2026-03-02"},
      {R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})", AvroBytes().text("\x04\xd2").bytes,
       Value::number, "12.34"},
      {R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})", AvroBytes().text("\xff").bytes,
       Value::number, "-0.01"},
      {R"({"type":"fixed","name":"f","size":1,"logicalType":"decimal","precision":2})", "\x07", Value::number, "7"},
      {R"({"type":"array","items":"int"})", AvroBytes().number(2).number(1).number(2).number(0).bytes, Value::nested,
       "[1,2]"},
      {R"({"type":"array","items":"int"})", AvroBytes().number(-1).number(1).number(9).number(0).bytes, Value::nested,
       "[9]"},
      {R"({"type":"map","values":["null","string"]})", AvroBytes().number(1).text("k").number(0).number(0).bytes,
       Value::nested, R"({"k":null})"},
      {R"({"type":"record","name":"r","fields":[{"name":"a","type":"string"},{"name":"b","type":["null","r"]}]})",
       AvroBytes().text("1").number(1).text("2").number(0).bytes, Value::nested, R"({"a":"1","b":{"a":"2","b":null}})"},
  };
  for (const auto& c : cases) {
    const Read read = read_one(c.schema, c.bytes);
    EXPECT_EQ(read.broken, "") << c.schema;
    EXPECT_EQ(read.kind, c.kind) << c.schema;
    EXPECT_EQ(read.text, c.text) << c.schema;
    EXPECT_EQ(read.rest, 0u) << c.schema;
    for (std::size_t cut = 0; cut < c.bytes.size(); ++cut)
      EXPECT_NE(read_one(c.schema, c.bytes.substr(0, cut)).broken, "") << c.schema << " cut at " << cut;
  }
}

TEST(Avro, WhatBytesCannotMeanIsAnErrorAndNoMore) {
  const auto broken = [](const std::string& schema, const std::string& bytes) {
    return read_one(schema, bytes).broken;
  };
  EXPECT_NE(broken(R"("string")", AvroBytes().number(INT64_MAX).bytes), "");
  EXPECT_NE(broken(R"("string")", AvroBytes().number(-5).bytes), "");
  EXPECT_NE(broken(R"("string")", AvroBytes().text("\xff").bytes), "");
  EXPECT_NE(broken(R"("string")", AvroBytes().text(std::string(1, '\x1f')).bytes), "");
  EXPECT_NE(broken(R"("int")", AvroBytes().number(1LL << 40).bytes), "");
  EXPECT_NE(broken(R"("long")", std::string(11, '\xff')), "");
  EXPECT_NE(broken(R"("boolean")", "\2"), "");
  EXPECT_NE(broken(R"({"type":"enum","name":"e","symbols":["A"]})", AvroBytes().number(63).bytes), "");
  EXPECT_NE(broken(R"(["null"])", AvroBytes().number(1).bytes), "");
  EXPECT_NE(broken(R"({"type":"array","items":"null"})", AvroBytes().number(1LL << 60).bytes), "") << "2^60 values";
  EXPECT_NE(
      broken(R"({"type":"record","name":"r","fields":[{"name":"a","type":["null","r"]}]})", std::string(1 << 20, '\2')),
      "")
      << "a million levels";
}

TEST(Avro, SchemasThatAreOfNoUseSayWhy) {
  for (const std::string schema :
       {"", "{", "7", R"("unheard_of")", R"([])", R"({"type":"record","name":"r"})", R"({"type":"array"})",
        R"({"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]})",
        R"({"type":"fixed","name":"f","size":-1})", R"({"type":"enum","name":"e","symbols":[1]})"})
    EXPECT_FALSE(parse_avro_schema(schema).ok()) << schema;
  const auto deep = parse_avro_schema(std::string(100'000, '['));
  EXPECT_FALSE(deep.ok());
}

TEST(Avro, NamesLiveInTheirNamespaces) {
  const auto parsed = parse_avro_schema(R"({"type":"record","name":"a.b.R","fields":[
    {"name":"x","type":{"type":"enum","name":"E","symbols":["P"]}},{"name":"y","type":"a.b.E"},{"name":"z","type":"E"}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed.value()[parsed.value().root].children[1], parsed.value()[parsed.value().root].children[2]);
}

const std::string scan_schema = R"({"type":"record","name":"Scan","namespace":"acme","fields":[
  {"name":"event_id","type":"string"},
  {"name":"shipment_id","type":"string"},
  {"name":"secret_note","type":["null","string"]},
  {"name":"status","type":{"type":"enum","name":"Status","symbols":["picked_up","delivered"]}},
  {"name":"event_time","type":{"type":"long","logicalType":"timestamp-millis"}},
  {"name":"driver_id","type":["null","long","string"]},
  {"name":"version","type":"int"},
  {"name":"retracted","type":"boolean"}]})";
constexpr Micros heard = 1'772'440'000'000'000;

AvroBytes scan(std::uint32_t schema = 9) {
  return AvroBytes::of_schema(schema)
      .text("e1")
      .text("S1")
      .number(1)
      .text("Mrs Smith")
      .number(1)
      .number(1'772'438'400'000)
      .number(2)
      .text("D7")
      .number(3)
      .flag(false);
}

struct AvroFeed : ::testing::Test {
  Contract contract = native("events");
  FixedSchemas schemas;
  std::unique_ptr<Decoder> decoder;

  AvroFeed() {
    contract.format = Format::avro;
    schemas.schemas[9] = scan_schema;
    decoder = make_decoder(contract, 0, PseudonymKey::demo(), DriverIds::from_source, &schemas).value();
  }
  Collected decode(const std::vector<std::string>& values) { return decode_values(*decoder, values, heard); }
};

TEST_F(AvroFeed, ReadsAScan) {
  const auto out = decode({scan().bytes});
  ASSERT_EQ(out.outcome(0), "fact") << (out.all[0]->refusal() ? out.refusal(0).detail : "");
  const auto& event = out.fact<ShipmentEventFact>(0);
  EXPECT_EQ(event.shipment_id, "S1");
  EXPECT_EQ(event.event_time, *parse_rfc3339("2026-03-02T08:00:00Z"));
  EXPECT_EQ(out.all[0]->fact()->version.ordinal, 3);
  EXPECT_EQ(out.all[0]->fact()->from.ingest_time, heard);
  EXPECT_EQ(out.drifts, std::vector<std::string>{"secret_note"});
  EXPECT_EQ(out.payload(0).find("Smith"), std::string_view::npos);
  EXPECT_EQ(out.payload(0).find("D7"), std::string_view::npos);
  const auto json = decode_text(contract = native("events"), std::string(out.payload(0)) + "\n", 0, DriverIds::keys);
  ASSERT_EQ(json.outcome(0), "fact") << out.payload(0);
  EXPECT_EQ(json.fact<ShipmentEventFact>(0).driver_key, event.driver_key);
  EXPECT_EQ(json.fact<ShipmentEventFact>(0).event_time, event.event_time);
}

TEST_F(AvroFeed, ADriverThatIsANumberIsHiddenToo) {
  contract.mappings[0].fields[0].number_as_text = true;
  for (FieldMapping& field : contract.mappings[0].fields) field.number_as_text = true;
  const auto bytes = AvroBytes::of_schema(9)
                         .text("e1")
                         .text("S1")
                         .number(0)
                         .number(1)
                         .number(1'772'438'400'000)
                         .number(1)
                         .number(4711)
                         .number(3)
                         .flag(false)
                         .bytes;
  const auto out = decode({bytes});
  ASSERT_EQ(out.outcome(0), "fact");
  EXPECT_EQ(out.payload(0).find("4711"), std::string_view::npos);
  EXPECT_NE(out.payload(0).find("\"driver_id\":\"" + out.fact<ShipmentEventFact>(0).driver_key + "\""),
            std::string_view::npos);
}

TEST_F(AvroFeed, PoisonIsRefusedAndItsNeighboursAreNot) {
  schemas.schemas[10] = R"("string")";
  schemas.schemas[11] = "no schema";
  const auto out = decode({scan().bytes, scan(404).bytes, "garbage", scan(10).bytes, scan(11).bytes, scan().bytes + "x",
                           scan().bytes.substr(0, 20), std::string("\0\0", 2), scan().bytes});
  std::vector<std::string> outcomes;
  for (std::size_t i = 0; i < out.all.size(); ++i) outcomes.push_back(out.outcome(i));
  EXPECT_EQ(outcomes, (std::vector<std::string>{"fact", "unknown_schema", "malformed_record", "unusable_schema",
                                                "unusable_schema", "malformed_record", "malformed_record",
                                                "malformed_record", "fact"}));
}

TEST_F(AvroFeed, WhileNobodyAnswersTheRecordsWait) {
  schemas.error = Error{Recourse::retry, "schema_registry_away", "connection refused"};
  const auto away = decode({scan().bytes});
  EXPECT_EQ(away.error.recourse, Recourse::retry);
  EXPECT_TRUE(away.all.empty());
  schemas.error.reset();
  EXPECT_EQ(decode({scan().bytes}).outcome(0), "fact");
  const int asked = schemas.asked;
  decode({scan().bytes, scan().bytes});
  EXPECT_EQ(schemas.asked, asked) << "a schema never changes";
}

TEST_F(AvroFeed, AsManyNumbersAsGarbageNamesAreNotAllKept) {
  std::vector<std::string> values;
  for (std::uint32_t id = 100; id < 25'100; ++id) values.push_back(AvroBytes::of_schema(id).bytes);
  values.push_back(scan().bytes);
  const auto out = decode(values);
  ASSERT_EQ(out.all.size(), values.size());
  for (std::size_t i = 0; i + 1 < out.all.size(); ++i) ASSERT_EQ(out.outcome(i), "unknown_schema") << i;
  EXPECT_EQ(out.outcome(out.all.size() - 1), "fact");
}

TEST_F(AvroFeed, ARecordCutAnywhereIsRefused) {
  const std::string whole = scan().bytes;
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    const auto out = decode({whole.substr(0, cut)});
    ASSERT_EQ(out.all.size(), 1u);
    EXPECT_EQ(out.outcome(0), "malformed_record") << cut;
  }
}

}  // namespace
}  // namespace ff
