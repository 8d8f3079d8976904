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
  const auto id_of = [&](std::string_view path) { const auto feed = set.feed_of(path); return feed ? set[*feed].id : "none"; };
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
    EXPECT_NE(error.message.find(path + expected.substr(colon + 2)), std::string::npos) << expected << "\n" << error.message;
    ++files;
  }
  EXPECT_GE(files, 15);
}

}  // namespace
}  // namespace ff
