/// JSON as we write it into payloads.
#pragma once

#include <string>
#include <string_view>

namespace ff {

/// A string with its quotes; UTF-8 stays as it is.
inline void append_json_string(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out.append("\\u00").append(1, digits[c >> 4]).append(1, digits[c & 15]);
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace ff
