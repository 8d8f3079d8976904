/// Keyed state as bytes, and back. docs/formats/state.md describes the layout; the first byte is its version.
///
/// Decoded text borrows from the bytes given. A blob that does not decode means a damaged or foreign state directory:
/// state is a cache of the lake, so the way out is to rebuild it (see the message).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/driver.h"
#include "domain/gps_day.h"
#include "domain/shipment.h"

namespace ff {

std::string encode(const ShipmentFacts& facts);
std::string encode(const DriverFacts& facts);
std::string encode(const DayPings& pings);

Result<void> decode(std::string_view bytes, ShipmentFacts& facts);
Result<void> decode(std::string_view bytes, DriverFacts& facts);
Result<void> decode(std::string_view bytes, DayPings& pings);

}  // namespace ff
