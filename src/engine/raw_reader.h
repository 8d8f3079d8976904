/// Reads records back from raw.*, each by the contract that judged it: only accepted ones, and what is committed.
///
/// One a thread, with a lake of its own; it sees what others have committed. Errors: those of lake and decoder.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "decode/decoder.h"
#include "engine/folds.h"
#include "lake/lake.h"
#include "source/source.h"

namespace ff {

class RawReader {
 public:
  RawReader(Lake& lake, const ContractSet& contracts, const PseudonymKey& key, Partitions& partitions)
      : lake_(lake), contracts_(contracts), key_(key), partitions_(partitions), decoders_(contracts.size()) {}

  /// The records of `partition` with a position in (after, to], a batch for each of its feeds.
  Result<std::vector<SourceBatch>> read(const std::string& partition, std::int64_t after, std::int64_t to);

  /// What Recall promises (folds.h).
  Result<std::vector<Batch>> about(std::span<const FactType> types, std::span<const Recalled> keys);

 private:
  /// Records of any types for which `condition` holds, in the order of partition and position; a batch for each feed and
  /// partition.
  Result<std::vector<SourceBatch>> where(std::span<const FactType> types, const std::string& condition);

  Lake& lake_;
  const ContractSet& contracts_;
  const PseudonymKey& key_;
  Partitions& partitions_;
  std::vector<std::unique_ptr<Decoder>> decoders_;
};

}  // namespace ff
