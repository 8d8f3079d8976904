// Any bytes as lines of change envelopes: refused or read, and what was read reads back from its payload.
//   build/fuzz/bin/debezium_fuzz -max_total_time=60 tests/corpus/debezium
#include "decode/fuzz_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ff::Contract contract = [] {
    ff::Contract orders = ff::load_contract("contracts/orders.yaml").value();
    orders.format = ff::Format::debezium;
    return orders;
  }();
  const ff::testing::MemoryFile file({reinterpret_cast<const char*>(data), size});
  static const ff::PseudonymKey key = ff::PseudonymKey::demo();
  ff::testing::Kept kept;
  FF_CHECK(ff::make_decoder(contract, 0, key).value()->decode({file.path(), 0, 0}, 0, kept).ok());
  std::string payloads;
  std::int64_t facts = 0;
  for (const ff::Batch& batch : kept.batches)
    for (const ff::Decoded& d : batch.records)
      if (d.fact()) payloads.append(d.payload).append(1, '\n'), ++facts;
  const ff::testing::MemoryFile again(payloads);
  ff::testing::Kept reread;
  const auto second =
      ff::make_decoder(contract, 0, key, ff::DriverIds::keys).value()->decode({again.path(), 0, 0}, 0, reread);
  FF_CHECK(second.ok() && second.value().facts == facts);
  return 0;
}
