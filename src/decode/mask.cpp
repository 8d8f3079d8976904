#include "decode/mask.h"

#include <simdjson.h>

#include <algorithm>
#include <cctype>

namespace ff {
namespace {

char mask_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= '0' && byte <= '9') return '9';
  if (byte >= 0x80 || std::isalpha(byte)) return 'x';
  return byte < 0x20 || byte == 0x7F ? ' ' : c;
}

}  // namespace

std::string mask_record(std::string_view bytes, const std::vector<Column>& columns) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    if (bytes[at] == '"') {
      const std::size_t close = bytes.find('"', at + 1);
      const std::size_t colon = close == std::string_view::npos ? close : bytes.find_first_not_of(" \t", close + 1);
      const bool is_key = colon != std::string_view::npos && bytes[colon] == ':';
      const std::string_view name = is_key ? bytes.substr(at + 1, close - at - 1) : std::string_view();
      if (is_key && std::any_of(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; })) {
        out.append(bytes.substr(at, close + 1 - at));
        at = close + 1;
        continue;
      }
    }
    out += mask_byte(bytes[at++]);
  }
  return out;
}

std::string printable(std::string_view bytes) {
  std::string out(bytes);
  const bool is_utf8 = simdjson::validate_utf8(bytes);
  for (char& c : out)
    if (c == '\0' || (!is_utf8 && static_cast<unsigned char>(c) >= 0x80)) c = '?';
  return out;
}

}  // namespace ff
