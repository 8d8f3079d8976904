#include "contract/judge.h"

#include "base/time.h"
#include "contract/read_value.h"
#include "domain/status.h"

namespace ff {
namespace {

constexpr Micros ping_horizon = 30 * us_per_day, event_horizon = 180 * us_per_day;  // S2.12
constexpr std::size_t shown_bytes_max = 80;
constexpr std::int64_t latitude_max_e7 = 900'000'000, longitude_max_e7 = 1'800'000'000;

/// `'value'`, cut to a length that a log line bears, never in the middle of a UTF-8 character.
std::string quoted(std::string_view value) {
  std::size_t end = value.size();
  if (end > shown_bytes_max)
    for (end = shown_bytes_max; end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80;) --end;
  return "'" + std::string(value.substr(0, end)) + (end < value.size() ? "…'" : "'");
}

std::string_view expected(FieldKind kind) {
  switch (kind) {
    case FieldKind::text:
    case FieldKind::driver:
    case FieldKind::status:
    case FieldKind::action:
      return "text";
    case FieldKind::time:
      return "a time like 2026-03-02T08:00:00Z (a local time needs logicalTypeOptions.defaultTimezone in the contract)";
    case FieldKind::integer:
      return "a whole number";
    case FieldKind::boolean:
      return "true or false";
    case FieldKind::coordinate:
    case FieldKind::speed:
    case FieldKind::duration:
      return "a number";
  }
  return "";
}

/// Whether a JSON value of this kind may be read as `kind` at all; a cell may be read as anything.
bool fits(Value::Kind value, const FieldMapping& mapping, FieldKind kind) {
  if (value == Value::cell) return true;
  switch (kind) {
    case FieldKind::text:
    case FieldKind::driver:
      return value == Value::text || (value == Value::number && mapping.number_as_text);
    case FieldKind::status:
    case FieldKind::action:
      return value == Value::text || (mapping.vocabulary && (value == Value::number || value == Value::boolean));
    case FieldKind::time:
      return mapping.unit == Unit::native ? value == Value::text : value == Value::number;
    case FieldKind::boolean:
      return value == Value::boolean;
    case FieldKind::integer:
    case FieldKind::coordinate:
    case FieldKind::speed:
    case FieldKind::duration:
      return value == Value::number;
  }
  return false;
}

std::optional<Action> action_from_name(std::string_view name) {
  if (name == "assign") return Action::assign;
  if (name == "reassign") return Action::reassign;
  if (name == "unassign") return Action::unassign;
  return std::nullopt;
}

/// One value, read by its kind. Which member counts follows from the kind.
struct Reading {
  std::string_view text;
  std::int64_t number = none;
};

/// Where the readings go: one overload per fact, each a table from field to member.
void put(ShipmentFact& to, FactField field, const Reading& r) {
  switch (field) {
    case FactField::name_space:
      to.name_space = r.text;
      break;
    case FactField::shipment_id:
      to.shipment_id = r.text;
      break;
    case FactField::order_ref:
      to.order_ref = r.text;
      break;
    case FactField::customer_id:
      to.customer_id = r.text;
      break;
    case FactField::carrier_id:
      to.carrier_id = r.text;
      break;
    case FactField::service_level:
      to.service_level = r.text;
      break;
    case FactField::origin_hub:
      to.origin_hub = r.text;
      break;
    case FactField::destination_hub:
      to.destination_hub = r.text;
      break;
    case FactField::created_at:
      to.created_at = r.number;
      break;
    case FactField::promised_pickup_by:
      to.promised_pickup_by = r.number;
      break;
    case FactField::promised_delivery_by:
      to.promised_delivery_by = r.number;
      break;
    case FactField::is_deleted:
      to.is_deleted = r.number != 0;
      break;
    default:
      break;
  }
}
void put(DriverFact& to, FactField field, const Reading& r) {
  switch (field) {
    case FactField::driver_id:
      to.driver_key = r.text;
      break;
    case FactField::home_hub:
      to.home_hub = r.text;
      break;
    case FactField::is_deleted:
      to.is_deleted = r.number != 0;
      break;
    default:
      break;
  }
}
void put(ShipmentEventFact& to, FactField field, const Reading& r) {
  switch (field) {
    case FactField::name_space:
      to.name_space = r.text;
      break;
    case FactField::event_id:
      to.event_id = r.text;
      break;
    case FactField::shipment_id:
      to.shipment_id = r.text;
      break;
    case FactField::status:
      to.status = static_cast<StatusId>(r.number);
      break;
    case FactField::event_time:
      to.event_time = r.number;
      break;
    case FactField::driver_id:
      to.driver_key = r.text;
      break;
    case FactField::facility:
      to.facility = r.text;
      break;
    case FactField::reason:
      to.reason = r.text;
      break;
    case FactField::driving_s:
      to.driving_s = r.number;
      break;
    case FactField::retracted:
      to.retracted = r.number != 0;
      break;
    default:
      break;
  }
}
void put(DriverAssignmentFact& to, FactField field, const Reading& r) {
  switch (field) {
    case FactField::name_space:
      to.name_space = r.text;
      break;
    case FactField::assignment_id:
      to.assignment_id = r.text;
      break;
    case FactField::shipment_id:
      to.shipment_id = r.text;
      break;
    case FactField::driver_id:
      to.driver_key = r.text;
      break;
    case FactField::action:
      to.action = static_cast<Action>(r.number);
      break;
    case FactField::effective_at:
      to.effective_at = r.number;
      break;
    case FactField::is_deleted:
      to.is_deleted = r.number != 0;
      break;
    default:
      break;
  }
}
void put(GpsLocationFact& to, FactField field, const Reading& r) {
  switch (field) {
    case FactField::driver_id:
      to.driver_key = r.text;
      break;
    case FactField::device_id:
      to.device_id = r.text;
      break;
    case FactField::event_time:
      to.event_time = r.number;
      break;
    case FactField::latitude_e7:
      to.latitude_e7 = static_cast<std::int32_t>(r.number);
      break;
    case FactField::longitude_e7:
      to.longitude_e7 = static_cast<std::int32_t>(r.number);
      break;
    case FactField::speed_mm_s:
      to.speed_mm_s = r.number;
      break;
    default:
      break;
  }
}

/// Why a number that could be read is still not one of ours; null if it is.
std::optional<Objection> outside(FactField field, FieldKind kind, std::int64_t number) {
  if (kind == FieldKind::coordinate) {
    const std::int64_t max = field == FactField::latitude_e7 ? latitude_max_e7 : longitude_max_e7;
    if (number >= -max && number <= max) return std::nullopt;
    return Objection{reason::coordinate_out_of_range,
                     {},
                     ", which lies outside ±" + std::to_string(max / 10'000'000) + " degrees (is its unit right?)"};
  }
  const bool may_be_negative = kind == FieldKind::time || kind == FieldKind::boolean;
  if (may_be_negative || number >= 0) return std::nullopt;
  return Objection{reason::out_of_range, {}, ", which is negative"};
}

template <class T>
Micros horizon_of(const T& body, Micros& happened) {
  if constexpr (std::is_same_v<T, GpsLocationFact>)
    return happened = body.event_time, ping_horizon;
  else if constexpr (std::is_same_v<T, ShipmentEventFact>)
    return happened = body.event_time, event_horizon;
  else if constexpr (std::is_same_v<T, DriverAssignmentFact>)
    return happened = body.effective_at, event_horizon;
  else
    return 0;
}

}  // namespace

bool Judge::applies(const Mapping& mapping, Row row) {
  if (mapping.when < 0) return true;
  const Value& when = row[static_cast<std::size_t>(mapping.when)];
  return when.kind == Value::unchanged || when.bytes == "true";
}

bool Judge::may_show(const FieldMapping& mapping) const {
  const auto value = static_cast<std::size_t>(mapping.value);
  return value < contract_.columns.size() ? contract_.columns[value].role == ColumnRole::plain
                                          : !contract_.has_private_columns();
}

std::optional<Objection> Judge::judge(const Mapping& mapping, Row row, Fact& fact) const {
  fact.from.feed = feed_;
  fact.version.authority_rank = contract_.authority_rank;
  fact.version.epoch = contract_.epoch;
  fact.unchanged = 0;
  switch (mapping.fact) {
    case FactType::shipment:
      return fill(mapping, row, fact, fact.body.emplace<ShipmentFact>());
    case FactType::driver:
      return fill(mapping, row, fact, fact.body.emplace<DriverFact>());
    case FactType::shipment_event:
      return fill(mapping, row, fact, fact.body.emplace<ShipmentEventFact>());
    case FactType::driver_assignment:
      return fill(mapping, row, fact, fact.body.emplace<DriverAssignmentFact>());
    case FactType::gps_location:
      return fill(mapping, row, fact, fact.body.emplace<GpsLocationFact>());
  }
  return std::nullopt;
}

template <class Body>
std::optional<Objection> Judge::fill(const Mapping& mapping, Row row, Fact& fact, Body& body) const {
  if constexpr (requires { body.name_space; }) body.name_space = contract_.name_space;
  for (const FieldMapping& field : mapping.fields) {
    const Value& value = row[static_cast<std::size_t>(field.value)];
    const FactFieldTraits& what = traits(field.field);
    if (value.kind == Value::unchanged) {
      fact.unchanged |= bit(field.field);
      continue;
    }
    if (value.is_null() || (value.bytes.empty() && value.kind != Value::nested)) {
      if (!field.required) continue;
      return Objection{reason::missing_field, what.name,
                       std::string(what.name) + " is required by the contract and is missing or null"};
    }
    const auto object = [&](std::string_view word, std::string_view rule) {
      return Objection{word, what.name,
                       std::string(what.name) + " is " +
                           (may_show(field) ? quoted(value.bytes) : "a value not shown here") + std::string(rule)};
    };
    Reading reading;
    bool readable = fits(value.kind, field, what.kind);
    std::string_view word = value.bytes;
    if (readable && field.vocabulary) {
      const auto ours = field.vocabulary->find(std::string(word));
      if (ours != field.vocabulary->end())
        word = ours->second;
      else if (what.kind == FieldKind::status || what.kind == FieldKind::action)
        word = {};
    }
    if (readable) {
      switch (what.kind) {
        case FieldKind::text:
        case FieldKind::driver:
          reading.text = word;
          break;
        case FieldKind::status:
          if (const auto status = status_from_name(word))
            reading.number = *status;
          else
            return object(reason::unmapped_status, ", which the contract's vocabulary does not lead to a status");
          break;
        case FieldKind::action:
          if (const auto action = action_from_name(word))
            reading.number = static_cast<std::int64_t>(*action);
          else
            return object(reason::unmapped_action, ", which does not lead to assign, reassign or unassign");
          break;
        case FieldKind::time:
          reading.number = (field.unit == Unit::native ? read_time(word, field.zone.get())
                                                       : read_time_number(word, field.unit, field.zone.get()))
                               .value_or(none);
          break;
        case FieldKind::integer:
          reading.number = read_integer(word).value_or(none);
          break;
        case FieldKind::boolean:
          if (const auto flag = read_boolean(word)) reading.number = *flag;
          break;
        case FieldKind::coordinate:
        case FieldKind::speed:
        case FieldKind::duration:
          reading.number = read_measure(word, field.unit).value_or(none);
          break;
      }
      readable = reading.number != none || what.kind == FieldKind::text || what.kind == FieldKind::driver;
    }
    if (!readable) return object(reason::wrong_type, ", not " + std::string(expected(what.kind)));
    if (reading.number != none)
      if (auto objection = outside(field.field, what.kind, reading.number))
        return object(objection->reason, objection->detail);
    if (field.field == FactField::version)
      fact.version.ordinal = reading.number;
    else if (field.field == FactField::ingest_time)
      fact.from.ingest_time = reading.number;
    else
      put(body, field.field, reading);
  }
  Micros happened = 0;
  if (const Micros horizon = horizon_of(body, happened);
      horizon > 0 && !(fact.unchanged & (bit(FactField::event_time) | bit(FactField::effective_at))) &&
      !contract_.historical && fact.from.ingest_time - happened > horizon)
    return Objection{reason::beyond_horizon,
                     {},
                     "it happened at " + format_rfc3339(happened) + " and arrived at " +
                         format_rfc3339(fact.from.ingest_time) + ", more than " + std::to_string(horizon / us_per_day) +
                         " days later; a feed of old records says historical: true in its contract"};
  return std::nullopt;
}

std::string Judge::subject(const Mapping& mapping, Row row) {
  std::string driver;
  for (const FieldMapping& field : mapping.fields) {
    const Value& value = row[static_cast<std::size_t>(field.value)];
    if (value.is_null() || value.kind == Value::unchanged || value.bytes.empty() ||
        !fits(value.kind, field, traits(field.field).kind))
      continue;
    if (field.field == FactField::shipment_id) return std::string(value.bytes);
    if (field.field == FactField::driver_id) driver = value.bytes;
  }
  return driver;
}

}  // namespace ff
