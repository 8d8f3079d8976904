/// Rows on their way into a table: columns of one batch, filled cell by cell, row after row.
///
/// The shape is a word with one letter a column: s text, i integer, b boolean, t time (micros, UTC), d date (days since
/// 1970). An integer or time equal to `none`, and a text put by `text_or_null` when empty, is NULL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ff {

class Rows {
 public:
  explicit Rows(std::string shape) : shape_(std::move(shape)), columns_(shape_.size()) {}

  Rows& text(std::string_view value);
  Rows& text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }
  /// Integers, times and dates; `none` is NULL.
  Rows& integer(std::int64_t value);
  Rows& boolean(bool value) { return integer(value); }
  Rows& null();

  std::size_t size() const { return cells_ / shape_.size(); }
  bool empty() const { return cells_ == 0; }
  std::size_t bytes() const;
  void clear();

  const std::string& shape() const { return shape_; }

  struct Column {
    std::vector<std::int64_t> numbers;  ///< values; for text: offset << 32 | length into `characters`
    std::vector<bool> nulls;
    std::string characters;
    std::int64_t last_text = 0;  ///< the number of the last text
  };
  const Column& column(std::size_t index) const { return columns_[index]; }

 private:
  Column& next() {
    Column& c = columns_[cells_ % shape_.size()];
    ++cells_;
    return c;
  }

  std::string shape_;
  std::vector<Column> columns_;
  std::size_t cells_ = 0;
};

}  // namespace ff
