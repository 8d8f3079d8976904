// What decoding costs: every record of the named files through its contract, the facts thrown away at once.
//   decode_bench CONTRACTS FILE...
#include <cstdio>
#include <ctime>
#include <map>

#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "decode/decoder.h"

namespace {

struct Counting final : ff::Sink {
  std::map<std::string, std::pair<std::int64_t, std::string>> reasons;  ///< how many, and the first one's detail
  std::int64_t payload_bytes = 0;
  ff::Result<void> accept(ff::Batch batch) override {
    for (const ff::Decoded& d : batch.records) {
      payload_bytes += static_cast<std::int64_t>(d.payload.size());
      if (const ff::Refusal* refusal = d.refusal())
        if (auto& seen = reasons[refusal->reason]; ++seen.first == 1) seen.second = refusal->detail;
    }
    return {};
  }
};

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: decode_bench CONTRACTS FILE...\n"), 2;
  auto contracts = ff::ContractSet::load(argv[1]);
  if (!contracts.ok()) return std::fprintf(stderr, "%s\n", contracts.error().message.c_str()), 1;
  for (int i = 2; i < argc; ++i) {
    const auto feed = contracts.value().feed_of(argv[i]);
    if (!feed) return std::fprintf(stderr, "%s: no contract knows this file\n", argv[i]), 1;
    auto decoder = ff::make_decoder(contracts.value()[*feed], *feed, ff::PseudonymKey::demo());
    if (!decoder.ok()) return std::fprintf(stderr, "%s\n", decoder.error().message.c_str()), 1;
    Counting sink;
    const double start = cpu_seconds();
    auto stats = decoder.value()->decode({argv[i], 0, 0}, 0, sink);
    const double used = cpu_seconds() - start;
    if (!stats.ok()) return std::fprintf(stderr, "%s\n", stats.error().message.c_str()), 1;
    const auto& s = stats.value();
    std::printf("%s: %lld records, %lld facts, %lld refusals, %.1f MB, %.3f CPU µs/record\n", argv[i],
                static_cast<long long>(s.records), static_cast<long long>(s.facts), static_cast<long long>(s.refusals),
                static_cast<double>(s.bytes) / 1e6, used * 1e6 / static_cast<double>(s.records));
    for (const auto& [reason, seen] : sink.reasons)
      std::printf("  %s: %lld, the first: %s\n", reason.c_str(), static_cast<long long>(seen.first),
                  seen.second.c_str());
  }
}
