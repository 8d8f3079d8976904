#include "engine/unchanged.h"

#include "contract/fields.h"

namespace ff {
namespace {
using enum FactField;

/// The telling that the fact's unchanged values are those of; null: there is none. `is_same` says which are of its thing.
template <class T, class F>
const T* before(const std::vector<T>& tellings, const Version& version, F is_same, bool& has_newer) {
  const T* best = nullptr;
  for (const T& t : tellings) {
    if (t.version.authority_rank != version.authority_rank || !is_same(t)) continue;
    if (t.version > version)
      has_newer = true;
    else if (t.version < version && (!best || best->version < t.version))
      best = &t;
  }
  return best;
}

/// Copies values of unchanged fields.
struct Filler {
  std::uint32_t unchanged;
  bool lacks(FactField field) const { return (unchanged & bit(field)) != 0; }
  template <class To, class From>
  void operator()(FactField field, To& to, const From& from) const {
    if (lacks(field)) to = from;
  }
};

Unchanged outcome(bool is_filled, bool has_newer, bool is_deleted, Fact& fact) {
  if (is_filled) fact.unchanged = 0;
  return is_filled ? Unchanged::filled : has_newer || is_deleted ? Unchanged::superseded : Unchanged::unknown;
}

Unchanged fill(const ShipmentFacts& known, Fact& fact, ShipmentFact& s) {
  const Filler fill{fact.unchanged};
  bool has_newer = false;
  const auto* t = before(
      known.claims, fact.version,
      [&](const ClaimTelling& c) {
        return c.name_space == s.name_space && (fill.lacks(created_at) || c.created_at == s.created_at) &&
               (fill.lacks(order_ref) || c.order_ref == s.order_ref) &&
               (fill.lacks(customer_id) || c.customer_id == s.customer_id);
      },
      has_newer);
  if (t) {
    fill(order_ref, s.order_ref, t->order_ref);
    fill(customer_id, s.customer_id, t->customer_id);
    fill(carrier_id, s.carrier_id, t->carrier_id);
    fill(service_level, s.service_level, t->service_level);
    fill(origin_hub, s.origin_hub, t->origin_hub);
    fill(destination_hub, s.destination_hub, t->destination_hub);
    fill(created_at, s.created_at, t->created_at);
    fill(promised_pickup_by, s.promised_pickup_by, t->promised_pickup_by);
    fill(promised_delivery_by, s.promised_delivery_by, t->promised_delivery_by);
    fill(is_deleted, s.is_deleted, t->is_deleted || s.is_deleted);
  }
  return outcome(t != nullptr, has_newer, s.is_deleted, fact);
}

Unchanged fill(const ShipmentFacts& known, Fact& fact, ShipmentEventFact& e) {
  const Filler fill{fact.unchanged};
  bool has_newer = false;
  const auto* t = before(
      known.events, fact.version,
      [&](const EventTelling& x) { return x.name_space == e.name_space && x.event_id == e.event_id; }, has_newer);
  if (t) {
    fill(status, e.status, t->status);
    fill(event_time, e.event_time, t->event_time);
    fill(driver_id, e.driver_key, t->driver_key);
    fill(facility, e.facility, t->facility);
    fill(reason, e.reason, t->reason);
    fill(driving_s, e.driving_s, t->driving_s);
    fill(retracted, e.retracted, t->is_retracted || e.retracted);
  }
  return outcome(t != nullptr, has_newer, e.retracted, fact);
}

Unchanged fill(const ShipmentFacts& known, Fact& fact, DriverAssignmentFact& a) {
  const Filler fill{fact.unchanged};
  bool has_newer = false;
  const auto* t = before(
      known.commands, fact.version,
      [&](const CommandTelling& c) { return c.name_space == a.name_space && c.assignment_id == a.assignment_id; },
      has_newer);
  if (t) {
    fill(driver_id, a.driver_key, t->driver_key);
    fill(action, a.action, t->action);
    fill(effective_at, a.effective_at, t->effective_at);
    fill(is_deleted, a.is_deleted, t->is_deleted || a.is_deleted);
  }
  return outcome(t != nullptr, has_newer, a.is_deleted, fact);
}

}  // namespace

Unchanged fill_unchanged(const ShipmentFacts& known, Fact& fact) {
  if (fact.unchanged == 0) return Unchanged::filled;
  if (auto* s = std::get_if<ShipmentFact>(&fact.body)) return fill(known, fact, *s);
  if (auto* e = std::get_if<ShipmentEventFact>(&fact.body)) return fill(known, fact, *e);
  return fill(known, fact, std::get<DriverAssignmentFact>(fact.body));
}

Unchanged fill_unchanged(const DriverFacts& known, Fact& fact) {
  if (fact.unchanged == 0) return Unchanged::filled;
  auto& d = std::get<DriverFact>(fact.body);
  const Filler fill{fact.unchanged};
  bool has_newer = false;
  const auto* t = before(
      known.tellings, fact.version, [](const DriverTelling&) { return true; }, has_newer);
  if (t) {
    fill(home_hub, d.home_hub, t->home_hub);
    fill(is_deleted, d.is_deleted, t->is_deleted || d.is_deleted);
  }
  return outcome(t != nullptr, has_newer, d.is_deleted, fact);
}

}  // namespace ff
