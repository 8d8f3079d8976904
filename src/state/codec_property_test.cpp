/// What was written is what is read, and damaged bytes are refused, never believed or crashed on.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "domain/domain_testing.h"
#include "state/codec.h"

namespace ff {
namespace {
using namespace testing_domain;

/// `content` and `identity` leave out what the order of tellings adds; this is all of it.
template <class T>
auto all_of(const T& t) {
  return std::tuple_cat(
      t.identity(), t.content(),
      std::make_tuple(t.version, t.retracted(), t.from.ingest_time, t.from.feed, t.from.partition, t.from.position));
}
auto all_of(const PingTelling& p) {
  return std::tuple_cat(p.identity(), p.content(),
                        std::make_tuple(p.from.ingest_time, p.from.feed, p.from.partition, p.from.position, p.way_cm));
}

template <class T>
void expect_equal(const std::vector<T>& a, const std::vector<T>& b) {
  RC_ASSERT(std::equal(a.begin(), a.end(), b.begin(), b.end(),
                       [](const T& x, const T& y) { return all_of(x) == all_of(y); }));
}

template <class T>
T from_somewhere(T t) {
  t.from.feed = static_cast<std::uint32_t>(below(3));
  t.from.partition = static_cast<std::uint32_t>(below(500));
  t.from.position = below(1LL << 40);
  return t;
}

constexpr Micros hot_for = 1000;

RC_GTEST_PROP(CodecProperty, AStubSaysWhatTheWholeWas, ()) {
  ShipmentFacts facts, read;
  for (const auto& e : several(random_event, 12)) facts.add(e);
  facts.add(random_command());
  Micros first = facts.commands[0].from.ingest_time, last = first;
  for (const EventTelling& e : facts.events) {
    first = std::min(first, e.from.ingest_time);
    last = std::max(last, e.from.ingest_time);
  }
  const std::string whole = encode(facts, hot_for);
  RC_ASSERT(!stub_of(whole));
  RC_ASSERT(!expired(whole, last + hot_for - 1));
  const auto left = expired(whole, last + hot_for);
  RC_ASSERT(left && left->size() < whole.size());
  const auto stub = stub_of(*left);
  RC_ASSERT(stub.has_value());
  RC_ASSERT(stub->tellings == static_cast<std::int64_t>(facts.events.size() + 1));
  RC_ASSERT(stub->first_heard == first && stub->last_heard == last);
  RC_ASSERT(!expired(*left, last + 2 * hot_for));
  RC_ASSERT(!decode(*left, read).ok());
}

RC_GTEST_PROP(CodecProperty, AShipmentsFactsComeBack, ()) {
  ShipmentFacts facts, read;
  for (const auto& c : several(random_claim, 5)) facts.add(from_somewhere(c));
  for (const auto& e : several(random_event, 12)) facts.add(from_somewhere(e));
  for (const auto& c : several(random_command, 8)) facts.add(from_somewhere(c));
  const std::string bytes = encode(facts, hot_for);
  RC_ASSERT(decode(bytes, read).ok());
  expect_equal(facts.claims, read.claims);
  expect_equal(facts.events, read.events);
  expect_equal(facts.commands, read.commands);
}

RC_GTEST_PROP(CodecProperty, ADaysPingsComeBack, ()) {
  DayPings pings, read;
  for (const auto& p : several(random_ping, 20)) pings.add(from_somewhere(p));
  DayFold fold;
  if (below(2)) fold_pings(pings, fold);
  const std::string bytes = encode(pings, hot_for);
  RC_ASSERT(decode(bytes, read).ok());
  expect_equal(pings.pings, read.pings);
}

RC_GTEST_PROP(CodecProperty, ADriversRowsComeBack, ()) {
  DriverFacts facts, read;
  for (std::int64_t n = below(4); n >= 0; --n) {
    DriverTelling d;
    d.home_hub = word({"", "AAA", "BBB"});
    d.is_deleted = below(2);
    provenance(d);
    facts.add(d);
  }
  const std::string bytes = encode(facts);
  RC_ASSERT(decode(bytes, read).ok());
  expect_equal(facts.tellings, read.tellings);
}

RC_GTEST_PROP(CodecProperty, CutBytesAreRefused, ()) {
  ShipmentFacts facts, read;
  facts.add(random_event());
  for (const auto& c : several(random_command, 4)) facts.add(c);
  const std::string bytes = encode(facts, hot_for);
  RC_ASSERT(!decode(std::string_view(bytes).substr(
                        0, static_cast<std::size_t>(below(static_cast<std::int64_t>(bytes.size())))),
                    read)
                 .ok());
}

}  // namespace
}  // namespace ff
