/// Time as text: RFC 3339 to microseconds since the epoch, and back. UTC only; zones are a contract's business.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ff {

inline constexpr std::int64_t us_per_second = 1'000'000;
inline constexpr std::int64_t us_per_minute = 60 * us_per_second;
inline constexpr std::int64_t us_per_hour = 60 * us_per_minute;
inline constexpr std::int64_t us_per_day = 24 * us_per_hour;

/// Days since 1970-01-01 of a proleptic Gregorian date. Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms".
constexpr std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

/// `2026-03-02T08:00:00Z`, an offset instead of Z, a space instead of T, up to six digits of fraction (more are refused:
/// they would be lost). Null for anything else, a date alone included, and for years outside 1..9999.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

/// `2026-03-02T08:00:00Z`; a fraction of six digits only where it is not zero.
std::string format_rfc3339(std::int64_t micros);

/// Wall clock, microseconds; for commit_time and progress only, never for a rule.
std::int64_t now_micros();

}  // namespace ff
