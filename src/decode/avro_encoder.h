/// A contract's records in Avro: the schema to register, and JSON by it. What comes of it is read by format avro or, where
/// the contract is of a table, debezium_avro.
///
/// A field for each column that may leave the door, but none of class pii: text as a string, numbers as a long or a double,
/// true and false as a boolean, nested values as their JSON; what does not fit its column's type, as a string. A record of a
/// table is Debezium's envelope. All fields may be null and are so by default: columns may come and go by all of a
/// registry's rules of compatibility.
/// Source: Avro specification 1.12, "Schema Declaration", "Binary Encoding".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "contract/contract.h"
#include "decode/avro_schema.h"

namespace ff {

class AvroEncoder {
 public:
  /// Error: halt `contract_bad_value`: a column's name can be none in Avro.
  static Result<AvroEncoder> make(const Contract& contract);
  ~AvroEncoder();
  AvroEncoder(AvroEncoder&&) noexcept;

  const std::string& schema() const { return text_; }
  /// Appends the data of a record; false, and nothing appended: the bytes are no JSON object that the schema has words for.
  /// Members that it does not know are left out.
  bool append(std::string_view json, std::string& out);

 private:
  explicit AvroEncoder(std::string text);

  std::string text_;
  AvroSchema schema_;
  struct Parsers;
  std::unique_ptr<Parsers> parsers_;
};

}  // namespace ff
