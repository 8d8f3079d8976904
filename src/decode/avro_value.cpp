#include "decode/avro_value.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/time.h"
#include "decode/json_text.h"

namespace ff {
namespace {

using Kind = AvroType::Kind;
using Logical = AvroType::Logical;

__extension__ using Wide = unsigned __int128;

constexpr int depth_max = 64;
// 0001-01-01 and 9999-12-31T23:59:59.999999, which our times end at.
constexpr std::int64_t micros_min = -62'135'596'800 * us_per_second, micros_max = 253'402'300'800 * us_per_second - 1;

template <class T>
void append_number(std::string& out, T number) {
  char text[64];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

/// Big-endian two's complement of at most 16 bytes as a decimal number.
void append_decimal(std::string& out, std::string_view bytes, std::uint32_t scale) {
  const bool is_negative = !bytes.empty() && static_cast<signed char>(bytes[0]) < 0;
  Wide value = is_negative ? ~Wide(0) : 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  if (is_negative) value = -value;
  char digits[48];
  std::size_t at = sizeof digits;
  for (std::uint32_t written = 0; value > 0 || written <= scale; ++written) {
    if (written == scale && scale > 0) digits[--at] = '.';
    digits[--at] = static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  }
  if (is_negative) out += '-';
  out.append(digits + at, sizeof digits - at);
}

/// What a JSON record may not hold either: ids are separated with these, and tables take UTF-8 only.
bool is_clean(std::string_view text) {
  return text.find_first_of(std::string_view("\0\x1f", 2)) == std::string_view::npos && simdjson::validate_utf8(text);
}

}  // namespace

void AvroReader::fail(const char* what) {
  if (broken_.empty()) broken_ = what;
  bytes_ = {};
}

std::string_view AvroReader::take(std::int64_t count) {
  if (count < 0 || static_cast<std::uint64_t>(count) > bytes_.size()) {
    fail("a length goes beyond the record's end");
    return {};
  }
  const std::string_view taken = bytes_.substr(0, static_cast<std::size_t>(count));
  bytes_.remove_prefix(taken.size());
  return taken;
}

std::int64_t AvroReader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (bytes_.empty()) {
      fail("the record ends within a number");
      return 0;
    }
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (!(byte & 0x80)) return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  fail("a number is longer than ten bytes");
  return 0;
}

std::string_view AvroReader::text() {
  const std::string_view text = take(number());
  if (ok() && !is_clean(text)) fail("a string is not UTF-8, or holds a control character (U+0000, U+001F)");
  return text;
}

const std::string* AvroReader::symbol(const AvroType& type) {
  const std::int64_t index = number();
  if (index >= 0 && static_cast<std::uint64_t>(index) < type.names.size())
    return &type.names[static_cast<std::size_t>(index)];
  fail("an enum has no such symbol");
  return nullptr;
}

std::uint32_t AvroReader::branch(const AvroType& type) {
  const std::int64_t index = number();
  if (index >= 0 && static_cast<std::uint64_t>(index) < type.children.size())
    return type.children[static_cast<std::size_t>(index)];
  fail("a union has no such branch");
  return type.children.front();
}

bool AvroReader::enter() {
  if (!ok()) return false;
  if (--values_left_ < 0) return fail("it holds more values than its bytes can be meant for"), false;
  if (depth_ >= depth_max) return fail("its values are nested too deeply"), false;
  return true;
}

std::int64_t AvroReader::block() {
  std::int64_t count = number();
  if (count < 0) {  // then the block's length in bytes follows
    if (count == INT64_MIN) return fail("a block counts wrongly"), 0;
    number();
    count = -count;
  }
  return ok() ? count : 0;
}

void AvroReader::skip(std::uint32_t index) {
  if (!enter()) return;
  const AvroType& type = schema_[index];
  ++depth_;
  switch (type.kind) {
    case Kind::null_:
      break;
    case Kind::boolean:
      take(1);
      break;
    case Kind::int_:
    case Kind::long_:
    case Kind::enum_:
      number();
      break;
    case Kind::float_:
      take(4);
      break;
    case Kind::double_:
      take(8);
      break;
    case Kind::bytes:
    case Kind::string:
      take(number());
      break;
    case Kind::fixed:
      take(type.size);
      break;
    case Kind::union_:
      skip(branch(type));
      break;
    case Kind::record:
      for (const std::uint32_t child : type.children) skip(child);
      break;
    case Kind::array:
    case Kind::map:
      for (std::int64_t left = block(); left > 0 && ok(); left = left > 1 ? left - 1 : block()) {
        if (type.kind == Kind::map) take(number());
        skip(type.children.front());
      }
      break;
  }
  --depth_;
}

Value AvroReader::of_long(const AvroType& type, std::int64_t number, std::string& scratch) {
  scratch.clear();
  std::int64_t micros = 0;
  bool is_time = true;
  switch (type.logical) {
    case Logical::date:
      micros = number * us_per_day;
      break;
    case Logical::timestamp_millis:
    case Logical::local_timestamp_millis:
      is_time = !__builtin_mul_overflow(number, 1000, &micros);
      break;
    case Logical::timestamp_micros:
    case Logical::local_timestamp_micros:
      micros = number;
      break;
    case Logical::timestamp_nanos:
    case Logical::local_timestamp_nanos:
      micros = number / 1000 - (number % 1000 < 0);
      break;
    default:
      is_time = false;
  }
  if (!is_time || micros < micros_min || micros > micros_max) {
    append_number(scratch, number);
    return {Value::number, scratch};
  }
  scratch = format_rfc3339(micros);
  if (type.logical == Logical::date)
    scratch.resize(std::strlen("2026-03-02"));
  else if (type.logical >= Logical::local_timestamp_millis)
    scratch.pop_back();  // the Z
  return {Value::text, scratch};
}

Value AvroReader::of_double(double number, std::string& scratch) {
  scratch.clear();
  if (std::isfinite(number)) {
    append_number(scratch, number);
    return {Value::number, scratch};
  }
  scratch = std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";  // JSON has no number for them
  return {Value::text, scratch};
}

Value AvroReader::of_bytes(const AvroType& type, std::string_view bytes, std::string& scratch) {
  scratch.clear();
  if (type.logical == Logical::decimal && bytes.size() <= 16) {
    append_decimal(scratch, bytes, type.scale);
    return {Value::number, scratch};
  }
  std::string points;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      points += c;
    } else {
      points += static_cast<char>(0xC0 | byte >> 6);
      points += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  append_json_string(scratch, points);
  return {Value::nested, scratch};
}

Value AvroReader::read(std::uint32_t index, std::string& scratch) {
  if (!enter()) return {};
  const AvroType& type = schema_[index];
  switch (type.kind) {
    case Kind::null_:
      return {Value::null, {}};
    case Kind::boolean: {
      const std::string_view byte = take(1);
      if (ok() && static_cast<unsigned char>(byte.front()) > 1) fail("a boolean is neither 0 nor 1");
      return {Value::boolean, ok() && byte.front() == 1 ? "true" : "false"};
    }
    case Kind::int_:
    case Kind::long_: {
      const std::int64_t value = number();
      if (type.kind == Kind::int_ && (value < INT32_MIN || value > INT32_MAX)) fail("an int is longer than 32 bits");
      return of_long(type, value, scratch);
    }
    case Kind::float_: {
      float value = 0;
      if (const std::string_view raw = take(4); ok()) std::memcpy(&value, raw.data(), 4);
      if (!std::isfinite(value)) return of_double(value, scratch);
      scratch.clear();
      append_number(scratch, value);  // as a float: its shortest form, not that of the double it widens to
      return {Value::number, scratch};
    }
    case Kind::double_: {
      double value = 0;
      if (const std::string_view raw = take(8); ok()) std::memcpy(&value, raw.data(), 8);
      return of_double(value, scratch);
    }
    case Kind::bytes:
      return of_bytes(type, take(number()), scratch);
    case Kind::fixed:
      return of_bytes(type, take(type.size), scratch);
    case Kind::string:
      return {Value::text, text()};
    case Kind::enum_: {
      const std::string* const word = symbol(type);
      return {Value::text, word ? std::string_view(*word) : std::string_view()};
    }
    case Kind::union_: {
      const std::uint32_t held = branch(type);
      ++depth_;
      const Value value = read(held, scratch);
      --depth_;
      return value;
    }
    case Kind::record:
    case Kind::array:
    case Kind::map:
      scratch.clear();
      append_json(index, scratch);
      return {Value::nested, scratch};
  }
  return {};
}

void AvroReader::append_json(std::uint32_t index, std::string& out) {
  if (!enter()) return;
  const AvroType& type = schema_[index];
  ++depth_;
  if (type.kind == Kind::union_) {
    append_json(branch(type), out);
  } else if (type.kind == Kind::record) {
    out += '{';
    for (std::size_t i = 0; i < type.children.size() && ok(); ++i) {
      if (i > 0) out += ',';
      append_json_string(out, type.names[i]);
      out += ':';
      append_json(type.children[i], out);
    }
    out += '}';
  } else if (type.kind == Kind::array || type.kind == Kind::map) {
    const bool is_map = type.kind == Kind::map;
    out += is_map ? '{' : '[';
    bool is_first = true;
    for (std::int64_t left = block(); left > 0 && ok(); left = left > 1 ? left - 1 : block()) {
      if (!is_first) out += ',';
      is_first = false;
      if (is_map) {
        append_json_string(out, text());
        out += ':';
      }
      append_json(type.children.front(), out);
    }
    out += is_map ? '}' : ']';
  } else {
    std::string scratch;
    const Value value = read(index, scratch);
    if (value.is_null())
      out += "null";
    else if (value.kind == Value::text)
      append_json_string(out, value.bytes);
    else
      out += value.bytes;
  }
  --depth_;
}

}  // namespace ff
