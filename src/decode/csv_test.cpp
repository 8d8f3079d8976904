#include "base/time.h"
#include "decode/decode_testing.h"

namespace ff {
namespace {

using namespace ff::testing;

const std::string header = "shipment_ref,scan_id,scan_code,scan_local_time,depot,driver_ref,remark,received_at\n";
const std::string row = "S1,F1,DLV,2026-03-02 10:00:00,AAA,D7,,2026-03-02T18:00:00Z\n";

TEST(Csv, ReadsAPartnersScan) {
  const auto out = decode_text(native("partner"), header + row);
  ASSERT_EQ(out.all.size(), 1u);
  const auto& event = out.fact<ShipmentEventFact>(0);
  EXPECT_EQ(event.name_space, "falcon");
  EXPECT_EQ(event.event_time, *parse_rfc3339("2026-03-02T17:00:00Z"));
  const std::string key = PseudonymKey::demo().driver_key("acme", "D7", 0);
  EXPECT_EQ(event.driver_key, key);
  EXPECT_EQ(event.reason, "");
  EXPECT_EQ(
      out.payload(0),
      R"({"shipment_ref":"S1","scan_id":"F1","scan_code":"DLV","scan_local_time":"2026-03-02 10:00:00","depot":"AAA","driver_ref":")" +
          key + R"(","remark":null,"received_at":"2026-03-02T18:00:00Z"})");
  // The payload read back gives the same fact.
  const auto again = decode_text(native("partner"), std::string(out.payload(0)) + "\n", 0, DriverIds::keys);
  ASSERT_EQ(again.outcome(0), "fact");
  EXPECT_EQ(again.fact<ShipmentEventFact>(0).event_time, event.event_time);
  EXPECT_EQ(again.fact<ShipmentEventFact>(0).driver_key, key);
}

TEST(Csv, BrokenRowsAreRefusedWithTheirBytesAndTheOthersRead) {
  const auto out =
      decode_text(native("partner"), header + row + "S2,F2\n" + "S3,\"F3\"x,DLV,2026-03-02 10:00:00,AAA,,,\n" +
                                         "S4,F4,DVL,2026-03-02 10:00:00,AAA,D7,,\n" +
                                         "S5,\"F5,DLV,2026-03-02 10:00:00,AAA,D7,,\n" + row + "S6,F6,DL");
  std::vector<std::string> outcomes;
  for (std::size_t i = 0; i < out.all.size(); ++i) outcomes.push_back(out.outcome(i));
  EXPECT_EQ(outcomes,
            (std::vector<std::string>{"fact", "malformed_record", "malformed_record", "unmapped_status status",
                                      "malformed_record", "fact", "truncated_record"}));
  EXPECT_EQ(out.refusal(1).from.position, 2);
  EXPECT_EQ(out.refusal(1).raw, "x9,x9");  // the feed names drivers: what cannot be read is masked
  EXPECT_EQ(out.refusal(3).subject, "S4");
  EXPECT_EQ(out.refusal(3).raw.find("D7"), std::string::npos);
  EXPECT_EQ(out.refusal(3).detail, "status is 'DVL', which the contract's vocabulary does not lead to a status");
}

TEST(Csv, ColumnsMayStandInAnyOrderAndUnknownOnesAreDrift) {
  const auto out = decode_text(
      native("partner"), "note,scan_id,scan_code,scan_local_time,shipment_ref\nhush,F1,PUP,2026-03-02 10:00:00,S1\n");
  EXPECT_EQ(out.outcome(0), "fact");
  EXPECT_EQ(out.drifts, std::vector<std::string>{"note"});
  EXPECT_EQ(out.payload(0).find("hush"), std::string_view::npos);
  const auto lacking =
      decode_text(native("partner"), "scan_id,scan_code,scan_local_time\nF1,PUP,2026-03-02 10:00:00\n");
  EXPECT_EQ(lacking.outcome(0), "missing_field shipment_id");
}

const char* const dialect = R"yaml(
apiVersion: v3.1.0
kind: DataContract
id: scans
version: 1.0.0
status: active
servers: [{server: landing, type: local, path: scans*, format: csv, encoding: ISO-8859-1}]
customProperties:
  - {property: namespace, value: acme}
  - {property: csv, value: {delimiter: ";", quote: "'", header: false, columns: [id, when, what, why, note], nullWords: ["-"]}}
  - {property: otherColumns, value: [when, what]}
schema:
  - name: shipment_event
    customProperties: [{property: when, value: "what <> 'X'"}]
    properties:
      - {name: shipment_id, physicalName: id, logicalType: string}
      - {name: event_time, logicalType: timestamp, transformLogic: "strptime(\"when\", '%d.%m.%Y %H:%M')", logicalTypeOptions: {defaultTimezone: Europe/Berlin}}
      - {name: status, logicalType: string, transformLogic: "case what when 'Z' then 'delivered' else what end"}
      - {name: reason, physicalName: why, logicalType: string}
      - {name: facility, physicalName: note, logicalType: string}
  - name: order
    customProperties: [{property: fact, value: shipment}, {property: when, value: what = 'Z'}]
    properties:
      - {name: shipment_id, physicalName: id, logicalType: string}
      - {name: created_at, logicalType: timestamp, transformLogic: "'2026-07-01T00:00:00Z'"}
)yaml";

TEST(Csv, DialectEncodingAndExpressions) {
  const Contract contract = contract_of(dialect);
  const auto out = decode_text(
      contract, "1;01.07.2026 10:00;Z;'it''s; gr\xfc\xdf';-\r\n2;01.07.2026 10:00;X;-;-\r\n3;soon;Z;-;'-'\r\n");
  ASSERT_EQ(out.all.size(), 5u) << out.error.message;
  EXPECT_EQ(out.outcome(0), "fact");
  EXPECT_EQ(format_rfc3339(out.fact<ShipmentEventFact>(0).event_time), "2026-07-01T08:00:00Z");
  EXPECT_EQ(out.fact<ShipmentEventFact>(0).reason, "it's; gr\u00fc\u00df");
  EXPECT_EQ(out.fact<ShipmentEventFact>(0).facility, "");
  EXPECT_EQ(out.fact<ShipmentFact>(1).shipment_id, "1");
  EXPECT_EQ(out.outcome(2), "unmapped_record");
  EXPECT_EQ(out.outcome(3), "missing_field event_time");  // an expression that fails is null, for its record only
  EXPECT_EQ(out.outcome(4), "fact");
}

TEST(Csv, ARowLongerThanABlockIsRefusedAndTheNextOneRead) {
  const auto out =
      decode_text(native("partner"), header + row + "S2,F2,\"" + std::string(3'000'000, 'x') + "\",,,,,\n" + row);
  ASSERT_EQ(out.all.size(), 3u);
  EXPECT_EQ(out.outcome(1), "oversized_record");
  EXPECT_EQ(out.all[2]->fact()->from.position, 3);
  EXPECT_EQ(out.stats.records, 3);
}

TEST(Csv, AQuotedFieldMaySpanLines) {
  const auto out =
      decode_text(native("partner"), header + "S1,F1,EXC,2026-03-02 10:00:00,AAA,,\"first\nsecond\",\n" + row);
  EXPECT_EQ(out.fact<ShipmentEventFact>(0).reason, "first\nsecond");
  EXPECT_EQ(out.all.at(1)->fact()->from.position, 2);
}

}  // namespace
}  // namespace ff
