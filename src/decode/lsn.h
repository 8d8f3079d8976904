/// A place in a Postgres server's write-ahead log: bytes since its beginning. Printed as `16/B374D848`.
#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ff {

struct Lsn {
  std::uint64_t bytes = 0;  ///< 0: no place
  auto operator<=>(const Lsn&) const = default;
};

inline std::string to_text(Lsn lsn) {
  char out[20];
  char* at = std::to_chars(out, out + 9, lsn.bytes >> 32, 16).ptr;
  *at++ = '/';
  at = std::to_chars(at, out + sizeof out, lsn.bytes & 0xFFFFFFFF, 16).ptr;
  for (char* c = out; c != at; ++c)
    if (*c >= 'a') *c = static_cast<char>(*c - 'a' + 'A');
  return {out, at};
}

inline std::optional<Lsn> parse_lsn(std::string_view text) {
  std::uint32_t high = 0, low = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, high, 16);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '/') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, low, 16);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return Lsn{(static_cast<std::uint64_t>(high) << 32) | low};
}

}  // namespace ff
