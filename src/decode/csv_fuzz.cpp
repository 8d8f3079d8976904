// Any bytes as a partner's CSV file.
//   build/fuzz/bin/csv_fuzz -max_total_time=60 tests/corpus/csv
#include "decode/fuzz_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ff::ContractSet contracts = ff::ContractSet::load("contracts").value();
  ff::testing::fuzz_decoder(contracts[*contracts.feed_of("partner.csv")], {reinterpret_cast<const char*>(data), size});
  return 0;
}
