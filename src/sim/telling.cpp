#include "sim/telling.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>

namespace ff::sim {
namespace {

/// The partner's own words, in the order of Status.
constexpr std::string_view partner_codes[] = {"NEW", "ASG", "ARP", "PUP", "ARR", "CUS", "DEP", "TRN", "AVL",
                                              "OFD", "ATT", "EXC", "RTN", "DLV", "RTD", "CAN", "LST"};
constexpr std::string_view action_names[] = {"assign", "reassign", "unassign"};

void append_digits(std::string& out, std::uint64_t value, int width) {
  char digits[20];
  for (int i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, static_cast<std::size_t>(width));
}

/// `2026-03-02`, remembered: most lines are of today.
std::string_view date_text(std::int64_t days) {
  thread_local std::int64_t known = std::numeric_limits<std::int64_t>::min();
  thread_local std::string text;
  if (days != known) text = format_rfc3339(days * us_per_day).substr(0, 10), known = days;
  return text;
}

void append_clock(std::string& out, Micros t, char between) {
  const Micros days = t / us_per_day, of_day = t % us_per_day / us_per_second;
  char text[19];
  const auto date = date_text(days);
  std::copy(date.begin(), date.end(), text);
  text[10] = between, text[13] = ':', text[16] = ':';
  const auto two = [&](int at, std::int64_t v) {
    text[at] = static_cast<char>('0' + v / 10), text[at + 1] = static_cast<char>('0' + v % 10);
  };
  two(11, of_day / 3600), two(14, of_day / 60 % 60), two(17, of_day % 60);
  out.append(text, 19);
}

void append_id(std::string& out, char letter, std::uint64_t index) {
  out += letter;
  append_digits(out, index, 9);
}

void append_numbered(std::string& out, char letter, std::uint64_t index, int number) {
  append_id(out, letter, index);
  out += '-';
  append_digits(out, static_cast<std::uint64_t>(number), 2);
}

void append_driver(std::string& out, const Life& life, int driver) {
  if (driver == ghost) return append_id(out, 'G', life.index);
  out += 'D';
  append_digits(out, static_cast<std::uint64_t>(driver), 6);
}

void append_quoted_driver(std::string& out, const Life& life, int driver) {
  if (driver == nobody) {
    out += "null";
    return;
  }
  out += '"';
  append_driver(out, life, driver);
  out += '"';
}

void append_optional_time(std::string& out, std::string_view key, Micros t) {
  out += key;
  if (t == none) {
    out += "null";
    return;
  }
  out += '"';
  append_time(out, t);
  out += '"';
}

void append_ingest(std::string& out, Micros heard) {
  append_optional_time(out, R"(,"ingest_time":)", heard);
  out += '}';
}

void append_order(std::string& out, const Life& life, const Telling& telling) {
  const bool rival = telling.of == Telling::Of::rival_order;
  const auto& origin = hubs[static_cast<std::size_t>(life.origin)];
  const auto& destination = hubs[static_cast<std::size_t>(life.destination)];
  fmt::format_to(
      std::back_inserter(out),
      FMT_COMPILE(
          R"({{"namespace":"acme","shipment_id":"S{:09}","order_ref":"O{:09}{}","customer_id":"C{:05}","carrier_id":"{}",)"
          R"("service_level":"{}","origin_hub":"{}","destination_hub":"{}")"),
      life.index, life.index, rival ? "-B" : "", life.customer + (rival ? 50'000 : 0),
      carriers[static_cast<std::size_t>(life.carrier)].id, service_levels[static_cast<std::size_t>(life.service)].name,
      origin.code, destination.code);
  append_optional_time(out, R"(,"created_at":)", rival ? life.rival_created_at : life.created_at);
  append_optional_time(out, R"(,"promised_pickup_by":)", life.promised_pickup_by);
  append_optional_time(out, R"(,"promised_delivery_by":)", life.promised_delivery_by);
  fmt::format_to(std::back_inserter(out), FMT_COMPILE(R"(,"version":{},"is_deleted":{})"), telling.version,
                 telling.mark);
  append_ingest(out, telling.heard);
}

void append_command(std::string& out, const Life& life, const Telling& telling) {
  const Command& command = life.commands[telling.body];
  out += R"({"namespace":"acme","assignment_id":")";
  append_numbered(out, 'A', life.index, command.number);
  out += R"(","shipment_id":")";
  append_id(out, 'S', life.index);
  out += R"(","driver_id":)";
  append_quoted_driver(out, life, command.driver);
  out += R"(,"action":")";
  out += action_names[static_cast<int>(command.action)];
  append_optional_time(out, R"(","effective_at":)", command.time);
  out += R"(,"version":)";
  append_digits(out, telling.version, 1);
  out += R"(,"is_deleted":false)";
  append_ingest(out, telling.heard);
}

/// How a broken scan is broken.
enum Broken : std::uint8_t { cut, not_a_time, no_shipment, not_a_number, unknown_status, whole };

