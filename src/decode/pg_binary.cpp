#include "decode/pg_binary.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/time.h"
#include "decode/pg_bytes.h"

namespace ff {
namespace {

// OIDs of pg_type.dat; they never change.
enum Type : std::uint32_t {
  bool_ = 16,
  bytea = 17,
  char_ = 18,
  name_ = 19,
  int8 = 20,
  int2 = 21,
  int4 = 23,
  text = 25,
  oid = 26,
  json = 114,
  float4 = 700,
  float8 = 701,
  bpchar = 1042,
  varchar = 1043,
  date = 1082,
  time_ = 1083,
  timestamp = 1114,
  timestamptz = 1184,
  interval = 1186,
  numeric = 1700,
  uuid = 2950,
  jsonb = 3802,
  bool_array = 1000,
  int2_array = 1005,
  int4_array = 1007,
  text_array = 1009,
  bpchar_array = 1014,
  varchar_array = 1015,
  int8_array = 1016,
  float4_array = 1021,
  float8_array = 1022,
  timestamp_array = 1115,
  date_array = 1182,
  timestamptz_array = 1185,
  numeric_array = 1231,
  uuid_array = 2951,
};

void append_number(std::int64_t value, std::string& out) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}
void append_padded(std::int64_t value, std::size_t width, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const auto size = static_cast<std::size_t>(end - digits);
  if (size < width) out.append(width - size, '0');
  out.append(digits, end);
}
void append_hex(std::string_view bytes, std::string& out) {
  static constexpr char digits[] = "0123456789abcdef";
  for (const char c : bytes) {
    out += digits[(static_cast<unsigned char>(c) >> 4)];
    out += digits[c & 15];
  }
}

/// As Postgres prints with extra_float_digits = 3: the shortest digits that read back, with an exponent from `fixed_below`
/// digits on.
template <class F>
void append_float(F value, int fixed_below, std::string& out) {
  if (std::isnan(value)) return void(out += "NaN");
  if (std::isinf(value)) return void(out += value < 0 ? "-Infinity" : "Infinity");
  if (value == 0) return void(out += std::signbit(value) ? "-0" : "0");
  char digits[512];
  char* end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific).ptr;
  const std::string_view scientific(digits, static_cast<std::size_t>(end - digits));
  int exponent = 0;
  std::size_t at = scientific.find('e') + 1;
  if (scientific[at] == '+') ++at;
  std::from_chars(scientific.data() + at, end, exponent);
  if (exponent >= -4 && exponent < fixed_below)
    end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr;
  out.append(digits, end);
}

/// Microseconds of a day, as 04:05:06.7.
void append_clock(std::int64_t micros, std::string& out) {
  append_padded(micros / us_per_hour, 2, out);
  out += ':';
  append_padded(micros / us_per_minute % 60, 2, out);
  out += ':';
  append_padded(micros / us_per_second % 60, 2, out);
  std::int64_t fraction = micros % us_per_second;
  if (fraction == 0) return;
  int width = 6;
  for (; fraction % 10 == 0; fraction /= 10) --width;
  out += '.';
  append_padded(fraction, static_cast<std::size_t>(width), out);
}

/// Days since 2000-01-01. Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms". Returns whether it lies before
/// our era, which Postgres writes behind the time.
bool append_date(std::int64_t days, std::string& out) {
  const std::int64_t z = days + 10957 + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const auto doe = static_cast<unsigned>(z - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  const std::int64_t year = static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2);
  append_padded(year > 0 ? year : 1 - year, 4, out);
  out += '-';
  append_padded(month, 2, out);
  out += '-';
  append_padded(doy - (153 * mp + 2) / 5 + 1, 2, out);
  return year <= 0;
}

void append_instant(std::int64_t micros, std::string_view zone, std::string& out) {
  if (micros == std::numeric_limits<std::int64_t>::max()) return void(out += "infinity");
  if (micros == std::numeric_limits<std::int64_t>::min()) return void(out += "-infinity");
  std::int64_t days = micros / us_per_day, rest = micros % us_per_day;
  if (rest < 0) rest += us_per_day, --days;
  const bool before_christ = append_date(days, out);
  out += ' ';
  append_clock(rest, out);
  out += zone;
  if (before_christ) out += " BC";
}

