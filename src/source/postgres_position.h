/// Where reading of a replication slot goes on: the `resume` of its mark (source.h).
///
/// `7384…/1/ff_slot/16/B374D848/123`: system identifier, timeline, slot, LSN, index. Index 0: every transaction whose commit
/// record starts before the LSN is done, none behind it. Index n: of the transaction whose commit record starts at the LSN
/// the first n records are done.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "decode/lsn.h"

namespace ff {

struct PgPosition {
  std::string system_id;
  std::int64_t timeline = 0;
  std::string slot;
  Lsn lsn;
  std::int64_t index = 0;
};

inline std::string to_text(const PgPosition& p) {
  return p.system_id + "/" + std::to_string(p.timeline) + "/" + p.slot + "/" + to_text(p.lsn) + "/" +
         std::to_string(p.index);
}

inline std::optional<PgPosition> parse_position(std::string_view text) {
  std::string_view parts[6];
  for (int i = 0; i < 6; ++i) {
    const std::size_t end = i < 5 ? text.find('/') : text.size();
    if (end == std::string_view::npos) return std::nullopt;
    parts[i] = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  const auto integer = [](std::string_view t, std::int64_t& to) {
    const auto read = std::from_chars(t.data(), t.data() + t.size(), to);
    return read.ec == std::errc() && read.ptr == t.data() + t.size() && to >= 0;
  };
  PgPosition out{std::string(parts[0]), 0, std::string(parts[2]), {}, 0};
  const auto lsn = parse_lsn(std::string(parts[3]) + "/" + std::string(parts[4]));
  if (!lsn || !integer(parts[1], out.timeline) || !integer(parts[5], out.index)) return std::nullopt;
  out.lsn = *lsn;
  return out;
}

}  // namespace ff
