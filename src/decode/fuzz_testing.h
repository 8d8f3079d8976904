/// For fuzzers: bytes as a file without a disk, and what must hold for whatever comes out of a decoder.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "decode/decoder.h"

namespace ff::testing {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : file_(::memfd_create("fuzz", 0)) {
    FF_CHECK(file_ >= 0);
    FF_CHECK(::write(file_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  ~MemoryFile() { ::close(file_); }
  MemoryFile(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

struct Kept final : Sink {
  std::vector<Batch> batches;
  Result<void> accept(Batch batch) override {
    batches.push_back(std::move(batch));
    return {};
  }
};

/// Any bytes as records in memory, cut in two anywhere: each comes out in its place, and an accepted one reads back.
inline void fuzz_records(const Contract& contract, std::string_view bytes, SchemaSource* schemas = nullptr) {
  static const PseudonymKey key = PseudonymKey::demo();
  const std::size_t cut = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]) % bytes.size();
  const RecordRef records[] = {{1, 0, bytes, {}}, {2, 0, bytes.substr(0, cut), {}}, {3, 0, bytes.substr(cut), {}}};
  const auto batch =
      make_decoder(contract, 0, key, DriverIds::from_source, schemas).value()->decode_records(0, records);
  FF_CHECK(batch.ok());
  std::int64_t last = 0;
  for (const Decoded& d : batch.value().records) {
    const std::int64_t position = d.from().position;
    FF_CHECK(position == last || position == last + 1);
    last = position;
    if (!d.fact()) continue;
    FF_CHECK(d.payload.find('\n') == std::string_view::npos);
    const RecordRef back[] = {{position, 0, d.payload, {}}};
    const auto again = make_decoder(contract, 0, key, DriverIds::keys).value()->decode_records(0, back);
    FF_CHECK(again.ok() && again.value().records.at(0).fact());
  }
  FF_CHECK(last == 3);
}

/// Any bytes: positions rise, every record comes out, and an accepted one reads back from its payload as accepted.
inline void fuzz_decoder(const Contract& contract, std::string_view bytes) {
  static const PseudonymKey key = PseudonymKey::demo();
  const MemoryFile file(bytes);
  Kept kept;
  auto decoder = make_decoder(contract, 0, key);
  FF_CHECK(decoder.ok());
  const auto stats = decoder.value()->decode({file.path(), 0, 0}, 0, kept);
  FF_CHECK(stats.ok());
  std::int64_t last = 0, outcomes = 0;
  std::string payloads;
  std::int64_t facts = 0;
  for (const Batch& batch : kept.batches)
    for (const Decoded& d : batch.records) {
      const std::int64_t position = d.from().position;
      FF_CHECK(position > last);
      last = position;
      ++outcomes;
      if (d.fact()) payloads.append(d.payload).append(1, '\n'), ++facts;
    }
  FF_CHECK(outcomes == stats.value().records || (bytes.empty() && outcomes == 1));
  const MemoryFile again(payloads);
  Kept reread;
  const auto second = make_decoder(contract, 0, key, DriverIds::keys).value()->decode({again.path(), 0, 0}, 0, reread);
  FF_CHECK(second.ok() && second.value().facts == facts);
}

}  // namespace ff::testing
