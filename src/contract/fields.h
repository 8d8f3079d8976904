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
/// Its place in Fact::unchanged.
constexpr std::uint32_t bit(FactField field) { return std::uint32_t{1} << static_cast<unsigned>(field); }

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

/// The fields that say what a fact is about: without them a deleted row cannot be told from any other, and a row in which
/// one of them changes is another thing. `has_event_id`: whether the contract maps event_id, since an event without one is
/// known by its content (S2.3). The namespace belongs to them where it is mapped.
std::span<const FactField> key_fields(FactType fact, bool has_event_id);

std::string_view fact_name(FactType fact);  ///< 'shipment_event', as in raw.*
std::optional<FactType> fact_from_name(std::string_view name);

}  // namespace ff
