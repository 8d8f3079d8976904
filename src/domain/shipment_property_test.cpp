/// The law, close up: what comes out of the fold depends on the set of facts and on nothing else.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "domain/domain_testing.h"

namespace ff {
namespace {
using namespace testing_domain;

struct Heap {
  std::vector<ClaimTelling> claims = several(random_claim, 5);
  std::vector<EventTelling> events = several(random_event, 12);
  std::vector<CommandTelling> commands = several(random_command, 8);

  ShipmentFacts facts() const {
    ShipmentFacts facts;
    for (const auto& c : claims) facts.add(c);
    for (const auto& e : events) facts.add(e);
    for (const auto& c : commands) facts.add(c);
    return facts;
  }
};

template <class T>
std::vector<T> shuffled_with_copies(const std::vector<T>& all) {
  std::vector<T> out = all;
  for (const T& t : all)
    if (below(3) == 0) out.push_back(t);
  for (std::size_t i = out.size(); i > 1; --i)
    std::swap(out[i - 1], out[static_cast<std::size_t>(below(static_cast<std::int64_t>(i)))]);
  return out;
}

template <class Row>
bool all_same(const std::vector<Row>& a, const std::vector<Row>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Row& x, const Row& y) { return same(x, y); });
}

RC_GTEST_PROP(ShipmentFoldProperty, KnowsNoOrderAndNoCopies, ()) {
  const Heap heap;
  Heap other = heap;
  other.claims = shuffled_with_copies(heap.claims);
  other.events = shuffled_with_copies(heap.events);
  other.commands = shuffled_with_copies(heap.commands);
  ShipmentRows a, b;
  const ShipmentFacts in_order = heap.facts(), in_disorder = other.facts();
  fold(in_order, a);
  fold(in_disorder, b);
  RC_ASSERT(same(a, a.shipment, b, b.shipment));
  RC_ASSERT(all_same(a.claims, b.claims));
  RC_ASSERT(all_same(a.events, b.events));
  RC_ASSERT(all_same(a.commands, b.commands));
  RC_ASSERT(a.intervals == b.intervals);
}

RC_GTEST_PROP(ShipmentFoldProperty, NobodyHoldsItTwice, ()) {
  const Heap heap;
  const ShipmentFacts facts = heap.facts();
  ShipmentRows rows;
  fold(facts, rows);
  for (std::size_t i = 0; i < rows.intervals.size(); ++i) {
    const IntervalRow& now = rows.intervals[i];
    RC_ASSERT(now.valid_to == none || now.valid_from < now.valid_to);
    RC_ASSERT(!now.driver_key.empty() && !now.opened_by.empty());
    RC_ASSERT((now.valid_to == none) == now.closed_by.empty());
    if (i + 1 < rows.intervals.size())
      RC_ASSERT(now.valid_to != none && now.valid_to <= rows.intervals[i + 1].valid_from);
  }
}

RC_GTEST_PROP(ShipmentFoldProperty, OneRowForEachThingToldAndOneClaimHolds, ()) {
  const Heap heap;
  const ShipmentFacts facts = heap.facts();
  ShipmentRows rows;
  fold(facts, rows);
  std::set<std::pair<std::string_view, std::string_view>> ids;
  for (const auto& e : heap.events) ids.insert({e.name_space, e.event_id});
  RC_ASSERT(rows.events.size() == ids.size());
  RC_ASSERT(std::count_if(rows.claims.begin(), rows.claims.end(), [](const ClaimRow& c) { return c.holds_id; }) ==
            (heap.claims.empty() ? 0 : 1));
  RC_ASSERT(rows.shipment.exists == !(heap.claims.empty() && heap.events.empty()));
  RC_ASSERT((rows.shipment.state == delivered) == (rows.shipment.delivered_at != none));
}

}  // namespace
}  // namespace ff
