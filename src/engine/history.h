/// What earlier runs left, in the lake and in the keyed state, and what must hold between the two before a run goes on.
#pragma once

#include <string>

#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "engine/stager.h"
#include "lake/lake.h"
#include "source/source.h"
#include "state/store.h"

namespace ff {

struct History {
  std::int64_t publish_seq = 0;  ///< of the newest commit, staged or visible; 0: none
  std::int64_t epoch = 1;        ///< of this run: one more than any before it
  Micros as_of = none;           ///< of that commit
  Micros curated_as_of = none;   ///< where ops.clock stands: the as_of of the last cycle
  bool is_curated = true;        ///< nothing was touched since
  std::string generation;        ///< contracts, zone and key, as one hash
};

std::string zone_of(const std::string& wanted, const ContractSet& contracts);
std::string generation_of(const ContractSet& contracts, const std::string& zone_name, const PseudonymKey& key);

/// Tables, reference data and policies, in the transaction that is open. Error: halt 'generation_changed'.
Result<void> prepare_lake(Lake& lake, const ContractSet& contracts, const std::string& home,
                          const std::string& zone_name, const std::string& generation, const std::string& directory);

/// Marks of lake and state and the drifts known, into the stager. Errors: halt 'generation_changed', 'state_ahead'.
Result<History> load_history(Lake& lake, Store& store, const std::string& generation, Partitions& partitions,
                             Stager& stager);

/// The mark of one partition as the lake has it now.
Result<Mark> read_mark(Lake& lake, const std::string& partition);

/// Brings keyed state that lags up to the stager's marks, from what raw.* has; writes nothing to the lake. Returns how many
/// records that took. What other partitions hold of the same keys is in the state as far as it was brought up, too.
Result<std::int64_t> catch_up_state(Lake& lake, Store& store, const ContractSet& contracts, const PseudonymKey& key,
                                    Partitions& partitions, Stager& stager, const History& history);

}  // namespace ff
