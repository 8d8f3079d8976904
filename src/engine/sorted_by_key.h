/// The facts of a batch in the order of their key, those of one key in the order in which they came.
///
/// Keys of one kind begin alike ("S-2026-..."); what follows their common beginning is compared eight bytes at a time, in
/// place, and the keys themselves only where those are equal.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "domain/fact.h"

namespace ff {

/// `key_of(const Fact&)` is text that lives as long as the fact.
template <class KeyOf>
std::vector<Fact*> sorted_by_key(std::span<Fact* const> facts, KeyOf key_of) {
  struct Entry {
    std::uint64_t head;
    std::string_view key;
    Fact* fact;
  };
  std::vector<Entry> entries;
  entries.reserve(facts.size());
  std::size_t common = facts.empty() ? 0 : std::string_view(key_of(*facts.front())).size();
  for (Fact* fact : facts) {
    const std::string_view key = key_of(*fact);
    const std::string_view first = entries.empty() ? key : entries.front().key;
    common = std::min(common, key.size());
    common =
        static_cast<std::size_t>(std::mismatch(key.begin(), key.begin() + common, first.begin()).first - key.begin());
    entries.push_back({0, key, fact});
  }
  for (Entry& e : entries) {
    e.key.remove_prefix(common);
    for (std::size_t i = 0; i < sizeof e.head; ++i)
      e.head = e.head << 8 | (i < e.key.size() ? static_cast<unsigned char>(e.key[i]) : 0);
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.head != b.head ? a.head < b.head : a.key < b.key; });
  std::vector<Fact*> sorted;
  sorted.reserve(entries.size());
  for (const Entry& e : entries) sorted.push_back(e.fact);
  return sorted;
}

}  // namespace ff