void append_interval(PgBytes& in, std::string& out) {
  const std::int64_t micros = in.int64();
  const std::int32_t days = in.int32(), months = in.int32();
  using Small = std::numeric_limits<std::int32_t>;
  using Big = std::numeric_limits<std::int64_t>;
  if (micros == Big::max() && days == Small::max() && months == Small::max()) return void(out += "infinity");
  if (micros == Big::min() && days == Small::min() && months == Small::min()) return void(out += "-infinity");
  const std::size_t start = out.size();
  bool after_negative = false;
  const auto part = [&](std::int64_t value, const char* unit) {
    if (value == 0) return;
    if (out.size() > start) out += ' ';
    if (after_negative && value > 0) out += '+';
    append_number(value, out);
    out.append(" ").append(unit);
    if (value != 1) out += 's';
    after_negative = value < 0;
  };
  part(months / 12, "year");
  part(months % 12, "mon");
  part(days, "day");
  if (micros == 0 && out.size() > start) return;
  if (micros == std::numeric_limits<std::int64_t>::min()) return in.fail();
  if (out.size() > start) out += ' ';
  if (micros < 0)
    out += '-';
  else if (after_negative)
    out += '+';
  append_clock(micros < 0 ? -micros : micros, out);
}

void append_numeric(PgBytes& in, std::string& out) {
  const int count = in.int16(), weight = in.int16();
  const auto sign = static_cast<std::uint16_t>(in.int16());
  const int scale = in.int16();
  if (sign == 0xC000) return void(out += "NaN");
  if (sign == 0xD000) return void(out += "Infinity");
  if (sign == 0xF000) return void(out += "-Infinity");
  if ((sign != 0 && sign != 0x4000) || count < 0 || scale < 0 || scale > 0x3FFF) return in.fail();
  const std::string_view digits = in.take(static_cast<std::size_t>(count) * 2);
  if (!in.good()) return;
  const auto group = [&](int index) -> std::int64_t {
    if (index < 0 || index >= count) return 0;
    PgBytes one(digits.substr(static_cast<std::size_t>(index) * 2, 2));
    const int value = one.int16();
    if (value < 0 || value > 9999) in.fail();
    return value;
  };
  if (sign == 0x4000) out += '-';
  if (weight < 0) out += '0';
  for (int i = 0; i <= weight; ++i) append_padded(group(i), i == 0 ? 1 : 4, out);
  if (scale == 0) return;
  out += '.';
  const std::size_t start = out.size();
  for (int i = weight + 1; out.size() - start < static_cast<std::size_t>(scale); ++i) append_padded(group(i), 4, out);
  out.resize(start + static_cast<std::size_t>(scale));
}

bool is_array(std::uint32_t type) {
  switch (type) {
    case bool_array:
    case int2_array:
    case int4_array:
    case text_array:
    case bpchar_array:
    case varchar_array:
    case int8_array:
    case float4_array:
    case float8_array:
    case timestamp_array:
    case date_array:
    case timestamptz_array:
    case numeric_array:
    case uuid_array:
      return true;
    default:
      return false;
  }
}

