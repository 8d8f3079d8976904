#include "contract/read_value.h"

#include <string>

#include "base/time.h"

namespace ff {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// value * numerator / denominator, rounded half away from zero.
std::optional<std::int64_t> scaled(std::optional<std::int64_t> value, std::int64_t numerator,
                                   std::int64_t denominator) {
  std::int64_t product = 0;
  if (!value || __builtin_mul_overflow(*value, numerator, &product)) return std::nullopt;
  const std::int64_t half = denominator / 2;
  return product >= 0 ? product / denominator + (product % denominator >= denominator - half)
                      : product / denominator - (-(product % denominator) >= denominator - half);
}

}  // namespace

std::optional<Micros> read_time(std::string_view text, const Zone* zone) {
  if (const auto instant = parse_rfc3339(text)) return instant;
  // Complete what SQL leaves out: 'YYYY-MM-DD', a time without seconds, an offset '+00'.
  if (text.size() < 10 || text.size() > 40) return std::nullopt;
  std::string full(text);
  if (full.size() == 10) full += " 00:00";
  if (full.size() == 16) full += ":00";
  const std::size_t sign = full.find_first_of("+-Zz", 10);
  const bool has_offset = sign != std::string::npos;
  if (has_offset && full.size() - sign == 3) full += ":00";
  if (!has_offset) full += 'Z';
  const auto instant = parse_rfc3339(full);
  if (!instant || has_offset) return instant;
  return zone ? std::optional(zone->to_utc(*instant)) : std::nullopt;
}

std::optional<Micros> read_time_number(std::string_view text, Unit unit, const Zone* zone) {
  constexpr Micros year_1 = -62'135'596'800LL * us_per_second, year_10000 = 253'402'300'800LL * us_per_second;
  std::optional<std::int64_t> micros;
  if (unit == Unit::s) micros = read_decimal(text, 6);
  if (unit == Unit::ms) micros = read_decimal(text, 3);
  if (unit == Unit::us) micros = read_decimal(text, 0);
  if (unit == Unit::ns) micros = scaled(read_decimal(text, 0), 1, 1000);
  if (unit == Unit::days) micros = scaled(read_decimal(text, 0), us_per_day, 1);
  if (!micros || !zone || *micros < year_1 || *micros >= year_10000) return std::nullopt;
  return zone->to_utc(*micros);
}

std::optional<std::int64_t> read_decimal(std::string_view text, int scale) {
  std::size_t at = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) ++at;
  // The digits with the point taken out; `exponent` says where it belongs.
  std::string_view digits_text = text.substr(at);
  std::int64_t exponent = scale;
  bool any = false, fraction = false;
  std::size_t end = 0;
  for (; end < digits_text.size(); ++end) {
    const char c = digits_text[end];
    if (is_digit(c)) {
      any = true;
      exponent -= fraction;
    } else if (c == '.' && !fraction) {
      fraction = true;
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  if (end < digits_text.size()) {
    std::string_view power = digits_text.substr(end);
    if (power[0] != 'e' && power[0] != 'E') return std::nullopt;
    power.remove_prefix(1);
    const bool down = !power.empty() && power[0] == '-';
    if (down || (!power.empty() && power[0] == '+')) power.remove_prefix(1);
    if (power.empty() || power.size() > 4) return std::nullopt;
    int value = 0;
    for (const char c : power) {
      if (!is_digit(c)) return std::nullopt;
      value = value * 10 + (c - '0');
    }
    exponent += down ? -value : value;
    digits_text = digits_text.substr(0, end);
  }
  // Digits below the wanted place are cut off, the first of them decides the rounding.
  std::int64_t digit_count = 0;
  for (const char c : digits_text) digit_count += c != '.';
  const std::int64_t kept = exponent < 0 ? digit_count + exponent : digit_count;
  std::int64_t value = 0, index = 0;
  bool up = false;
  for (const char c : digits_text) {
    if (c == '.') continue;
    if (index < kept) {
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value))
        return std::nullopt;
    } else if (index == kept) {
      up = c >= '5';
    }
    ++index;
  }
  for (; exponent > 0 && value != 0; --exponent)
    if (__builtin_mul_overflow(value, 10, &value)) return std::nullopt;
  if (up && __builtin_add_overflow(value, 1, &value)) return std::nullopt;
  return negative ? -value : value;
}

std::optional<std::int64_t> read_integer(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point != std::string_view::npos) {
    if (text.find_first_not_of('0', point + 1) != std::string_view::npos || point + 1 == text.size())
      return std::nullopt;
    text = text.substr(0, point);
  }
  if (text.find_first_of("eE") != std::string_view::npos) return std::nullopt;
  return read_decimal(text, 0);
}

std::optional<bool> read_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  std::string lower(text.substr(0, 6));
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const char* word : {"true", "t", "yes", "y", "1"})
    if (lower == word) return true;
  for (const char* word : {"false", "f", "no", "n", "0"})
    if (lower == word) return false;
  return std::nullopt;
}

std::optional<std::int64_t> read_measure(std::string_view text, Unit unit) {
  switch (unit) {
    case Unit::deg:
      return read_decimal(text, 7);
    case Unit::m_s:
      return read_decimal(text, 3);
    case Unit::km_h:
      return scaled(read_decimal(text, 6), 1, 3600);  // 1e-6 km/h = 1/3600 mm/s
    case Unit::min:
      return scaled(read_decimal(text, 3), 60, 1000);
    case Unit::e7:
    case Unit::s:
    case Unit::native:
      return read_decimal(text, 0);
    case Unit::ms:
    case Unit::us:
    case Unit::ns:
    case Unit::days:
      break;  // of times only
  }
  return std::nullopt;
}

}  // namespace ff
