/// For tests: Avro binary data written by hand, and schemas without a registry.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "decode/decoder.h"

namespace ff::testing {

struct AvroBytes {
  std::string bytes;

  static AvroBytes of_schema(std::uint32_t id) {
    AvroBytes out;
    out.bytes = {0, static_cast<char>(id >> 24), static_cast<char>(id >> 16), static_cast<char>(id >> 8),
                 static_cast<char>(id)};
    return out;
  }
  AvroBytes& number(std::int64_t value) {
    auto zigzag = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
    for (; zigzag >= 0x80; zigzag >>= 7) bytes += static_cast<char>(zigzag | 0x80);
    bytes += static_cast<char>(zigzag);
    return *this;
  }
  AvroBytes& text(std::string_view value) {
    number(static_cast<std::int64_t>(value.size())).bytes += value;
    return *this;
  }
  AvroBytes& flag(bool value) { return bytes += static_cast<char>(value), *this; }
  template <class T>
  AvroBytes& raw(T value) {
    char buffer[sizeof value];
    std::memcpy(buffer, &value, sizeof value);
    return bytes.append(buffer, sizeof buffer), *this;
  }
};

struct FixedSchemas final : SchemaSource {
  std::map<std::uint32_t, std::string> schemas;
  std::optional<Error> error;  ///< instead of an answer
  int asked = 0;

  Result<std::optional<std::string>> schema(std::uint32_t id) override {
    ++asked;
    if (error) return *error;
    const auto found = schemas.find(id);
    return found == schemas.end() ? std::optional<std::string>() : std::optional(found->second);
  }
};

}  // namespace ff::testing