void append_scan(std::string& out, const Life& life, const Telling& telling, Broken broken) {
  const Scan& scan = life.scans[telling.body];
  const std::size_t begin = out.size();
  out += R"({"namespace":"acme","event_id":)";
  if (broken != whole || scan.number != 0) {
    out += '"';
    append_numbered(out, 'E', life.index, broken != whole ? 99 : scan.number);
    out += '"';
  } else {
    out += "null";
  }
  if (broken != no_shipment) {
    out += R"(,"shipment_id":")";
    append_id(out, 'S', life.index);
    out += '"';
  }
  out += R"(,"status":")";
  out += broken == unknown_status ? "teleported" : name(scan.status);
  out += R"(","event_time":")";
  if (broken == not_a_time)
    out += "around noon";
  else
    append_time(out, scan.time);
  out += R"(","driver_id":)";
  append_quoted_driver(out, life, scan.driver);
  out += R"(,"facility":)";
  if (scan.hub < 0) {
    out += "null";
  } else {
    out += '"';
    out += hubs[static_cast<std::size_t>((scan.hub + telling.variant) % hub_count)].code;
    out += '"';
  }
  out += R"(,"reason":)";
  if (scan.reason == Reason::none) {
    out += "null";
  } else {
    out += '"';
    out += name(scan.reason);
    out += '"';
  }
  out += R"(,"version":)";
  if (broken == not_a_number)
    out += R"("three")";
  else
    append_digits(out, telling.version, 1);
  out += telling.mark ? R"(,"retracted":true)" : R"(,"retracted":false)";
  if (life.fault == Fault::schema_drift) out += fmt::format(R"(,"{}":4.5)", drifted_field);
  append_ingest(out, telling.heard);
  if (broken == cut) out.resize(begin + (out.size() - begin) * 2 / 3);
}

}  // namespace

void append_time(std::string& out, Micros t) {
  append_clock(out, t, 'T');
  if (const Micros fraction = t % us_per_second; fraction != 0) {
    out += '.';
    if (fraction % 1000 == 0)
      append_digits(out, static_cast<std::uint64_t>(fraction / 1000), 3);
    else
      append_digits(out, static_cast<std::uint64_t>(fraction), 6);
  }
  out += 'Z';
}

void append_telling(std::string& out, const World& world, const Life& life, const Telling& telling) {
  switch (telling.of) {
    case Telling::Of::order:
    case Telling::Of::rival_order:
      return append_order(out, life, telling);
    case Telling::Of::scan:
      return append_scan(out, life, telling, whole);
    case Telling::Of::command:
      return append_command(out, life, telling);
    case Telling::Of::broken_scan: {
      Telling plain = telling;
      plain.variant = 0;
      return append_scan(out, life, plain, static_cast<Broken>(telling.variant));
    }
    case Telling::Of::ghost_record:
      return append_driver_record(
          out, life.ghost_id(), hubs[static_cast<std::size_t>(life.destination)].code,
          personal_data(world.seed(), static_cast<std::uint64_t>(world.driver_count()) + life.index), telling.version,
          telling.heard);
  }
}

void append_partner_row(std::string& out, const World&, const Life& life, const Telling& telling) {
  const Scan& scan = life.scans[telling.body];
  append_id(out, 'S', life.index);
  out += ',';
  append_numbered(out, 'F', life.index, scan.number);
  out += ',';
  out += partner_codes[scan.status];
  out += ',';
  append_clock(out, scan.time - 7 * us_per_hour, ' ');
  out += ',';
  if (scan.hub >= 0) out += hubs[static_cast<std::size_t>(scan.hub)].code;
  out += ',';
  if (scan.driver != nobody) append_driver(out, life, scan.driver);
  out += ',';
  out += name(scan.reason);
  out += ',';
  append_time(out, telling.heard);
}

void append_driver_record(std::string& out, std::string_view driver_id, std::string_view home_hub,
                          const PersonalData& pii, int version, Micros heard) {
  fmt::format_to(
      std::back_inserter(out),
      FMT_COMPILE(
          R"({{"driver_id":"{}","home_hub":"{}","name":"{}","phone":"{}","email":"{}","licence_number":"{}","home_address":"{}",)"
          R"("date_of_birth":"{}","version":{},"is_deleted":false)"),
      driver_id, home_hub, pii.name, pii.phone, pii.email, pii.licence_number, pii.home_address, pii.date_of_birth,
      version);
  append_ingest(out, heard);
}

void append_ping(std::string& out, std::string_view driver_id, const Ping& ping) {
  const auto degrees = [&](double value) {
    auto e6 = static_cast<std::int64_t>(value * 1e6);
    if (e6 < 0) out += '-', e6 = -e6;
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}."), e6 / 1'000'000);
    append_digits(out, static_cast<std::uint64_t>(e6 % 1'000'000), 6);
  };
  out += R"({"driver_id":")";
  out += driver_id;
  out += R"(","device_id":"T)";
  out += driver_id.substr(1);
  append_optional_time(out, R"(","event_time":)", ping.time);
  out += R"(,"lat":)";
  degrees(ping.latitude);
  out += R"(,"lon":)";
  degrees(ping.longitude);
  out += R"(,"speed_mps":)";
  if (ping.speed_dm_s < 0)
    out += "null";
  else
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}.{}"), ping.speed_dm_s / 10, ping.speed_dm_s % 10);
  append_ingest(out, ping.heard);
}

}  // namespace ff::sim
