// Any bytes as a contract: read or refused, never a crash.
//   build/fuzz/bin/contract_fuzz -max_total_time=60 tests/contracts/bad contracts
#include "decode/fuzz_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ff::testing::MemoryFile file({reinterpret_cast<const char*>(data), size});
  const auto contract = ff::load_contract(file.path());
  FF_CHECK(contract.ok() || !contract.error().message.empty());
  return 0;
}
