/// How the world's records look on the wire: one line per telling, without its line feed (docs: README.md beside this).
#pragma once

#include <string>

#include "sim/life.h"

namespace ff::sim {

/// RFC 3339 UTC; milliseconds or microseconds only where they are not zero.
void append_time(std::string& out, Micros t);

/// The line of `telling`. Deterministic; a broken line is as broken each time.
void append_telling(std::string& out, const World& world, const Life& life, const Telling& telling);

/// A row of the partner's file for a scan: local time of America/Phoenix (UTC-7, no summer time), its own codes.
void append_partner_row(std::string& out, const World& world, const Life& life, const Telling& telling);
inline constexpr std::string_view partner_header =
    "shipment_ref,scan_id,scan_code,scan_local_time,depot,driver_ref,remark,received_at";

/// What schema_drift adds to a scan.
inline constexpr std::string_view drifted_field = "temperature_c";

void append_driver_record(std::string& out, std::string_view driver_id, std::string_view home_hub,
                          const PersonalData& pii, int version, Micros heard);

struct Ping {
  Micros time = 0, heard = 0;
  double latitude = 0, longitude = 0;
  int speed_dm_s = -1;  ///< tenths of a metre per second; -1: the device does not say
};
void append_ping(std::string& out, std::string_view driver_id, const Ping& ping);

}  // namespace ff::sim
