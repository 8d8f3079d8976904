/// A 128-bit content hash: XXH3, stable across machines and versions, so that two contents compare the same everywhere.
/// Not for secrets (that is contract/pseudonym.h).
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace ff {

struct Hash128 {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Hash128&) const = default;
};

inline Hash128 hash128(std::string_view bytes) {
  const XXH128_hash_t h = XXH3_128bits(bytes.data(), bytes.size());
  return {h.high64, h.low64};
}

/// 32 lower-case hex digits, most significant first.
inline std::string hex(Hash128 h) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out(32, '0');
  for (int i = 0; i < 16; ++i) {
    out[static_cast<std::size_t>(15 - i)] = digits[(h.high >> (4 * i)) & 15];
    out[static_cast<std::size_t>(31 - i)] = digits[(h.low >> (4 * i)) & 15];
  }
  return out;
}

}  // namespace ff
