/// Values that a source left out because they did not change (Fact::unchanged): filled in from what is known of the same
/// thing.
///
/// The value is that of the telling with the greatest version below the fact's own, of the same authority. So facts of one
/// key must be added in the order of their versions, and a table's snapshot comes before its stream. Where nothing is known
/// below, the fact cannot be completed; nothing is guessed.
#pragma once

#include "domain/driver.h"
#include "domain/fact.h"
#include "domain/shipment.h"

namespace ff {

enum class Unchanged : std::uint8_t {
  filled,      ///< the fact is whole
  superseded,  ///< not whole, and it need not be: something newer is known, or it deletes what was never told
  unknown,     ///< not whole: there is no telling below
};

/// Completes a shipment, event or command from what is known of its shipment.
Unchanged fill_unchanged(const ShipmentFacts& known, Fact& fact);
/// The same of a driver's master row.
Unchanged fill_unchanged(const DriverFacts& known, Fact& fact);

}  // namespace ff
