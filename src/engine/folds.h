/// From facts to staged rows: reads the keyed state of everything a batch names, folds it before and after, and stages the
/// difference. Knows no lake and no source.
///
/// Always: staging the same facts a second time stages nothing; the staged state is what the rows were folded from.
/// One thread. Text in facts must live until `stage` returns.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "contract/contract.h"
#include "contract/zone.h"
#include "engine/staging.h"
#include "state/store.h"

namespace ff {

/// Names for the numbers in a Provenance.
struct Names {
  const ContractSet& contracts;
  std::vector<std::string> partitions;
};

struct FoldContext {
  const Store& store;
  const Names& names;
  const Zone& zone;  ///< the reporting zone, whose midnights cut driver days
  std::int64_t publish_seq;
  Micros as_of;  ///< written to the history of intervals only
};

/// Facts of one kind each; any order, copies welcome.
Result<void> stage_shipments(const FoldContext& context, std::span<Fact* const> facts, Staging& staging);
Result<void> stage_drivers(const FoldContext& context, std::span<Fact* const> facts, Staging& staging);
Result<void> stage_pings(const FoldContext& context, std::span<Fact* const> facts, Staging& staging);

}  // namespace ff
