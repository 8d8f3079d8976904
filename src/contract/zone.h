/// A time zone, read once from the system's zoneinfo (TZif, RFC 8536): local clock readings to UTC.
///
/// g++ 12 has no std::chrono zones, and glibc's are process-wide state; this is a table and a binary search.
/// A reading that happens twice (autumn) means the earlier instant; one that never happens (spring) is read with the
/// offset before the gap. Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/fact.h"

namespace ff {

class Zone {
 public:
  /// Error: halt `unknown_zone`, also when the zoneinfo files are not installed (package tzdata).
  static Result<std::shared_ptr<const Zone>> load(const std::string& name);

  /// The instant of a local clock reading, itself given as if it were UTC.
  Micros to_utc(Micros local) const;
  /// The local clock at an instant, as if it were UTC. Used for days of a reporting zone.
  Micros to_local(Micros utc) const;

 private:
  struct Change {
    std::int64_t at_s;      ///< UTC second from which `offset_s` holds
    std::int64_t offset_s;  ///< local minus UTC
  };
  std::int64_t offset_at(std::int64_t utc_s) const;
  std::vector<Change> changes_;  ///< rising; the first stands since forever, the last for ever
};

}  // namespace ff
