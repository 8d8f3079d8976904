// Contracts that are right, and those that are wrong: each file of tests/contracts/bad says on its first line what it is
// refused with, and docs/contracts.md shows the ten most frequent. Here and not in contract/, because expressions are
// compiled by the decoder.
#include "decode/decode_testing.h"

namespace ff {
namespace {

using namespace ff::testing;

TEST(Contract, OursAndTheExampleLoad) {
  auto ours = ContractSet::load(repository() / "contracts");
  ASSERT_TRUE(ours.ok()) << ours.error().message;
  const ContractSet& set = ours.value();
  const auto id_of = [&](std::string_view path) {
    const auto feed = set.feed_of(path);
    return feed ? set[*feed].id : "none";
  };
  EXPECT_EQ(id_of("events.ndjson"), "events");
  EXPECT_EQ(id_of("/landing/2026/events-0007.ndjson"), "events");
  EXPECT_EQ(id_of("partner-0001.csv"), "partner");
  EXPECT_EQ(id_of("notes.txt"), "none");
  EXPECT_EQ(set[*set.feed_of("events.ndjson")].late_after_s, 900);
  auto flights = load_contract(repository() / "examples/flights/contract.yaml");
  ASSERT_TRUE(flights.ok()) << flights.error().message;
  EXPECT_TRUE(flights.value().historical);
  EXPECT_EQ(flights.value().late_after_s, none);
  EXPECT_EQ(flights.value().sla_policies.at(0).grace_min, 14);
  EXPECT_EQ(flights.value().sla_policies.at(0).stalled_after_h, none);
}

TEST(Contract, BadOnesAreRefusedWithTheirWords) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(repository() / "tests/contracts/bad")) {
    const std::string path = entry.path(), text = read_file(path);
    const std::string expected = text.substr(0, text.find('\n')).substr(std::string("# refused: ").size());
    auto contract = load_contract(path);
    const Error error = contract.ok() ? decode_text(contract.value(), "").error : contract.error();
    EXPECT_EQ(error.recourse, Recourse::halt) << path;
    const std::size_t colon = expected.find(": ");
    EXPECT_EQ(error.cause, expected.substr(0, colon)) << path << "\n" << error.message;
    EXPECT_NE(error.message.find(path + expected.substr(colon + 2)), std::string::npos) << expected << "\n"
                                                                                        << error.message;
    ++files;
  }
  EXPECT_GE(files, 15);
}

// What docs/contracts.md says that wrong delimiters and zoneless times print.
TEST(Contract, TheGuideShowsWhatRecordsAreRefusedWith) {
  const std::string guide = read_file(repository() / "docs/contracts.md");
  Contract contract = native("partner");
  const std::string rows =
      "shipment_ref,scan_id,scan_code,scan_local_time,depot,driver_ref,remark,received_at\nS1,F1,DLV,2026-03-02 "
      "10:00:00,AAA,,,\n";
  for (Mapping& mapping : contract.mappings)
    for (FieldMapping& field : mapping.fields) field.zone = nullptr;
  const auto zoneless = decode_text(contract, rows);
  contract.csv.delimiter = ';';
  contract.csv.has_header = false;
  contract.csv.columns = std::vector<std::string>(8, "scan_id");
  const auto undelimited = decode_text(contract, rows);
  EXPECT_EQ(zoneless.outcome(0), "wrong_type event_time");
  EXPECT_EQ(undelimited.outcome(0), "malformed_record");
  for (const auto* out : {&zoneless, &undelimited})
    EXPECT_NE(guide.find(out->refusal(0).detail), std::string::npos) << out->refusal(0).detail;
}

// The contract that the guide writes from zero.
TEST(Contract, TheGuidesFirstContractReadsItsFirstFile) {
  const std::string guide = read_file(repository() / "docs/contracts.md");
  const auto block = [&](const std::string& fence) {
    const std::size_t from = guide.find(fence) + fence.size();
    return guide.substr(from, guide.find("```", from) - from);
  };
  const auto out = decode_text(contract_of(block("```yaml\n")), block("```\n"));
  ASSERT_EQ(out.all.size(), 1u);
  ASSERT_EQ(out.outcome(0), "fact");
  EXPECT_EQ(out.fact<ShipmentEventFact>(0).shipment_id, "S1");
}

}  // namespace
}  // namespace ff
