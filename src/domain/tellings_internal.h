/// How several tellings of one thing become one (S2.5, S2.6, S1.3). Shared by the folds of this folder.
#pragma once

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "domain/shipment.h"

namespace ff {

/// The total order of tellings (S2.5): identity, then version, then a retraction above what it retracts, then content.
template <class T>
auto order(const T& t) {
  return std::tuple_cat(t.identity(), std::make_tuple(t.version, t.retracted()), t.content());
}

template <class T>
bool add_telling(std::vector<T>& known, const T& telling) {
  const auto at =
      std::lower_bound(known.begin(), known.end(), telling, [](const T& a, const T& b) { return order(a) < order(b); });
  if (at == known.end() || order(*at) != order(telling)) {
    known.insert(at, telling);
    return true;
  }
  if (telling.from.ingest_time >= at->from.ingest_time) return false;
  at->from = telling.from;
  return true;
}

/// Walks the tellings of one identity, [begin, end), sorted. Returns the winning one after collapse; earlier ones go to `superseded`.
template <class T>
const T& winner_of(const T* begin, const T* end, Chain& chain, std::vector<T>* superseded) {
  chain = {begin->from.ingest_time, none, end - begin};
  const T* current = begin;
  for (const T* t = begin; t != end; ++t) {
    chain.first_ingest_time = std::min(chain.first_ingest_time, t->from.ingest_time);
    if (t == begin || (t->content() == current->content() && t->retracted() == current->retracted())) continue;
    if (superseded) superseded->push_back(*current);
    current = t;
  }
  if (chain.versions == 1) return *current;
  for (const T* t = begin; t != end;) {  // Each run of one (version, retracted) with two contents is a conflict (S2.6).
    Micros first = t->from.ingest_time, second = none;
    const T* run = t;
    for (++t; t != end && t->version == run->version && t->retracted() == run->retracted(); ++t) {
      const Micros at = t->from.ingest_time;
      if (at < first)
        second = std::exchange(first, at);
      else if (second == none || at < second)
        second = at;
    }
    if (second != none && (chain.conflict_at == none || second < chain.conflict_at)) chain.conflict_at = second;
  }
  return *current;
}

/// Calls `each(begin, end)` for the tellings of every identity.
template <class T, class F>
void each_identity(const std::vector<T>& tellings, F each) {
  const T* const last = tellings.data() + tellings.size();
  for (const T* begin = tellings.data(); begin != last;) {
    const T* end = begin + 1;
    while (end != last && end->identity() == begin->identity()) ++end;
    each(begin, end);
    begin = end;
  }
}

}  // namespace ff
