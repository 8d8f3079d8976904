/// A writer's Avro schema (specification 1.12, "Schema Declaration"), parsed and ready to read its data with.
///
/// Types are nodes that point at each other by index, so a named type may hold itself. Logical types that say what a
/// number is are kept; those that we don't know are left out, as the specification asks. Doc texts, defaults and aliases
/// are not read: a record is read by the schema that wrote it, and the contract maps the names of that schema.
///
/// Our own reader and not Debian's libavro (1.11): it drops `logicalType`, takes an enum's number beyond its symbols, and
/// runs out of stack on a deeply nested value. Schemas and data come from a network: any bytes must end in an error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ff {

struct AvroType {
  enum class Kind : std::uint8_t {
    null_,
    boolean,
    int_,
    long_,
    float_,
    double_,
    bytes,
    string,
    record,
    enum_,
    array,
    map,
    union_,
    fixed
  };
  enum class Logical : std::uint8_t {
    plain,
    date,
    timestamp_millis,
    timestamp_micros,
    timestamp_nanos,
    local_timestamp_millis,
    local_timestamp_micros,
    local_timestamp_nanos,
    decimal
  };
  Kind kind = Kind::null_;
  Logical logical = Logical::plain;
  std::uint32_t size = 0;               ///< of a fixed, in bytes
  std::uint32_t scale = 0;              ///< of a decimal: digits behind the point
  std::string connect_name;             ///< what Kafka Connect calls a number (`connect.name`); empty: nothing
  std::vector<std::string> names;       ///< of a record's fields; an enum's symbols
  std::vector<std::uint32_t> children;  ///< indices: a record's fields, a union's branches; an array's, a map's value
};

struct AvroSchema {
  std::vector<AvroType> types;
  std::uint32_t root = 0;

  const AvroType& operator[](std::uint32_t index) const { return types[index]; }
};

/// Error: quarantine `unusable_schema`, with what is wrong.
Result<AvroSchema> parse_avro_schema(std::string_view json);

}  // namespace ff
