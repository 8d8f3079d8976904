/// The fields a contract can map, by fact: the whole vocabulary of `name` under `properties`, in one table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "domain/fact.h"

namespace ff {

enum class FactField : std::uint8_t {
  name_space,
  shipment_id,
  order_ref,
  customer_id,
  carrier_id,
  service_level,
  origin_hub,
  destination_hub,
  created_at,
  promised_pickup_by,
  promised_delivery_by,
  home_hub,
  event_id,
  status,
  event_time,
  facility,
  reason,
  driving_s,
  assignment_id,
  action,
  effective_at,
  driver_id,
  device_id,
  latitude_e7,
  longitude_e7,
  speed_mm_s,
  version,
  is_deleted,
  retracted,
  ingest_time,
};
inline constexpr int fact_field_count = 30;

/// How the value of a field is read.
enum class FieldKind : std::uint8_t {
  text,
  driver,
  time,
  integer,
  boolean,
  status,
  action,
  coordinate,
  speed,
  duration
};

struct FactFieldTraits {
  std::string_view name;  ///< as written in a contract
  FieldKind kind = FieldKind::text;
};
const FactFieldTraits& traits(FactField field);

/// A field as a fact has it; `required`: without it there is no such fact.
struct FactFieldUse {
  FactField field;
  bool required = false;
};
std::span<const FactFieldUse> fields_of(FactType fact);

std::string_view fact_name(FactType fact);  ///< 'shipment_event', as in raw.*
std::optional<FactType> fact_from_name(std::string_view name);

}  // namespace ff
