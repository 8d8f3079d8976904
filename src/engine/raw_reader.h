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

/// Positions of one partition.
struct Stretch {
  std::string partition;
  std::int64_t after = 0, to = 0;  ///< exclusive, inclusive
};

class RawReader {
 public:
  RawReader(Lake& lake, const ContractSet& contracts, const PseudonymKey& key, Partitions& partitions)
      : lake_(lake), contracts_(contracts), key_(key), partitions_(partitions), decoders_(contracts.size()) {}

  /// Sets aside the records of these stretches (one at least), at most one a partition; returns how many rows they are.
  /// What does not fit DuckDB's memory goes to its temporary directory.
  Result<std::int64_t> gather(std::span<const Stretch> stretches);
  /// Of these rows, the records: of each partition a batch for each of its feeds. Which rows come first is not said, and a
  /// record of several facts may come again with later ones.
  Result<std::vector<SourceBatch>> read_gathered(std::int64_t first, std::int64_t count);
  Result<void> drop_gathered();

  /// What Recall promises (folds.h).
  Result<std::vector<Batch>> about(std::span<const FactType> types, std::span<const Recalled> keys);

 private:
  /// The records that `sql` names in the order of partition and position; a batch for each feed and partition.
  Result<std::vector<SourceBatch>> read(const std::string& sql);

  Lake& lake_;
  const ContractSet& contracts_;
  const PseudonymKey& key_;
  Partitions& partitions_;
  std::vector<std::unique_ptr<Decoder>> decoders_;
};

}  // namespace ff
