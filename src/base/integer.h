/// Integers that databases answer as text.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace ff {

/// `otherwise`: of null, and of what does not begin as an integer.
inline std::int64_t to_integer(const std::optional<std::string>& text, std::int64_t otherwise = 0) {
  if (text) std::from_chars(text->data(), text->data() + text->size(), otherwise);
  return otherwise;
}

}  // namespace ff
