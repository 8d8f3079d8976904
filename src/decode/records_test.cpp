// Records that are in memory: what a topic, a replication stream and raw.* hand to a decoder.
#include "base/time.h"
#include "decode/decode_testing.h"

namespace ff {
namespace {

using namespace ff::testing;

const std::string event =
    R"({"event_id":"e1","shipment_id":"S1","status":"picked_up","event_time":"2026-03-02T08:00:00Z"})";
constexpr Micros heard = 1'772'440'000'000'000;

Collected decode_all(const Contract& contract, const std::vector<RecordRef>& records,
                     DriverIds ids = DriverIds::from_source) {
  return decode_records(*make_decoder(contract, 0, PseudonymKey::demo(), ids).value(), records);
}

TEST(Records, BringTheirPositionsTheirTimesAndTheirHeaders) {
  const auto out =
      decode_all(native("events"), {{41, heard, event, R"({"traceparent":"00-1"})"}, {43, heard + 5, event, {}}});
  ASSERT_EQ(out.all.size(), 2u);
  const Provenance first = out.all[0]->fact()->from, second = out.all[1]->fact()->from;
  EXPECT_EQ(first.partition, 7u);
  EXPECT_EQ(first.position, 41);
  EXPECT_EQ(first.ingest_time, heard);
  EXPECT_EQ(out.all[0]->headers, R"({"traceparent":"00-1"})");
  EXPECT_EQ(second.position, 43);
  EXPECT_EQ(second.ingest_time, heard + 5);
  EXPECT_EQ(out.all[1]->headers, "");
}

TEST(Records, KeepWhatTheyBringWhereExpressionsAreEvaluatedLater) {
  Contract contract = native("events");
  contract.expressions.push_back({"upper(facility)", 1});
  const auto out =
      decode_all(contract, {{1, heard, event, "{}"}, {2, heard + 1, "broken", {}}, {3, heard + 2, event, "[]"}});
  ASSERT_EQ(out.all.size(), 3u);
  EXPECT_EQ(out.all[0]->fact()->from.ingest_time, heard);
  EXPECT_EQ(out.all[0]->headers, "{}");
  EXPECT_EQ(out.refusal(1).from.ingest_time, heard + 1);
  EXPECT_EQ(out.all[1]->headers, "");
  EXPECT_EQ(out.all[2]->fact()->from.ingest_time, heard + 2);
  EXPECT_EQ(out.all[2]->headers, "[]");
}

TEST(Records, ThatHoldNothingToReadAreRefusedInTheirPlace) {
  const std::string long_one =
      event.substr(0, event.size() - 1) + ",\"facility\":\"" + std::string(2 << 20, 'x') + "\"}";
  const auto out = decode_all(native("events"), {{1, heard, {}, {}},
                                                 {2, heard, "", {}},
                                                 {3, heard, " \r\n", {}},
                                                 {4, heard, long_one, {}},
                                                 {5, heard, event + event, {}},
                                                 {6, heard, event.substr(0, 40), {}},
                                                 {7, heard, event, {}}});
  const std::vector<std::string> outcomes = {
      "tombstone", "malformed_record", "malformed_record", "oversized_record", "malformed_record", "malformed_record",
      "fact"};
  ASSERT_EQ(out.all.size(), outcomes.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(out.outcome(i), outcomes[i]) << i;
    const auto* refusal = out.all[i]->refusal();
    EXPECT_EQ(refusal ? refusal->from.position : out.all[i]->fact()->from.position, static_cast<std::int64_t>(i) + 1);
  }
  EXPECT_EQ(out.refusal(3).raw.size(), 1000u);
}

TEST(Records, APayloadIsOneLineHoweverTheRecordWasWritten) {
  std::string pretty = event;
  for (std::size_t at = 0; (at = pretty.find(',', at)) != std::string::npos; ++at) pretty.replace(at, 1, ",\r\n  ");
  const auto out = decode_all(native("events"), {{1, heard, pretty + "\n", {}}});
  ASSERT_EQ(out.outcome(0), "fact");
  EXPECT_EQ(out.payload(0).find_first_of("\r\n"), std::string_view::npos);
  const auto again = decode_text(native("events"), std::string(out.payload(0)) + "\n");
  EXPECT_EQ(again.outcome(0), "fact");
}

TEST(Records, APayloadReadBackGivesTheSameDriver) {
  const std::string with_driver = event.substr(0, event.size() - 1) + R"(,"driver_id":"D7"})";
  const auto out = decode_all(native("events"), {{1, heard, with_driver, {}}});
  ASSERT_EQ(out.outcome(0), "fact");
  EXPECT_EQ(out.payload(0).find("\"D7\""), std::string_view::npos);
  const auto again = decode_all(native("events"), {{1, heard, out.payload(0), {}}}, DriverIds::keys);
  EXPECT_EQ(again.fact<ShipmentEventFact>(0).driver_key, out.fact<ShipmentEventFact>(0).driver_key);
}

TEST(Records, CsvRowsComeWithoutAHeader) {
  Contract partner = native("partner");
  EXPECT_EQ(decode_all(partner, {{1, heard, "a,b", {}}}).error.cause, "contract_bad_value");
  partner.csv.has_header = false;
  partner.csv.columns = {"scan_id", "shipment_ref", "scan_code", "scan_local_time"};
  const auto out = decode_all(partner, {{1, heard, "x1,S1,PUP,2026-03-02 01:00:00", {}},
                                        {2, heard, "x2,S1,DEP,2026-03-02 02:00:00\r\n", {}},
                                        {3, heard, "x3,S1", {}},
                                        {4, heard, "x4,S1,DEP,2026-03-02 02:00:00\nx5,S1,DEP,2026-03-02 02:00:00", {}},
                                        {5, heard, "\"x6,S1", {}}});
  std::vector<std::string> outcomes;
  for (std::size_t i = 0; i < out.all.size(); ++i) outcomes.push_back(out.outcome(i));
  EXPECT_EQ(outcomes,
            (std::vector<std::string>{"fact", "fact", "malformed_record", "malformed_record", "malformed_record"}));
}

TEST(Records, TakeAboutTheMemoryThatTheyAreLong) {
  std::vector<RecordRef> records;
  for (std::int64_t i = 1; i <= 5000; ++i) records.push_back({i, heard, event, {}});
  const auto kept = [&](std::size_t count) {
    return make_decoder(native("events"), 0, PseudonymKey::demo())
        .value()
        ->decode_records(0, {records.data(), count})
        .value()
        .kept_bytes();
  };
  EXPECT_LE(kept(1), 1024U) << "of one record, as most batches of a stream are";
  EXPECT_LE(kept(20), 2 * (20 * event.size()) + 1024);
  EXPECT_LE(kept(5000), 5000 * event.size() * 5 / 4);
  EXPECT_GE(kept(5000), 5000 * event.size());
}

}  // namespace
}  // namespace ff
