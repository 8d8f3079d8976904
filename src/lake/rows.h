/// Rows on their way into a table: columns of one batch, filled cell by cell, row after row.
///
/// The shape is a word with one letter a column: s text, i integer, b boolean, t time (micros, UTC), d date (days since
/// 1970). An integer or time equal to `none`, and a text put by `text_or_null` when empty, is NULL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ff {

/// Texts one behind the other, in pieces that neither move nor grow: a buffer that doubles holds up to three times as much.
class Texts {
 public:
  /// Where it lies: position << 32 | length. At most 4 GiB of texts.
  std::int64_t put(std::string_view text);
  std::string_view at(std::int64_t place) const;
  std::size_t bytes() const { return end_; }

 private:
  static constexpr unsigned piece_bits = 14;
  std::vector<std::unique_ptr<char[]>> pieces_;  ///< of 16 KB, or as many times that as one text needs
  std::vector<char*> begins_;                    ///< of each 16 KB
  std::size_t end_ = 0;
};

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

  class Column {
   public:
    bool is_null(std::size_t row) const { return nulls_[row]; }
    std::int64_t number(std::size_t row) const { return numbers_[row / piece_rows][row % piece_rows]; }
    std::string_view text(std::size_t row) const { return texts_.at(number(row)); }

   private:
    friend class Rows;
    static constexpr std::size_t piece_rows = 2048;
    void put(std::int64_t number, bool is_null);

    std::vector<std::vector<std::int64_t>> numbers_;  ///< in pieces; of texts their places
    std::vector<bool> nulls_;
    Texts texts_;
    std::int64_t last_text_ = 0;  ///< the place of the last one
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
