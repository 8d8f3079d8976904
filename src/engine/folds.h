/// From facts to staged rows: reads the keyed state of everything a batch names, folds it before and after, and stages the
/// difference. State that was cut to a stub is made whole again from what raw.* has. Knows no lake and no source.
///
/// Always: staging the same facts a second time stages nothing; the staged state is what the rows were folded from.
/// One thread. Text in facts must live until `stage` returns.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "contract/contract.h"
#include "contract/zone.h"
#include "decode/decoder.h"
#include "engine/staging.h"
#include "state/store.h"

namespace ff {

/// Names for the numbers in a Provenance.
struct Names {
  const ContractSet& contracts;
  std::vector<std::string> partitions;
};

/// What is looked for in raw.*: accepted facts about `key`, a shipment_id or driver_key, heard of in [from, until].
struct Recalled {
  std::string_view key;
  Micros from, until;
};
/// Those facts, and perhaps others, of some types; all that is committed.
using Recall =
    std::function<Result<std::vector<Batch>>(std::span<const FactType> types, std::span<const Recalled> keys)>;

/// How long keyed state stays whole after the last fact about its thing was heard of.
struct HotFor {
  Micros ended = 14 * us_per_day;  ///< a shipment in a terminal state; a driver's day
  Micros open = 60 * us_per_day;   ///< any other shipment
};

struct FoldContext {
  const Store& store;
  const Names& names;
  const Zone& zone;  ///< the reporting zone, whose midnights cut driver days
  const Recall& recall;
  HotFor hot_for;
  std::int64_t publish_seq;
  Micros as_of;  ///< written to the history of intervals only
};

/// A fact about something whose state was cut to a stub and of which raw.* has less than was folded: it waits in quarantine.
void quarantine_beyond_retention(const FoldContext& context, const Fact& fact, std::string_view key, Staging& staging);

/// Facts of one kind each; any order, copies welcome.
Result<void> stage_shipments(const FoldContext& context, std::span<Fact* const> facts, Staging& staging);
Result<void> stage_drivers(const FoldContext& context, std::span<Fact* const> facts, Staging& staging);
Result<void> stage_pings(const FoldContext& context, std::span<Fact* const> facts, Staging& staging);

}  // namespace ff
