/// The world simulator: a logistics company from a seed, written as the feeds its systems would send, and the truth about it.
///
/// What: native NDJSON files (orders, drivers, events, assignments, gps) in the order of arrival, optionally one carrier's
///       scans as partner CSV files, and truth/ beside them: what happened and every finding the planted faults must
///       give. README.md describes the files.
/// Why:  a pipeline over real feeds can only be compared with itself; here the right answer is known, because the world
///       was made before it was told.
/// Always: the same options give the same bytes. A world without faults gives no finding. Memory is bounded by what is
///       on its way at one moment: a shipment in flight costs eight bytes, a driver about a hundred.
/// The truth comes from the story as it was made (who had the parcel, when it was delivered), never from folding events
/// or judging transitions; only the promise arithmetic of docs/semantics.md S5.1 and the graces of S6 are written twice.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

#include "domain/fact.h"
#include "sim/faults.h"

namespace ff::sim {

struct SimOptions {
  std::uint64_t seed = 1;
  std::uint64_t shipments = 20'000;
  Micros start = 1'772'409'600'000'000;  ///< 2026-03-02T00:00:00Z: midnight before the first order
  int days = 2;                          ///< orders come on these days; the world ends `drain_h` after them
  int drain_h = 0;                       ///< hours during which lives go on and no order comes
  int events_per_shipment = 20;          ///< on average, at least 10
  double pings_per_shipment = 15;        ///< on average over the days of orders; 0: no GPS
  bool partner = false;                  ///< carrier FALCON's scans come as partner-*.csv
  bool truth = true;                     ///< write truth/
  FaultRates faults;
  std::uint64_t file_lines_max = 1'000'000;  ///< a new file after so many lines,
  int file_hours = 6;                        ///< and at each multiple of so many hours of the day
  std::filesystem::path out;
  std::filesystem::path
      contracts;  ///< copied beside the feeds, that of GPS with what this world's feed tells; empty: not

  /// The as_of of the truth; every line is heard before it.
  Micros end() const { return start + (days * 24 + drain_h) * 3'600'000'000LL; }
};

struct SimSummary {
  std::uint64_t orders = 0, drivers = 0, events = 0, assignments = 0, pings = 0,
                partner_rows = 0;  ///< lines written, copies included
  std::uint64_t bytes = 0, files = 0, findings = 0;
  std::array<std::uint64_t, fault_count> injected{};
};

/// Writes the world into `options.out`, which is created; files of an earlier world in it are removed first.
/// Throws std::system_error when a file can't be written, std::invalid_argument for options that make no sense.
SimSummary simulate(const SimOptions& options);

}  // namespace ff::sim
