/// The life of one shipment, computed from the facts we have of it: which telling of each event, order and command
/// counts, what the fold does with each event, and who held the shipment when.
///
/// `fold` is the heart of FleetFlow: a pure function of the *set* of distinct facts. It knows no order of arrival, no
/// clock and no I/O; a late fact is folded by folding everything again. What depends on the moment of asking (a deadline,
/// an open interval's length) is SQL over the rows that come out here.
///
/// Text is borrowed: the string_views of facts and rows live as long as the bytes they were read from (a state blob, a
/// batch of facts); neither outlives one call chain of the engine. One thread per shipment at a time.
/// Source: docs/semantics.md S2.5 to S2.7, S2.11, S3, S4.
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "domain/fact.h"
#include "domain/status.h"

namespace ff {

/// One version of one claim on the shipment_id.
struct ClaimTelling {
  std::string_view name_space, order_ref, customer_id, carrier_id, service_level, origin_hub, destination_hub;
  Micros created_at = 0, promised_pickup_by = none, promised_delivery_by = none;
  bool is_deleted = false;
  Version version;
  Provenance from;

  auto identity() const { return std::tie(created_at, name_space, order_ref, customer_id); }
  bool retracted() const { return false; }
  auto content() const {
    return std::tie(carrier_id, service_level, origin_hub, destination_hub, promised_pickup_by, promised_delivery_by,
                    is_deleted);
  }
};

/// One version of one event.
struct EventTelling {
  std::string_view name_space, event_id, driver_key, facility, reason;
  Micros event_time = 0;
  std::int64_t driving_s = none;
  StatusId status = created;
  bool is_retracted = false;
  Version version;
  Provenance from;

  auto identity() const { return std::tie(name_space, event_id); }
  bool retracted() const { return is_retracted; }
  auto content() const { return std::tie(status, event_time, driver_key, facility, reason, driving_s); }
};

/// One version of one dispatch command.
struct CommandTelling {
  std::string_view name_space, assignment_id, driver_key;
  Action action = Action::assign;
  Micros effective_at = 0;
  bool is_deleted = false;
  Version version;
  Provenance from;

  auto identity() const { return std::tie(name_space, assignment_id); }
  bool retracted() const { return false; }
  auto content() const { return std::tie(action, driver_key, effective_at, is_deleted); }
};

/// The distinct facts about one shipment_id; each list sorted by (identity, version, retracted, content), no two equal.
struct ShipmentFacts {
  std::vector<ClaimTelling> claims;
  std::vector<EventTelling> events;
  std::vector<CommandTelling> commands;

  /// Adds what is new. A copy of a known fact changes nothing but an ingest_time that was later than the copy's (S1.3).
  /// Returns whether anything changed.
  bool add(const ClaimTelling& claim);
  bool add(const EventTelling& event);
  bool add(const CommandTelling& command);
  void clear();
};

/// What all versions of one thing say together.
struct Chain {
  Micros first_ingest_time = 0;  ///< least over all versions
  Micros conflict_at = none;     ///< ingest_time of the second content of one version (S2.6); none: no conflict
  std::int64_t versions = 0;     ///< distinct versions and contents
  auto operator<=>(const Chain&) const = default;
};

struct ClaimRow {
  ClaimTelling told;
  Chain chain;
  bool holds_id = false;  ///< this claim is the order (S3.7)
};

struct EventRow {
  EventTelling told;
  Chain chain;
  Effect effect = Effect::ignored;
  bool is_future = false;
  StatusId from_status = created;       ///< meaningless if ignored
  std::string_view holder, driver_key;  ///< empty: nobody
  std::int64_t dwell_s = none;
};

enum class CommandEffect : std::uint8_t { open, keep, close, nothing, unassign_mismatch, deleted };
std::string_view name(CommandEffect effect);

struct CommandRow {
  CommandTelling told;
  Chain chain;
  CommandEffect effect = CommandEffect::nothing;
};

/// Half-open [valid_from, valid_to), never empty.
struct IntervalRow {
  std::string_view driver_key, opened_by, closed_by;
  Micros valid_from = 0, valid_to = none;  ///< none: open
  Micros counts_to_at_most = none;         ///< of an open interval (S4.4)
  Micros recorded_from = 0;
  auto operator<=>(const IntervalRow&) const = default;
};

struct ShipmentRow {
  bool exists = false;  ///< an order or an event is known (S2.10)
  StatusId state = created;
  bool shows_exception = false;  ///< current_status is 'exception' (S3.4)
  Micros created_at = none;
  Micros first_at[status_count];  ///< first taken event of each status; created and exception stay none
  Micros delivered_at = none;
  std::string_view delivered_by;
  std::int64_t attempts = 0;
  Micros last_taken_at = none;
  StatusId last_taken_status = created;
  Micros order_first_ingest_time = none;
};

struct ShipmentRows {
  ShipmentRow shipment;
  std::vector<ClaimRow> claims;  ///< by identity; the first holds the id
  std::vector<EventRow> events;  ///< by identity
  std::vector<EventTelling>
      superseded;                      ///< versions of events that are not the winning one, equal neighbours collapsed
  std::vector<CommandRow> commands;    ///< by identity
  std::vector<IntervalRow> intervals;  ///< by valid_from

  const ClaimRow* order() const { return claims.empty() ? nullptr : &claims.front(); }
};

/// Folds `facts` into `rows`, whose vectors are reused.
void fold(const ShipmentFacts& facts, ShipmentRows& rows);

/// Equality of what the law speaks of and readers see; provenance counts only by its ingest_time.
bool same(const ShipmentRows& a_rows, const ShipmentRow& a, const ShipmentRows& b_rows, const ShipmentRow& b);
bool same(const ClaimRow& a, const ClaimRow& b);
bool same(const EventRow& a, const EventRow& b);
bool same(const CommandRow& a, const CommandRow& b);

/// The id of an event that its source does not number (S2.3): 'h:' and 32 hex digits of the hash of
/// (namespace, shipment_id, status, event_time, facility).
std::string event_id_of(const ShipmentEventFact& event);

/// How far an event may lie ahead of its ingest_time (S2.11).
inline constexpr Micros future_tolerance_us = 5LL * 60 * 1'000'000;
/// How long an open interval counts without a taken event (S4.4).
inline constexpr Micros open_interval_max_us = 72LL * 3600 * 1'000'000;

}  // namespace ff
