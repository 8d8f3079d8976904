#include "contract/zone.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "base/time.h"

namespace ff {
namespace {

constexpr const char* zoneinfo = "/usr/share/zoneinfo/";

std::int64_t big_endian(std::string_view bytes, std::size_t at, int width) {
  std::uint64_t value = (static_cast<unsigned char>(bytes[at]) & 0x80) ? ~std::uint64_t{0} : 0;
  for (int i = 0; i < width; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return static_cast<std::int64_t>(value);
}

/// The counts in a TZif header (RFC 8536 §3.1).
struct Header {
  static constexpr std::size_t size = 44;
  std::size_t isut, isstd, leap, time, type, chars;
  std::size_t body(std::size_t time_width) const {
    return time * time_width + time + type * 6 + chars + leap * (time_width + 4) + isstd + isut;
  }
};

std::optional<Header> read_header(std::string_view bytes, std::size_t at) {
  if (bytes.size() < at + Header::size || bytes.substr(at, 4) != "TZif") return std::nullopt;
  const auto count = [&](std::size_t i) { return static_cast<std::size_t>(big_endian(bytes, at + 20 + 4 * i, 4)); };
  return Header{count(0), count(1), count(2), count(3), count(4), count(5)};
}

std::int64_t floor_seconds(Micros t) { return t / us_per_second - (t % us_per_second < 0); }

}  // namespace

Result<std::shared_ptr<const Zone>> Zone::load(const std::string& name) {
  const Error unknown{Recourse::halt, "unknown_zone",
                      "no time zone '" + name + "' in " + zoneinfo +
                          "; use a name like 'Europe/Berlin' or 'UTC' (Debian package tzdata)"};
  if (name.empty() || name.front() == '/' || name.find("..") != std::string::npos) return unknown;
  std::ifstream file(zoneinfo + name, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  // Version 2 files repeat everything with 64-bit times behind the 32-bit part; older ones are not written any more.
  const auto old = read_header(bytes, 0);
  if (!old || bytes[4] < '2') return unknown;
  const std::size_t start = Header::size + old->body(4);
  const auto header = read_header(bytes, start);
  if (!header || header->type == 0 || bytes.size() < start + Header::size + header->body(8)) return unknown;

  const std::size_t times = start + Header::size, kinds = times + header->time * 8, types = kinds + header->time;
  const auto offset_of = [&](std::size_t type) { return big_endian(bytes, types + type * 6, 4); };
  auto zone = std::make_shared<Zone>();
  zone->changes_.push_back({INT64_MIN, offset_of(0)});
  for (std::size_t i = 0; i < header->time; ++i)
    zone->changes_.push_back(
        {big_endian(bytes, times + i * 8, 8), offset_of(static_cast<unsigned char>(bytes[kinds + i]))});
  return std::shared_ptr<const Zone>(std::move(zone));
}

std::int64_t Zone::offset_at(std::int64_t utc_s) const {
  return std::prev(std::upper_bound(changes_.begin(), changes_.end(), utc_s,
                                    [](std::int64_t t, const Change& c) { return t < c.at_s; }))
      ->offset_s;
}

Micros Zone::to_utc(Micros local) const {
  const std::int64_t local_s = floor_seconds(local);
  // The offset a day earlier and a day later are those before and after any change near this reading (changes lie
  // further apart than that). The earlier instant has the greater offset; in a gap neither fits and the former stands.
  constexpr std::int64_t day_s = us_per_day / us_per_second;
  const std::int64_t before = offset_at(local_s - day_s), after = offset_at(local_s + day_s);
  const bool after_fits = offset_at(local_s - after) == after, before_fits = offset_at(local_s - before) == before;
  const std::int64_t offset = after_fits && !before_fits ? after : before;
  return local - offset * us_per_second;
}

Micros Zone::to_local(Micros utc) const { return utc + offset_at(floor_seconds(utc)) * us_per_second; }

}  // namespace ff
