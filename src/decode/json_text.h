/// JSON as we write it into payloads.
#pragma once

#include <string>
#include <string_view>

namespace ff {

/// A string with its quotes; UTF-8 stays as it is.
inline void append_json_string(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;  // the first byte that is not copied yet
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, at - plain);
    plain = at + 1;
    out += '\\';
    if (c == '"' || c == '\\')
      out += static_cast<char>(c);
    else if (c == '\n')
      out += 'n';
    else
      out.append("u00").append(1, digits[c >> 4]).append(1, digits[c & 15]);
  }
  out.append(text, plain, std::string_view::npos);
  out += '"';
}

}  // namespace ff
