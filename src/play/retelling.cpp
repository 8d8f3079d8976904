#include "play/retelling.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/time.h"

namespace ff::play {
namespace {

/// Of a driver's way: more than the pings of the longest time after which one is heard again.
constexpr std::size_t places_max = 500;

constexpr std::array<std::string_view, 3> tables = {"drivers", "orders", "driver_assignments"};

bool is_time(std::string_view column) { return column.ends_with("_at") || column.ends_with("_by"); }

double number(std::optional<std::string_view> text) {
  double value = NAN;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

void append_degrees(std::string& out, double value) {
  char digits[32];
  out.append(digits, static_cast<std::size_t>(std::snprintf(digits, sizeof digits, "%.7f", value)));
}

}  // namespace

std::optional<std::string_view> member(std::string_view line, std::string_view name) {
  for (std::size_t at = line.find(name); at != line.npos; at = line.find(name, at + 1)) {
    const std::size_t after = at + name.size();
    if (at == 0 || line[at - 1] != '"' || line.substr(after, 2) != "\":") continue;
    const std::string_view rest = line.substr(after + 2);
    if (rest.starts_with('"')) {
      const std::size_t end = rest.find('"', 1);
      return end == rest.npos ? std::nullopt : std::optional(rest.substr(1, end - 1));
    }
    const std::string_view bare = rest.substr(0, rest.find_first_of(",}"));
    return bare == "null" ? std::nullopt : std::optional(bare);
  }
  return std::nullopt;
}

std::string_view table(Feed feed) { return tables[static_cast<std::size_t>(feed)]; }

const std::vector<std::string>& columns(Feed feed) {
  static const std::vector<std::string> of[] = {
      {"driver_id", "home_hub", "name", "phone", "email", "licence_number", "home_address", "date_of_birth"},
      {"order_ref", "shipment_id", "customer_id", "carrier_id", "service_level", "origin_hub", "destination_hub",
       "created_at", "promised_pickup_by", "promised_delivery_by"},
      {"assignment_id", "shipment_id", "driver_id", "action", "effective_at"}};
  return of[static_cast<std::size_t>(feed)];
}

std::optional<Retelling::Row> Retelling::row(const Line& line) const {
  Row row;
  for (const std::string& column : columns(line.feed)) {
    const auto text = member(line.text, column);
    const auto time = text && is_time(column) ? parse_rfc3339(*text) : std::nullopt;
    if (time)
      row.emplace_back(format_rfc3339(schedule_.real(*time)));
    else if (text && !is_time(column))
      row.emplace_back(std::string(*text));
    else
      row.emplace_back(std::nullopt);
  }
  const bool whole = row[0] && (line.feed == Feed::drivers || (row[1] && (line.feed == Feed::orders ? row[7]
                                                                          : row[3] && row[4]        ? row[4]
                                                                                                    : std::nullopt)));
  return whole ? std::optional(std::move(row)) : std::nullopt;
}

Retelling::Record Retelling::record(const Line& line) {
  std::string_view text = line.text;
  text_.clear();
  // Our simulator writes it last; a broken line may have lost it.
  const std::size_t ingest = text.rfind(R"(,"ingest_time":)");
  const bool whole = ingest != text.npos;
  if (whole) text = text.substr(0, ingest);
  const std::string_view key = member(line.text, line.feed == Feed::gps ? "driver_id" : "shipment_id").value_or("");
  if (line.feed == Feed::gps)
    append_ping(text, key);
  else
    append_moved(text, "event_time");
  if (whole) text_ += '}';
  return {key, text_};
}

void Retelling::append_moved(std::string_view text, std::string_view name) {
  const auto value = member(text, name);
  const auto time = value ? parse_rfc3339(*value) : std::nullopt;
  if (!time) {
    text_ += text;
    return;
  }
  const auto from = static_cast<std::size_t>(value->data() - text.data());
  text_ += text.substr(0, from);
  text_ += format_rfc3339(schedule_.real(*time));
  text_ += text.substr(from + value->size());
}

void Retelling::append_ping(std::string_view text, std::string_view driver) {
  const auto time_text = member(text, "event_time"), lat_text = member(text, "lat"), lon_text = member(text, "lon");
  const double at[2] = {number(lat_text), number(lon_text)};
  const std::int64_t time = time_text ? parse_rfc3339(*time_text).value_or(0) : 0;
  // A place that does not exist stays one.
  if (time == 0 || !(std::abs(at[0]) <= 90) || !(std::abs(at[1]) <= 180)) return append_moved(text, "event_time");
  const std::int64_t real = schedule_.real(time);
  auto& way = ways_[std::string(driver)];
  auto place = way.find(time);
  if (place == way.end()) {  // Else a copy: it stands where the first one stood.
    Place here{real, {at[0], at[1]}, {at[0], at[1]}};
    if (!way.empty()) {
      // From the ping before it (a ping heard late may have none): the way between, as much shorter as the time for it has become.
      const auto after = way.upper_bound(time);
      const auto& [from_time, from] = *(after == way.begin() ? after : std::prev(after));
      const double shrunk = static_cast<double>(real - from.real) / static_cast<double>(time - from_time);
      for (int i = 0; i < 2; ++i) here.told[i] = from.told[i] + (at[i] - from.at[i]) * shrunk;
    }
    place = way.emplace(time, here).first;
    if (way.size() > places_max && place != way.begin()) way.erase(way.begin());
  }
  const auto& told = place->second.told;
  // The order in which the simulator writes them: event_time, lat, lon.
  const auto offset = [&](std::string_view part) { return static_cast<std::size_t>(part.data() - text.data()); };
  text_ += text.substr(0, offset(*time_text));
  text_ += format_rfc3339(real);
  text_ += R"(","lat":)";
  append_degrees(text_, told[0]);
  text_ += R"(,"lon":)";
  append_degrees(text_, told[1]);
  text_ += text.substr(offset(*lon_text) + lon_text->size());
}

}  // namespace ff::play
