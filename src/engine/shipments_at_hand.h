/// The rows of core about shipments, folded from the keyed state instead of looked up in the lake: reading them then costs
/// what was touched, however much core holds.
///
/// Columns: what the shipment models read; those that say how we know (versions, provenance) are left out.
/// While a commit is being published the store shows the state of that commit: to be asked then, from any thread.
#pragma once

#include "contract/contract.h"
#include "curate/curator.h"
#include "state/store.h"

namespace ff {

/// Both must outlive what is returned. A shipment whose state was cut to its stub is told as `elsewhere`.
Curator::ShipmentsOf shipments_at_hand(const Store& store, const ContractSet& contracts);

}  // namespace ff
