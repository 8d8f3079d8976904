/// The life of one shipment: what happened to it, and how and when the world told of it.
///
/// A life is a pure function of (options, world, number of the shipment): it can be lived again at any time, so the
/// simulator keeps of a shipment on its way nothing but its number (simulate.cpp).
///
/// What happened (`scans`, `commands`, `holdings`) and what was told (`tellings`) are kept apart. Without faults each
/// scan and command is told once, within a minute; those of one shipment lie at least two minutes apart, so they are
/// heard in the order in which they happened, whenever one stops listening. A fault (mischief.h) changes either.
#pragma once

#include <string>
#include <vector>

#include "domain/status.h"
#include "sim/faults.h"
#include "sim/world.h"

namespace ff::sim {

struct SimOptions;

inline constexpr int ghost = -2;  ///< as a driver: this shipment's own driver without a record

enum class Reason : std::uint8_t { none, weather, mechanical, damaged, address_issue, customer_unavailable };
std::string_view name(Reason reason);
/// The world's own list, so that the truth stands on its own.
std::string_view name(Status status);

struct Scan {
  Micros time = 0;
  Micros heard = 0;  ///< the least ingest_time of all its tellings
  Status status = Status::created;
  int driver = nobody;  ///< whom the scan names
  int hub = -1;         ///< -1: on the road
  Reason reason = Reason::none;
  int number = 0;        ///< of the event within the shipment; 0: its source gives no ids
  bool happened = true;  ///< false: a wrong, future or retracted telling, no part of the history
  bool taken = true;     ///< moves the shipment's state; false for `created`, exceptions and what contradicts
  int holder = nobody;   ///< who really had it
  bool spare = false;    ///< stands at a place in the story where a fault may work without consequences elsewhere
};

struct Command {
  Micros time = 0;
  Micros heard = 0;
  Action action = Action::assign;
  int driver = nobody;
  int number = 0;
  bool happened = true;
};

/// `driver` has the shipment in [from, to); `none` as `to`: as far as the story goes.
struct Holding {
  int driver = nobody;
  Micros from = 0, to = none;
  Micros from_heard = 0, to_heard = none;
};

/// One line, once. `body` is an index into what it is of.
struct Telling {
  enum class Of : std::uint8_t { order, rival_order, scan, command, ghost_record, broken_scan };
  Micros heard = 0;
  Of of = Of::scan;
  std::uint16_t body = 0;
  std::uint8_t version = 0;
  bool mark = false;         ///< retracted or deleted
  std::uint8_t variant = 0;  ///< of a broken_scan: how (telling.cpp); of a scan: 1 names another depot
};

struct Life {
  std::uint64_t index = 0;
  // The order.
  Micros born = 0;  ///< when it was placed; the order's created_at but for negative_duration
  Micros created_at = 0;
  int service = standard, carrier = 0, origin = 0, destination = 0;
  std::uint64_t customer = 0;
  Micros promised_pickup_by = none, promised_delivery_by = none;  ///< none: by the service level
  Micros order_heard = 0;                                         ///< none: never
  bool deleted = false;
  // The rival of duplicate_shipment_id.
  Micros rival_created_at = 0;
  Micros ghost_heard = none;  ///< when the ghost's record comes; none: never
  // The story.
  std::vector<Scan> scans;
  std::vector<Command> commands;
  std::vector<Holding> holdings;
  std::vector<Telling> tellings;
  // What a fault did: null if none was done. Findings that follow from what everybody can see (missing, unknown and
  // orphan) are worked out in truth.cpp; these are the ones planted directly.
  std::optional<Fault> fault;
  struct Planted {
    std::string_view check;
    std::string_view what;  ///< what it is anchored on: "event", "command" or (the rival) "order"
    int number = 0;
  };
  std::vector<Planted> findings;
  std::uint64_t copies = 0, reordered = 0;

  bool is_partner(const SimOptions& options) const;
  std::string shipment_id() const;
  std::string event_id(int number) const;
  std::string assignment_id(int number) const;
  std::string ghost_id() const;
};

/// Lives shipment `index`, reusing the memory of `life`.
void live(const SimOptions& options, const World& world, std::uint64_t index, Life& life);

}  // namespace ff::sim
