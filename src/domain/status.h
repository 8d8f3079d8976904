/// The statuses of a shipment and what one may follow, as data: reference/statuses.csv and reference/transitions.csv,
/// read once at build time into this table. Source: docs/semantics.md S3.1, S3.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ff {

/// The index of a status in reference/statuses.csv. Written to state, so the file's lines keep their order.
using StatusId = std::uint8_t;
inline constexpr int status_count = 17;

enum Status : StatusId {
  created,
  assigned,
  arrived_at_pickup,
  picked_up,
  arrived_at_facility,
  customs_hold,
  departed_facility,
  in_transit,
  available_for_pickup,
  out_for_delivery,
  delivery_attempted,
  exception,
  returning,
  delivered,
  returned,
  cancelled,
  lost,
};

/// What the fold does with an event (S3.3). `ignored`: retracted or from the future; it is not judged at all.
enum class Effect : std::uint8_t { apply, flag, repeat, reject, exception, ignored };

std::string_view name(Effect effect);
std::string_view status_name(StatusId status);
/// Null: no such status (the contract's vocabulary has to map it).
std::optional<StatusId> status_from_name(std::string_view name);

struct StatusTraits {
  int rank = 0;
  bool is_terminal = false;
  bool requires_driver = false;
};
const StatusTraits& traits(StatusId status);

/// `from` is never `exception`: an exception is evidence, never a state (S3.4).
Effect transition(StatusId from, StatusId to);

inline bool is_taken(Effect e) { return e == Effect::apply || e == Effect::flag; }

}  // namespace ff
