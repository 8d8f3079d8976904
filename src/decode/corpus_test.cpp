// Inputs that once broke something, and the fuzzers' seeds: what holds for any bytes holds for them.
#include "decode/decode_testing.h"
#include "decode/fuzz_testing.h"

namespace ff {
namespace {

using namespace ff::testing;

int every_file_of(const std::string& folder, const std::function<void(std::string_view)>& holds) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(repository() / "tests/corpus" / folder)) {
    SCOPED_TRACE(entry.path().string());
    holds(read_file(entry.path()));
    ++files;
  }
  return files;
}

TEST(Corpus, Ndjson) {
  const int files = every_file_of("ndjson", [](std::string_view bytes) {
    fuzz_decoder(native("drivers"), bytes);
    fuzz_decoder(native("events"), bytes);
    fuzz_records(native("events"), bytes);
  });
  EXPECT_GE(files, 3);
}

TEST(Corpus, Csv) {
  const int files = every_file_of("csv", [](std::string_view bytes) { fuzz_decoder(native("partner"), bytes); });
  EXPECT_GE(files, 1);
}

TEST(Corpus, Debezium) {
  Contract orders = native("orders");
  orders.format = Format::debezium;
  const int files = every_file_of("debezium", [&](std::string_view bytes) { fuzz_decoder(orders, bytes); });
  EXPECT_GE(files, 3);
}

TEST(Corpus, AStringAndAColonAreNoMember) {
  const auto out = decode_file(native("drivers"), repository() / "tests/corpus/ndjson/string-then-colon.ndjson");
  ASSERT_EQ(out.all.size(), 2u);
  EXPECT_EQ(out.outcome(0), "malformed_record");
  EXPECT_EQ(out.outcome(1), "malformed_record");
}

}  // namespace
}  // namespace ff