void append_quoted_element(std::string_view element, std::string& out) {
  const auto is_null_word = [&] {
    return element.size() == 4 && (element[0] | 32) == 'n' && (element[1] | 32) == 'u' && (element[2] | 32) == 'l' &&
           (element[3] | 32) == 'l';
  };
  if (!element.empty() && element.find_first_of("{},\"\\ \t\n\r\v\f") == std::string_view::npos && !is_null_word())
    return void(out += element);
  out += '"';
  for (const char c : element) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_dimension(PgBytes& in, std::uint32_t element, const std::int32_t* sizes, int dimensions, std::string& out) {
  out += '{';
  std::string text;
  for (std::int32_t i = 0; i < *sizes && in.good(); ++i) {
    if (i > 0) out += ',';
    if (dimensions > 1) {
      append_dimension(in, element, sizes + 1, dimensions - 1, out);
      continue;
    }
    const std::int32_t size = in.int32();
    if (size == -1) {
      out += "NULL";
      continue;
    }
    if (size < 0) return in.fail();
    text.clear();
    if (is_array(element) || !append_binary_as_text(element, in.take(static_cast<std::size_t>(size)), text))
      return in.fail();
    append_quoted_element(text, out);
  }
  out += '}';
}

void append_array(PgBytes& in, std::string& out) {
  constexpr int dimensions_max = 6;  // MAXDIM
  const std::int32_t dimensions = in.int32();
  in.int32();  // whether it has nulls
  const std::uint32_t element = in.uint32();
  if (dimensions == 0) return void(out += "{}");
  if (dimensions < 0 || dimensions > dimensions_max) return in.fail();
  std::int32_t sizes[dimensions_max], lower[dimensions_max];
  bool is_shifted = false;
  for (int i = 0; i < dimensions; ++i) {
    sizes[i] = in.int32();
    lower[i] = in.int32();
    if (sizes[i] <= 0) return in.fail();
    is_shifted |= lower[i] != 1;
  }
  if (is_shifted) {
    for (int i = 0; i < dimensions; ++i) {
      out += '[';
      append_number(lower[i], out);
      out += ':';
      append_number(std::int64_t{lower[i]} + sizes[i] - 1, out);
      out += ']';
    }
    out += '=';
  }
  append_dimension(in, element, sizes, dimensions, out);
}

void append_uuid(PgBytes& in, std::string& out) {
  for (const std::size_t bytes : {4, 2, 2, 2, 6}) {
    if (bytes != 4) out += '-';
    append_hex(in.take(bytes), out);
  }
}

/// False: the type is not known.
bool append_value(std::uint32_t type, PgBytes& in, std::size_t size, std::string& out) {
  switch (type) {
    case bool_:
      out += in.byte() != 0 ? 't' : 'f';
      return true;
    case bytea:
      out += "\\x";
      append_hex(in.take(size), out);
      return true;
    case jsonb:
      if (in.byte() != 1) in.fail();
      out += in.take(size > 0 ? size - 1 : 0);
      return true;
    case char_:
    case name_:
    case text:
    case json:
    case bpchar:
    case varchar:
      out += in.take(size);
      return true;
    case int2:
      append_number(in.int16(), out);
      return true;
    case int4:
      append_number(in.int32(), out);
      return true;
    case oid:
      append_number(in.uint32(), out);
      return true;
    case int8:
      append_number(in.int64(), out);
      return true;
    case float4:
      append_float(std::bit_cast<float>(in.uint32()), 6, out);
      return true;
    case float8:
      append_float(std::bit_cast<double>(in.int64()), 15, out);
      return true;
    case date:
      if (const std::int32_t days = in.int32(); days == std::numeric_limits<std::int32_t>::max())
        out += "infinity";
      else if (days == std::numeric_limits<std::int32_t>::min())
        out += "-infinity";
      else if (append_date(days, out))
        out += " BC";
      return true;
    case time_:
      if (const std::int64_t micros = in.int64(); micros < 0 || micros > us_per_day)
        in.fail();
      else
        append_clock(micros, out);
      return true;
    case timestamp:
      append_instant(in.int64(), "", out);
      return true;
    case timestamptz:
      append_instant(in.int64(), "+00", out);
      return true;
    case interval:
      append_interval(in, out);
      return true;
    case numeric:
      append_numeric(in, out);
      return true;
    case uuid:
      append_uuid(in, out);
      return true;
    default:
      if (!is_array(type)) return false;
      append_array(in, out);
      return true;
  }
}

}  // namespace

bool is_binary_known(std::uint32_t type) {
  PgBytes none_at_all({});
  std::string nothing;
  return append_value(type, none_at_all, 0, nothing);
}

bool append_binary_as_text(std::uint32_t type, std::string_view bytes, std::string& out) {
  const std::size_t before = out.size();
  PgBytes in(bytes);
  if (append_value(type, in, bytes.size(), out) && in.good() && in.at_end()) return true;
  out.resize(before);
  return false;
}

}  // namespace ff
