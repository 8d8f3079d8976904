// Any bytes as a driver's NDJSON file (the feed with most to hide) and as an events file.
//   build/fuzz/bin/ndjson_fuzz -max_total_time=60 tests/corpus/ndjson
#include "decode/fuzz_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ff::ContractSet contracts = ff::ContractSet::load("contracts").value();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ff::testing::fuzz_decoder(contracts[*contracts.feed_of("drivers.ndjson")], bytes);
  ff::testing::fuzz_decoder(contracts[*contracts.feed_of("events.ndjson")], bytes);
  ff::testing::fuzz_records(contracts[*contracts.feed_of("drivers.ndjson")], bytes);
  return 0;
}
