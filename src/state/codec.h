/// Keyed state as bytes, and back; the first byte is the version of the layout.
///
/// The state of a shipment, and that of a driver's day, begins with a stub of about 20 bytes: when it expires, how much
/// was told and when that was heard of. Once expired it may be cut to the stub at any time (store.h); who meets a stub reads
/// the rest again from raw.*. Source: architecture, "Keyed state is a cache of core".
/// Decoded text borrows from the bytes given. A blob that does not decode means a damaged or foreign state directory:
/// state is a cache of the lake, so the way out is to rebuild it (see the message).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/driver.h"
#include "domain/gps_day.h"
#include "domain/shipment.h"

namespace ff {

/// What is left of an expired state.
struct Stub {
  std::int64_t tellings = 0;                  ///< so many distinct facts make up the whole
  Micros first_heard = none, last_heard = 0;  ///< least and greatest ingest_time among them; none: it has no facts
};
/// What `bytes` say of the whole, if they are a stub; nullopt for a whole state, or for damaged bytes, which decode() refuses.
std::optional<Stub> stub_of(std::string_view bytes);
/// The stub of a whole state that has expired at `as_of`; nullopt: it stays as it is.
std::optional<std::string_view> expired(std::string_view bytes, Micros as_of);

/// `hot_for`: the state expires so long after the last of its facts was heard of.
std::string encode(const ShipmentFacts& facts, Micros hot_for);
std::string encode(const DriverFacts& facts);
std::string encode(const DayPings& pings, Micros hot_for);

Result<void> decode(std::string_view bytes, ShipmentFacts& facts);
Result<void> decode(std::string_view bytes, DriverFacts& facts);
Result<void> decode(std::string_view bytes, DayPings& pings);

}  // namespace ff
