#include "lake/rows.h"

#include <algorithm>
#include <limits>

namespace ff {
namespace {
constexpr std::int64_t none_value = std::numeric_limits<std::int64_t>::min();
}

std::int64_t Texts::put(std::string_view text) {
  constexpr std::size_t piece = std::size_t{1} << piece_bits;
  if (text.size() > (begins_.size() << piece_bits) - end_) {
    const std::size_t count = (text.size() + piece - 1) >> piece_bits;
    FF_CHECK(begins_.size() + count <= std::size_t{1} << (32 - piece_bits));
    end_ = begins_.size() << piece_bits;
    pieces_.push_back(std::make_unique_for_overwrite<char[]>(count << piece_bits));
    for (std::size_t i = 0; i < count; ++i) begins_.push_back(pieces_.back().get() + (i << piece_bits));
  }
  const auto place = static_cast<std::int64_t>(end_ << 32 | text.size());
  if (!text.empty()) std::copy(text.begin(), text.end(), begins_[end_ >> piece_bits] + end_ % piece);
  end_ += text.size();
  return place;
}

std::string_view Texts::at(std::int64_t place) const {
  const auto length = static_cast<std::uint32_t>(place);
  if (length == 0) return "";
  const std::size_t position = static_cast<std::uint64_t>(place) >> 32;
  return {begins_[position >> piece_bits] + position % (std::size_t{1} << piece_bits), length};
}

void Rows::Column::put(std::int64_t number, bool is_null) {
  if (nulls_.size() % piece_rows == 0) {
    numbers_.emplace_back();
    if (!nulls_.empty()) numbers_.back().reserve(piece_rows);
  }
  numbers_.back().push_back(number);
  nulls_.push_back(is_null);
}

Rows& Rows::text(std::string_view value) {
  Column& c = next();
  // What the row above says is not said again: names of feeds, statuses, a shipment's own id.
  if (c.texts_.at(c.last_text_) != value) c.last_text_ = c.texts_.put(value);
  c.put(c.last_text_, false);
  return *this;
}

Rows& Rows::integer(std::int64_t value) {
  next().put(value, value == none_value);
  return *this;
}

Rows& Rows::null() {
  next().put(0, true);
  return *this;
}

std::size_t Rows::bytes() const {
  std::size_t sum = 0;
  for (const Column& c : columns_) sum += c.texts_.bytes() + c.nulls_.size() * 9;
  return sum;
}

void Rows::clear() { *this = Rows(std::move(shape_)); }

}  // namespace ff
