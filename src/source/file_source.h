/// Files in a folder as one stream of batches, in order of ingest_time across feeds.
///
/// Each feed (contract) is read by a thread of its own, file after file in the order of names; `poll` hands out the batch
/// that was heard of first, so that the engine's as_of moves evenly. Queues are bounded: a slow engine stops the readers.
/// A file is immutable once it is here; its records are read from the position given, to the end or to `as_of_max`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "decode/decoder.h"
#include "source/source.h"

namespace ff {

/// One file to read.
struct FilePart {
  std::uint32_t feed = 0;  ///< index in the ContractSet
  FileRef file;
  std::int64_t after = 0;  ///< the last position that is done already
};

/// The files below `folder` that a contract of the set claims, sorted by path; paths are relative to the folder.
struct FoundFile {
  std::string path;
  std::uint32_t feed = 0;
  std::int64_t bytes = 0;
};
Result<std::vector<FoundFile>> find_files(const std::string& folder, const ContractSet& contracts);

class FileSource final : public Source {
 public:
  /// Starts reading. `parts` are read per feed in the order given. The contracts must outlive this.
  static Result<std::unique_ptr<FileSource>> start(const ContractSet& contracts, const PseudonymKey& key,
                                                   std::vector<FilePart> parts, Micros as_of_max);
  ~FileSource() override;

  Result<std::optional<SourceBatch>> poll(std::chrono::milliseconds wait) override;
  bool is_finished() const override;
  /// The done-mark of a file is a row of ops.files, which the engine writes.
  Result<void> confirm(const std::vector<Progress>&) override { return {}; }

 private:
  struct Impl;
  explicit FileSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff
