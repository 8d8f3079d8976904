#include "lake/rows.h"

#include <limits>

namespace ff {
namespace {
constexpr std::int64_t none_value = std::numeric_limits<std::int64_t>::min();
}

Rows& Rows::text(std::string_view value) {
  Column& c = next();
  // What the row above says is not said again: names of feeds, statuses, a shipment's own id.
  const std::string_view above(c.characters.data() + (static_cast<std::uint64_t>(c.last_text) >> 32),
                               static_cast<std::uint32_t>(c.last_text));
  if (above != value) {
    FF_CHECK(c.characters.size() + value.size() < (std::size_t{1} << 32));
    c.last_text = static_cast<std::int64_t>(c.characters.size() << 32 | value.size());
    c.characters += value;
  }
  c.numbers.push_back(c.last_text);
  c.nulls.push_back(false);
  return *this;
}

Rows& Rows::integer(std::int64_t value) {
  Column& c = next();
  c.numbers.push_back(value);
  c.nulls.push_back(value == none_value);
  return *this;
}

Rows& Rows::null() {
  Column& c = next();
  c.numbers.push_back(0);
  c.nulls.push_back(true);
  return *this;
}

std::size_t Rows::bytes() const {
  std::size_t sum = 0;
  for (const Column& c : columns_) sum += c.characters.size() + c.numbers.size() * 9;
  return sum;
}

void Rows::clear() {
  for (Column& c : columns_) {
    c.numbers.clear();
    c.nulls.clear();
    c.characters.clear();
    c.last_text = 0;
  }
  cells_ = 0;
}

}  // namespace ff
