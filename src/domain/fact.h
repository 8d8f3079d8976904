/// The five facts: what a source told us, decoded, judged by its contract and free of PII.
///
/// A fact is a value; nothing here does I/O or knows the time of day. All times are microseconds since the Unix epoch,
/// UTC. Names are those of the lake's columns. Source: docs/semantics.md S1.4, S2.1 to S2.5.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>

namespace ff {

/// Microseconds since 1970-01-01T00:00:00Z.
using Micros = std::int64_t;
/// "Not said by the source", for the optional times, counts and measures below.
inline constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min();

/// Which telling of a fact this is (S2.4). Compared from the left; a source without versions has all zero.
/// `ordinal` is an LSN, a file sequence or a row version; `ordinal_minor` the order inside it.
struct Version {
  std::int32_t authority_rank = 0;
  std::int32_t epoch = 0;
  std::int64_t ordinal = 0;
  std::int32_t ordinal_minor = 0;
  auto operator<=>(const Version&) const = default;
};

/// Where a fact came from (S2.1). Outside the law: two copies of one fact differ here.
struct Provenance {
  std::uint32_t feed = 0;       ///< index of the contract in the ContractSet that judged it
  std::uint32_t partition = 0;  ///< index of the file or Kafka partition in the source's list
  std::int64_t position = 0;    ///< record number (from 1), offset or LSN; rises within the partition
  Micros ingest_time = 0;       ///< from the source's durable record, never a decoding clock (S1.3)
};

/// An order, one version of one claim on a shipment_id (S3.7).
struct ShipmentFact {
  std::string name_space, shipment_id, order_ref, customer_id, carrier_id, service_level, origin_hub, destination_hub;
  Micros created_at = 0;
  Micros promised_pickup_by = none, promised_delivery_by = none;
  bool is_deleted = false;
};

struct DriverFact {
  std::string driver_key, home_hub;
  bool is_deleted = false;
};

/// A status event. An empty event_id means that the source has none; identity then is made from the content (S2.3).
struct ShipmentEventFact {
  std::string name_space, event_id, shipment_id;
  std::uint8_t status = 0;  ///< index into domain/status.h, the order of reference/statuses.csv
  Micros event_time = 0;
  std::string driver_key, facility, reason;  ///< empty: not said
  std::int64_t driving_s = none;             ///< driving time the source reports as ending at event_time (S5.3)
  bool retracted = false;
};

enum class Action : std::uint8_t { assign, reassign, unassign };

/// One dispatch command (S4.1). An empty driver_key names nobody.
struct DriverAssignmentFact {
  std::string name_space, assignment_id, shipment_id, driver_key;
  Action action = Action::assign;
  Micros effective_at = 0;
  bool is_deleted = false;
};

struct GpsLocationFact {
  std::string driver_key, device_id;
  Micros event_time = 0;
  std::int32_t latitude_e7 = 0, longitude_e7 = 0;  ///< 1e-7 degree
  std::int64_t speed_mm_s = none;
};

using FactBody = std::variant<ShipmentFact, DriverFact, ShipmentEventFact, DriverAssignmentFact, GpsLocationFact>;

/// The order of the alternatives is the order of FactType; written to state, so it never renumbers.
enum class FactType : std::uint8_t { shipment, driver, shipment_event, driver_assignment, gps_location };

struct Fact {
  FactBody body;
  Version version;
  Provenance from;
  /// Bit f: the source says that FactField f (contract/fields.h) has the value it had in the telling before this one, and does
  /// not repeat it (Postgres: an unchanged TOAST value; all but the key of a deleted row). The engine fills it in from what
  /// it knows (engine/unchanged.h) before anything else sees the fact.
  std::uint32_t unchanged = 0;

  FactType type() const { return static_cast<FactType>(body.index()); }
};

/// A record that is not a fact (S2.9): never dropped, never believed.
struct Refusal {
  std::string reason;        ///< stable word: 'malformed_record', 'missing_field', 'wrong_type', 'unmapped_status', ...
  std::string field;         ///< the contract's field; empty if the record as a whole is at fault
  std::string detail;        ///< for a person: the value, the rule, the knob; free of PII
  std::string subject;       ///< shipment_id or driver_key where it could be read, else empty
  std::string raw;           ///< the bytes with PII removed
  std::string content_hash;  ///< 32 hex digits of the bytes as received
  int fact_type = -1;        ///< a FactType, or -1 if not even that is known
  Provenance from;
};

}  // namespace ff
