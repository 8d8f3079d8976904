#include "decode/postgres_rows.h"

#include "decode/decode_testing.h"
#include "decode/pg_binary.h"

namespace ff {
namespace {

constexpr std::uint32_t text_type = 25, timestamptz_type = 1184;

Contract table_contract(const std::string& status) {
  return testing::contract_of(R"(
apiVersion: v3.1.0
kind: DataContract
id: scans
version: 1.0.0
status: active
servers:
  - {server: db, type: postgres, host: h, port: 5432, database: d, schema: public}
customProperties:
  - {property: namespace, value: acme}
  - {property: historical, value: true}
  - {property: otherColumns, value: [code, kind]}
schema:
  - name: shipment_event
    physicalName: scans
    customProperties: [{property: when, value: kind = 'scan'}]
    properties:
      - {name: event_id, physicalName: id, logicalType: string}
      - {name: shipment_id, logicalType: string}
      - {name: event_time, physicalName: at, logicalType: timestamp}
      - {name: facility, logicalType: string}
      - {name: status, logicalType: string, )" +
                              status + "}\n");
}

const std::vector<PgColumn> columns = {{"id", text_type, true},         {"shipment_id", text_type, true},
                                       {"at", timestamptz_type, false}, {"facility", text_type, false},
                                       {"code", text_type, false},      {"kind", text_type, false}};

PgCell cell(std::string_view text) { return {PgCell::text, text}; }
constexpr PgCell unchanged{PgCell::unchanged, {}};

Batch told(const Contract& contract, PgMessage change) {
  static const PseudonymKey key = PseudonymKey::demo();
  auto rows = PostgresRows::make(contract, 0, key).value();
  rows->begin(0);
  rows->bind({1, "public", "scans", 'd', columns}, 1);
  std::int64_t position = 0;
  for (const PgRecord& record : rows->records_of(change)) {
    ++position;
    EXPECT_TRUE(rows->add(record, {position, {4096}, position, 9, 1'772'440'000'000'000}).ok());
  }
  return rows->finish_batch().value();
}

PgMessage update(std::vector<PgCell> now) {
  PgMessage m;
  m.kind = PgMessageKind::update;
  m.new_row = std::move(now);
  return m;
}

// An expression over a column that was not sent can only be as unchanged as the column: it would see null.
TEST(PostgresRows, AnExpressionOverAnUnchangedColumnIsUnchanged) {
  const Contract contract = table_contract("transformLogic: lower(code)");
  const Batch whole = told(contract, update({cell("e1"), cell("S1"), cell("2026-03-02 08:00:00+00"), cell("CGN"),
                                             cell("PICKED_UP"), cell("scan")}));
  ASSERT_TRUE(whole.records[0].fact()) << whole.records[0].refusal()->detail;
  EXPECT_EQ(whole.records[0].fact()->unchanged, 0U);
  const Batch part = told(
      contract, update({cell("e1"), cell("S1"), cell("2026-03-02 08:00:00+00"), unchanged, unchanged, cell("scan")}));
  ASSERT_TRUE(part.records[0].fact());
  EXPECT_EQ(part.records[0].fact()->unchanged, bit(FactField::facility) | bit(FactField::status));
}

TEST(PostgresRows, AConditionOverAnUnchangedColumnIsNotGuessed) {
  const Contract contract = table_contract("transformLogic: lower(code)");
  const Batch batch =
      told(contract,
           update({cell("e1"), cell("S1"), cell("2026-03-02 08:00:00+00"), cell("CGN"), cell("PICKED_UP"), unchanged}));
  ASSERT_TRUE(batch.records[0].refusal());
  EXPECT_EQ(batch.records[0].refusal()->reason, "unresolved_value");
}

TEST(PostgresRows, ADeletedRowWithItsKeyOnlyIsARetraction) {
  PgMessage m;
  m.kind = PgMessageKind::remove;
  m.old_kind = PgOldRow::key;
  m.old_row = {cell("e1"), cell("S1"), {}, {}, {}, {}};
  const Batch batch = told(table_contract("transformLogic: lower(code)"), std::move(m));
  ASSERT_TRUE(batch.records[0].fact()) << batch.records[0].refusal()->detail;
  const Fact& fact = *batch.records[0].fact();
  EXPECT_TRUE(std::get<ShipmentEventFact>(fact.body).retracted);
  EXPECT_EQ(fact.version.ordinal, 4096);
  EXPECT_EQ(fact.version.ordinal_minor, 1);
  EXPECT_NE(fact.unchanged & bit(FactField::status), 0U) << "null would say that it had none";
}

TEST(PostgresRows, AnotherKeyIsTheOldRowGoneAndANewOne) {
  PgMessage m =
      update({cell("e1"), cell("S2"), cell("2026-03-02 08:00:00+00"), cell("CGN"), cell("PICKED_UP"), cell("scan")});
  m.old_kind = PgOldRow::key;
  m.old_row = {cell("e1"), cell("S1"), {}, {}, {}, {}};
  const Batch batch = told(table_contract("transformLogic: lower(code)"), std::move(m));
  ASSERT_EQ(batch.records.size(), 2U);
  EXPECT_EQ(std::get<ShipmentEventFact>(batch.records[0].fact()->body).shipment_id, "S1");
  EXPECT_TRUE(std::get<ShipmentEventFact>(batch.records[0].fact()->body).retracted);
  EXPECT_EQ(std::get<ShipmentEventFact>(batch.records[1].fact()->body).shipment_id, "S2");
  EXPECT_FALSE(std::get<ShipmentEventFact>(batch.records[1].fact()->body).retracted);
}

TEST(PostgresRows, BytesThatAreNotOfTheirTypeAreNoLabel) {
  const Batch batch =
      told(table_contract("transformLogic: lower(code)"),
           update({cell("e1"), cell("S1"), {PgCell::binary, "cut"}, cell("CGN"), cell("PICKED_UP"), cell("scan")}));
  ASSERT_TRUE(batch.records[0].refusal());
  EXPECT_EQ(batch.records[0].refusal()->reason, "malformed_record");
}

TEST(PostgresRows, TheKeyOfAnEventIsItsIdInItsShipment) {
  const KeyColumns keys = key_columns(table_contract("transformLogic: lower(code)"));
  EXPECT_EQ(keys.names, (std::vector<std::string>{"shipment_id", "id"}));
  EXPECT_FALSE(keys.by_expression);
}

TEST(PostgresContract, IsOneTable) {
  const auto refusal = [](const std::string& server, const std::string& second_table) {
    const testing::TemporaryFile file(R"(
apiVersion: v3.1.0
kind: DataContract
id: t
version: 1.0.0
status: active
servers:
  - {server: db, type: postgres, host: h, port: 5432, database: d)" +
                                          server + R"(}
customProperties:
  - {property: namespace, value: acme}
schema:
  - name: driver
    physicalName: drivers
    properties: [{name: driver_id, logicalType: string}]
  - name: other
    physicalName: )" + second_table + R"(
    customProperties: [{property: fact, value: driver}]
    properties: [{name: driver_id, logicalType: string}]
)",
                                      ".yaml");
    const auto loaded = load_contract(file.path());
    return loaded.ok() ? loaded.value().table_schema + "." + loaded.value().table : loaded.error().message;
  };
  EXPECT_EQ(refusal(", schema: fleet", "drivers"), "fleet.drivers");
  EXPECT_NE(refusal(", schema: fleet", "riders").find("one contract is one table"), std::string::npos);
  EXPECT_NE(refusal("", "drivers").find("a server of type postgres needs 'schema'"), std::string::npos);
  EXPECT_NE(refusal(", schema: fleet, path: x", "drivers").find("unknown key 'path'"), std::string::npos);
}

TEST(PgBinary, PrintsWhatTheServerPrints) {
  const auto text = [](std::uint32_t type, std::string_view bytes) {
    std::string out;
    EXPECT_TRUE(append_binary_as_text(type, bytes, out));
    return out;
  };
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(text(16, "\1"sv), "t");
  EXPECT_EQ(text(23, "\xff\xff\xff\xfe"sv), "-2");
  EXPECT_EQ(text(701, "\x3f\xb9\x99\x99\x99\x99\x99\x9a"sv), "0.1");
  EXPECT_EQ(text(701, "\x44\x4b\x1a\xe4\xd6\xe2\xef\x50"sv), "1e+21");
  EXPECT_EQ(text(1700, "\0\2\0\0\x40\0\0\2\0\1\x13\x88"sv), "-1.50");
  EXPECT_EQ(text(1700, "\0\0\0\0\xc0\0\0\0"sv), "NaN");
  EXPECT_EQ(text(1700, "\0\1\xff\xff\0\0\0\4\0\x0c"sv), "0.0012");
  EXPECT_EQ(text(1114, "\0\0\0\0\0\0\0\1"sv), "2000-01-01 00:00:00.000001");
  EXPECT_EQ(text(1184, "\x7f\xff\xff\xff\xff\xff\xff\xff"sv), "infinity");
  EXPECT_EQ(text(1082, "\xff\xff\xff\xff"sv), "1999-12-31");
  EXPECT_EQ(text(1186, "\0\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\x0e"sv), "1 year 2 mons -1 days");
  EXPECT_EQ(text(1186, "\x7f\xff\xff\xff\xff\xff\xff\xff\x7f\xff\xff\xff\x7f\xff\xff\xff"sv), "infinity");
  EXPECT_EQ(text(1009, "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\3\0\0\0\1\0\0\0\3a\"b\xff\xff\xff\xff\0\0\0\4null"sv),
            R"({"a\"b",NULL,"null"})");
  std::string kept = "kept";
  EXPECT_FALSE(append_binary_as_text(23, "\1\2"sv, kept));
  EXPECT_EQ(kept, "kept");
}

}  // namespace
}  // namespace ff
