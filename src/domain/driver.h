/// A driver's master row: which telling of it counts. No PII comes this far. Source: docs/semantics.md S2.5, S2.8.
#pragma once

#include <string_view>
#include <tuple>
#include <vector>

#include "domain/shipment.h"

namespace ff {

struct DriverTelling {
  std::string_view home_hub;
  bool is_deleted = false;
  Version version;
  Provenance from;

  auto identity() const { return std::tuple<>(); }
  bool retracted() const { return false; }
  auto content() const { return std::tie(home_hub, is_deleted); }
};

/// The distinct facts about one driver_key, sorted by (version, content).
struct DriverFacts {
  std::vector<DriverTelling> tellings;
  bool add(const DriverTelling& telling);
};

struct DriverRow {
  bool exists = false;
  DriverTelling told;
  Chain chain;
};

DriverRow fold(const DriverFacts& facts);

}  // namespace ff
