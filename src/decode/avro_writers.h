/// The schemas by which a topic's records were written, each asked for once and kept.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "decode/avro_schema.h"
#include "decode/decoder.h"

namespace ff {

class AvroWriters {
 public:
  /// The source must outlive this.
  explicit AvroWriters(SchemaSource& schemas) : schemas_(schemas) {}

  /// Asks for the schemas of all of these, so that nothing is begun while nobody answers.
  /// Errors: those of SchemaSource but `quarantine`.
  Result<void> learn(std::span<const RecordRef> records);

  /// What explains a record that was learned.
  struct Found {
    std::uint32_t id = 0;
    const AvroSchema* schema = nullptr;  ///< its root is a record; null: the record is to be refused
    std::string_view data;               ///< what the schema explains
    std::string_view reason;             ///< of the refusal
    std::string detail;
  };
  Found find(std::string_view record) const;

 private:
  struct Writer {
    AvroSchema schema;
    std::string_view reason;  ///< empty: usable
    std::string detail;
    std::chrono::steady_clock::time_point asked_at;
  };
  Result<void> learn(std::uint32_t id);

  SchemaSource& schemas_;
  std::unordered_map<std::uint32_t, Writer> writers_;
};

}  // namespace ff
