/// For tests: decode a text by a contract written as text, and look at everything that came out.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "base/repository_testing.h"
#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "decode/decoder.h"

namespace ff::testing {

/// The folder of sample data, or empty: then say so and skip.
inline std::filesystem::path samples() {
  const char* folder = std::getenv("FLEETFLOW_SAMPLES");
  const auto path = folder && *folder ? std::filesystem::path(folder) : repository().parent_path() / "shared/data";
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A file of its own, gone with the object.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& text, const std::string& suffix) {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("fleetflow-" + std::to_string(::getpid()) + "-" + std::to_string(++count) + suffix);
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Collected final : Sink {
  std::vector<Batch> batches;
  std::vector<const Decoded*> all;
  std::vector<std::string> drifts;
  DecodeStats stats;
  Error error;  ///< of the decoding; empty cause: none

  Result<void> accept(Batch batch) override {
    for (const Drift& drift : batch.drifts) drifts.push_back(drift.field);
    batches.push_back(std::move(batch));
    for (const Decoded& d : batches.back().records) all.push_back(&d);
    return {};
  }

  template <class Body>
  const Body& fact(std::size_t i) const {
    return std::get<Body>(all.at(i)->fact()->body);
  }
  const Refusal& refusal(std::size_t i) const { return *all.at(i)->refusal(); }
  std::string_view payload(std::size_t i) const { return all.at(i)->payload; }
  /// 'reason' or 'reason field', or 'fact' where it is one.
  std::string outcome(std::size_t i) const {
    if (all.at(i)->fact()) return "fact";
    const Refusal& r = refusal(i);
    return r.field.empty() ? r.reason : r.reason + " " + r.field;
  }
};

inline Contract contract_of(const std::string& yaml) {
  const TemporaryFile file(yaml, ".yaml");
  auto contract = load_contract(file.path());
  if (!contract.ok()) ADD_FAILURE() << contract.error().message;
  return contract.ok() ? std::move(contract).value() : Contract{};
}

inline Collected decode_file(const Contract& contract, const std::string& path, std::int64_t after = 0,
                             DriverIds ids = DriverIds::from_source) {
  Collected out;
  auto decoder = make_decoder(contract, 0, PseudonymKey::demo(), ids);
  if (!decoder.ok()) {
    out.error = decoder.error();
    return out;
  }
  auto stats = decoder.value()->decode({path, 0, 1'772'440'000'000'000}, after, out);  // arrives 2026-03-02T08:26:40Z
  if (stats.ok())
    out.stats = stats.value();
  else
    out.error = stats.error();
  return out;
}

/// Records that are in memory, all of one partition.
inline Collected decode_records(Decoder& decoder, const std::vector<RecordRef>& records) {
  Collected out;
  auto batch = decoder.decode_records(7, records);
  if (!batch.ok())
    out.error = batch.error();
  else
    EXPECT_TRUE(out.accept(std::move(batch).value()).ok());
  return out;
}

/// Values of a topic from its first position on, heard at one moment.
inline Collected decode_values(Decoder& decoder, const std::vector<std::string>& values, Micros heard) {
  std::vector<RecordRef> records;
  for (const std::string& value : values)
    records.push_back({static_cast<std::int64_t>(records.size()) + 1, heard, value, {}});
  return decode_records(decoder, records);
}

inline Collected decode_text(const Contract& contract, const std::string& text, std::int64_t after = 0,
                             DriverIds ids = DriverIds::from_source) {
  const TemporaryFile file(text, contract.format == Format::csv ? ".csv" : ".ndjson");
  return decode_file(contract, file.path(), after, ids);
}

inline const Contract& native(const std::string& name) {
  static std::map<std::string, Contract> loaded;
  auto at = loaded.find(name);
  if (at == loaded.end()) {
    auto contract = load_contract(repository() / "contracts" / (name + ".yaml"));
    if (!contract.ok()) ADD_FAILURE() << contract.error().message;
    at = loaded.emplace(name, contract.ok() ? std::move(contract).value() : Contract{}).first;
  }
  return at->second;
}

}  // namespace ff::testing
