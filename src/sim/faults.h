/// Everything that goes wrong in the world, by name, with how often it does unless told otherwise.
///
/// A shipment carries at most one fault that changes its story, so each consequence is known; copies and small disorder
/// (`duplicate`, `reordered`) may touch anything, because they change nothing. A fault is only done where all that
/// follows from it can be heard before the world ends: then the truth needs no "unless".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ff::sim {

enum class Fault : std::uint8_t {
  // Of a shipment: at most one of these each.
  late,
  correction,
  retraction,
  conflicting_duplicate,
  missing_driver,
  unknown_driver,
  skipped_scan,
  contradiction,
  duplicate_shipment_id,
  orphan,
  driver_mismatch,
  unassign_mismatch,
  late_command,
  corrected_command,
  future_event,
  negative_duration,
  deleted_order,
  beyond_horizon,
  schema_drift,
  corrupt_line,
  unmapped_status,
  // Of a record, a ping, a driver, the whole.
  duplicate,
  reordered,
  gps_jump,
  gps_future,
  gps_buffered,
  gps_out_of_range,
  corrupt_driver,
  cut_file,
  empty_file,
  silent_feed,
  odd_volume,
};
inline constexpr std::size_t fault_count = static_cast<std::size_t>(Fault::odd_volume) + 1;
inline constexpr std::size_t shipment_fault_count = static_cast<std::size_t>(Fault::unmapped_status) + 1;

struct FaultTraits {
  std::string_view name;
  std::string_view per;   ///< what the rate counts: shipment, record, event, ping, driver or (a chance) world
  double rate = 0;        ///< by default
  std::string_view what;  ///< for --help
};

inline constexpr std::array<FaultTraits, fault_count> fault_traits = {{
    {"late", "shipment", 0.010, "one scan is heard after its feed's bound"},
    {"correction", "shipment", 0.010, "a scan is told wrong first, then again with a higher version"},
    {"retraction", "shipment", 0.005, "a delivery that never was is told, and taken back (or first taken back)"},
    {"conflicting_duplicate", "shipment", 0.003, "one scan, one version, two depots"},
    {"missing_driver", "shipment", 0.005, "nobody is named: by the dispatch, or by dispatch and scans"},
    {"unknown_driver", "shipment", 0.003, "a driver whose record never comes, or comes too late"},
    {"skipped_scan", "shipment", 0.004, "the pickup was never scanned: a step is missing"},
    {"contradiction", "shipment", 0.004, "a depot scan after the delivery"},
    {"duplicate_shipment_id", "shipment", 0.002, "two orders, one number"},
    {"orphan", "shipment", 0.003, "the order never comes, or comes too late"},
    {"driver_mismatch", "shipment", 0.004, "a scan names another driver than the dispatch"},
    {"unassign_mismatch", "shipment", 0.003, "a driver gives up what he does not have"},
    {"late_command", "shipment", 0.010, "a dispatch command is heard hours later, out of order"},
    {"corrected_command", "shipment", 0.005, "a dispatch command names the wrong driver and time first"},
    {"future_event", "shipment", 0.002, "a handset's clock runs ahead"},
    {"negative_duration", "shipment", 0.002, "the order's created_at lies after the pickup"},
    {"deleted_order", "shipment", 0.004, "the order is deleted"},
    {"beyond_horizon", "shipment", 0.001, "one more scan, of two hundred days ago"},
    {"schema_drift", "shipment", 0.002, "its scans carry a field that nobody announced"},
    {"corrupt_line", "shipment", 0.003, "one more line, broken: cut, of a wrong type, without its shipment"},
    {"unmapped_status", "shipment", 0.002, "one more scan, with a status nobody knows"},
    {"duplicate", "record", 0.010, "the same record again, up to ten minutes later"},
    {"reordered", "event", 0.050, "a scan is heard 2 to 14 minutes late: out of order, not late"},
    {"gps_jump", "ping", 0.0002, "a position more than 100 km away"},
    {"gps_future", "ping", 0.0001, "one more ping, from the future"},
    {"gps_buffered", "ping", 0.0020, "a ping is heard up to two hours later"},
    {"gps_out_of_range", "ping", 0.0001, "one more ping, at a latitude that does not exist"},
    {"corrupt_driver", "driver", 0.010, "one more driver record, broken, with personal data in it"},
    {"cut_file", "world", 1.0, "the last file of events ends in the middle of a line"},
    {"empty_file", "world", 1.0, "one more file of events, with nothing in it"},
    {"silent_feed", "world", 1.0,
     "with --contracts: the GPS feed is silent for hours, then tells all that it held back"},
    {"odd_volume", "world", 1.0, "with --contracts: on one day but the first, most pings are lost, or told as two"},
}};

class FaultRates {
 public:
  FaultRates() {
    for (std::size_t i = 0; i < fault_count; ++i) rates_[i] = fault_traits[i].rate;
  }
  static FaultRates none() {
    FaultRates rates;
    rates.rates_.fill(0);
    return rates;
  }
  double operator[](Fault fault) const { return rates_[static_cast<std::size_t>(fault)]; }
  double& operator[](Fault fault) { return rates_[static_cast<std::size_t>(fault)]; }

 private:
  std::array<double, fault_count> rates_;
};

constexpr std::string_view name(Fault fault) { return fault_traits[static_cast<std::size_t>(fault)].name; }

constexpr std::optional<Fault> fault_from_name(std::string_view name) {
  for (std::size_t i = 0; i < fault_count; ++i)
    if (fault_traits[i].name == name) return static_cast<Fault>(i);
  return std::nullopt;
}

}  // namespace ff::sim
