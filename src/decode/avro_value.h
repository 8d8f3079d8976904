/// One value off the front of Avro binary data, by the schema that wrote it.
///
/// A scalar becomes a Value as the other formats have it: numbers as they are written in JSON, times as RFC 3339 text (a
/// local one without an offset), an enum as its symbol, a union as the branch it holds. Records, arrays and maps become
/// JSON text of kind `nested`, and so do bytes, as a string of code points 0 to 255.
/// Any bytes end in a value or an error: lengths are held against what is left, values are counted, depth is bounded.
/// Source: Avro specification 1.12, "Binary Encoding", "Logical Types".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "contract/judge.h"
#include "decode/avro_schema.h"

namespace ff {

class AvroReader {
 public:
  AvroReader(const AvroSchema& schema, std::string_view bytes)
      : schema_(schema), bytes_(bytes), values_left_(100'000 + 4 * static_cast<std::int64_t>(bytes.size())) {}

  /// The value; its bytes lie in the data, in the schema or in `scratch`. After an error `broken` says why.
  Value read(std::uint32_t type, std::string& scratch);
  void skip(std::uint32_t type);

  std::string_view rest() const { return bytes_; }
  bool ok() const { return broken_.empty(); }
  const std::string& broken() const { return broken_; }
  /// Where all should be read: what is wrong with the data, or empty.
  std::string end() const {
    return ok() && !bytes_.empty() ? std::to_string(bytes_.size()) + " bytes follow the record" : broken_;
  }

 private:
  std::int64_t number();
  std::string_view take(std::int64_t count);
  std::string_view text();
  const std::string* symbol(const AvroType& type);
  std::uint32_t branch(const AvroType& type);
  bool enter();
  void fail(const char* what);
  /// The next block of an array or map: items in it; 0: no more.
  std::int64_t block();
  void append_json(std::uint32_t type, std::string& out);
  Value of_long(const AvroType& type, std::int64_t number, std::string& scratch);
  Value of_double(double number, std::string& scratch);
  Value of_bytes(const AvroType& type, std::string_view bytes, std::string& scratch);

  const AvroSchema& schema_;
  std::string_view bytes_;
  std::int64_t values_left_;  ///< arrays of nulls take no bytes: something must bound them
  int depth_ = 0;
  std::string broken_;
};

}  // namespace ff
