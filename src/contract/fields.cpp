#include "contract/fields.h"

#include <array>

namespace ff {
namespace {

using enum FactField;
using Kind = FieldKind;

constexpr std::array<FactFieldTraits, fact_field_count> all_traits = {{
    {"namespace", Kind::text},
    {"shipment_id", Kind::text},
    {"order_ref", Kind::text},
    {"customer_id", Kind::text},
    {"carrier_id", Kind::text},
    {"service_level", Kind::text},
    {"origin_hub", Kind::text},
    {"destination_hub", Kind::text},
    {"created_at", Kind::time},
    {"promised_pickup_by", Kind::time},
    {"promised_delivery_by", Kind::time},
    {"home_hub", Kind::text},
    {"event_id", Kind::text},
    {"status", Kind::status},
    {"event_time", Kind::time},
    {"facility", Kind::text},
    {"reason", Kind::text},
    {"driving_s", Kind::duration},
    {"assignment_id", Kind::text},
    {"action", Kind::action},
    {"effective_at", Kind::time},
    {"driver_id", Kind::driver},
    {"device_id", Kind::text},
    {"latitude_e7", Kind::coordinate},
    {"longitude_e7", Kind::coordinate},
    {"speed_mm_s", Kind::speed},
    {"version", Kind::integer},
    {"is_deleted", Kind::boolean},
    {"retracted", Kind::boolean},
    {"ingest_time", Kind::time},
}};

constexpr FactFieldUse shipment_fields[] = {
    {name_space},           {shipment_id, true}, {order_ref},       {customer_id},      {carrier_id},
    {service_level},        {origin_hub},        {destination_hub}, {created_at, true}, {promised_pickup_by},
    {promised_delivery_by}, {version},           {is_deleted},      {ingest_time}};
constexpr FactFieldUse driver_fields[] = {{driver_id, true}, {home_hub}, {version}, {is_deleted}, {ingest_time}};
constexpr FactFieldUse event_fields[] = {{name_space},       {event_id},  {shipment_id, true}, {status, true},
                                         {event_time, true}, {driver_id}, {facility},          {reason},
                                         {driving_s},        {version},   {retracted},         {ingest_time}};
constexpr FactFieldUse assignment_fields[] = {{name_space}, {assignment_id, true}, {shipment_id, true},
                                              {driver_id},  {action, true},        {effective_at, true},
                                              {version},    {is_deleted},          {ingest_time}};
constexpr FactFieldUse gps_fields[] = {{driver_id, true},    {device_id},  {event_time, true}, {latitude_e7, true},
                                       {longitude_e7, true}, {speed_mm_s}, {ingest_time}};

constexpr std::string_view fact_names[] = {"shipment", "driver", "shipment_event", "driver_assignment", "gps_location"};

}  // namespace

const FactFieldTraits& traits(FactField field) { return all_traits[static_cast<std::size_t>(field)]; }

std::span<const FactFieldUse> fields_of(FactType fact) {
  switch (fact) {
    case FactType::shipment:
      return shipment_fields;
    case FactType::driver:
      return driver_fields;
    case FactType::shipment_event:
      return event_fields;
    case FactType::driver_assignment:
      return assignment_fields;
    case FactType::gps_location:
      return gps_fields;
  }
  return {};
}

std::span<const FactField> key_fields(FactType fact, bool has_event_id) {
  static constexpr FactField shipment[] = {name_space, shipment_id};
  static constexpr FactField driver[] = {driver_id};
  static constexpr FactField event[] = {name_space, shipment_id, event_id};
  static constexpr FactField content[] = {name_space, shipment_id, status, event_time, facility};
  static constexpr FactField command[] = {name_space, shipment_id, assignment_id};
  static constexpr FactField ping[] = {driver_id, device_id, event_time};
  switch (fact) {
    case FactType::shipment:
      return shipment;
    case FactType::driver:
      return driver;
    case FactType::shipment_event:
      return has_event_id ? std::span<const FactField>(event) : std::span<const FactField>(content);
    case FactType::driver_assignment:
      return command;
    case FactType::gps_location:
      return ping;
  }
  return {};
}

std::string_view fact_name(FactType fact) { return fact_names[static_cast<std::size_t>(fact)]; }

std::optional<FactType> fact_from_name(std::string_view name) {
  for (std::size_t i = 0; i < std::size(fact_names); ++i)
    if (fact_names[i] == name) return static_cast<FactType>(i);
  return std::nullopt;
}

}  // namespace ff
