// The facts that records of a feed yield, field by field.
#include <algorithm>

#include "contract/contract_reader_internal.h"

namespace ff {
namespace {

const Words object_keys = {"id",
                           "name",
                           "logicalType",
                           "physicalName",
                           "physicalType",
                           "description",
                           "businessName",
                           "tags",
                           "authoritativeDefinitions",
                           "dataGranularityDescription",
                           "properties",
                           "customProperties"};
const Words property_keys = {"id",
                             "name",
                             "logicalType",
                             "logicalTypeOptions",
                             "physicalName",
                             "physicalType",
                             "description",
                             "businessName",
                             "required",
                             "primaryKey",
                             "primaryKeyPosition",
                             "classification",
                             "criticalDataElement",
                             "transformLogic",
                             "transformSourceObjects",
                             "transformDescription",
                             "examples",
                             "tags",
                             "authoritativeDefinitions",
                             "customProperties"};
const Words type_option_keys = {"timezone", "defaultTimezone"};
const Words object_custom = {"fact", "when"};
const Words property_custom = {"unit", "vocabulary"};

constexpr int expression_base = 1'000'000;

/// Expressions are numbered from `expression_base` until all columns are known, then moved behind them.
int expression(Contract& contract, const YAML::Node& node) {
  contract.expressions.push_back({node.as<std::string>(), node.Mark().line + 1});
  return expression_base + static_cast<int>(contract.expressions.size()) - 1;
}

Result<Unit> read_unit(const ContractReader& r, FieldKind kind, const YAML::Node& node, const YAML::Node& property,
                       const std::string& where) {
  static const std::map<std::string, std::pair<Unit, FieldKind>> units = {
      {"deg", {Unit::deg, FieldKind::coordinate}}, {"e7", {Unit::e7, FieldKind::coordinate}},
      {"m/s", {Unit::m_s, FieldKind::speed}},      {"km/h", {Unit::km_h, FieldKind::speed}},
      {"s", {Unit::s, FieldKind::duration}},       {"min", {Unit::min, FieldKind::duration}}};
  static const std::map<std::string, Unit> time_units = {
      {"s", Unit::s}, {"ms", Unit::ms}, {"us", Unit::us}, {"ns", Unit::ns}, {"days", Unit::days}};
  const bool measured = kind == FieldKind::coordinate || kind == FieldKind::speed || kind == FieldKind::duration;
  std::string choice;
  for (const auto& [word, what] : units)
    if (what.second == kind) choice += " " + word;
  if (!node.IsDefined()) {
    if (!measured) return Unit::native;
    return r.missing_key(property, where + " needs the custom property 'unit'; one of:" + choice);
  }
  if (kind == FieldKind::time) {
    const auto found = time_units.find(node.as<std::string>());
    if (found != time_units.end()) return found->second;
    return r.bad_value(node, "unit '" + node.as<std::string>() + "' of " + where +
                                 " is no unit of a time written as a number; one of: days ms ns s us");
  }
  const auto found = units.find(node.as<std::string>());
  if (found == units.end() || found->second.second != kind)
    return r.bad_value(node, "unit '" + node.as<std::string>() + "' does not fit " + where +
                                 (measured ? "; one of:" + choice : ", which has none"));
  return found->second.first;
}

Result<void> read_property(ContractReader& r, const YAML::Node& property, Mapping& mapping) {
  FF_TRY(r.check_keys(property, property_keys, "a property"));
  const YAML::Node name_node = FF_TRY(r.need(property, "name", "a property"));
  const auto name = name_node.as<std::string>();
  const std::string where = "property '" + name + "'";
  const auto type = FF_TRY(r.need(property, "logicalType", where)).as<std::string>();
  const auto source = property["physicalName"] ? property["physicalName"].as<std::string>() : name;
  const bool is_pii = property["classification"] && property["classification"].as<std::string>() == "pii";
  const FactFieldUse* use = nullptr;
  Words names;
  for (const FactFieldUse& each : fields_of(mapping.fact)) {
    names.push_back(traits(each.field).name);
    if (traits(each.field).name == name) use = &each;
  }
  if (!use && !is_pii)
    return r.unknown_key(name_node,
                         "'" + name + "' is no field of " + std::string(fact_name(mapping.fact)) + hint(name, names));
  if (!use) return r.column(source, ColumnRole::pii), Result<void>{};
  if (is_pii && use->field != FactField::driver_id)
    return r.bad_value(property["classification"],
                       where + " is of class pii and would be dropped at the door; it cannot feed a fact");

  FieldMapping field;
  field.field = use->field;
  const FieldKind kind = traits(use->field).kind;
  if (std::any_of(mapping.fields.begin(), mapping.fields.end(),
                  [&](const FieldMapping& f) { return f.field == field.field; }))
    return r.bad_value(name_node, where + " stands twice");
  field.required = use->required;
  if (property["required"] && FF_TRY(r.boolean(property["required"], "required"))) field.required = true;
  field.number_as_text = type == "integer" || type == "number";
  if (const YAML::Node options = property["logicalTypeOptions"]) {
    FF_TRY(r.check_keys(options, type_option_keys, "logicalTypeOptions of " + where));
    if (options["defaultTimezone"]) field.zone = FF_TRY(r.zone(options["defaultTimezone"]));
  }
  const auto custom_of = FF_TRY(r.custom(property, property_custom, where));
  const auto unit_node = custom_of.find("unit");
  field.unit = FF_TRY(
      read_unit(r, kind, unit_node == custom_of.end() ? YAML::Node(YAML::NodeType::Undefined) : unit_node->second,
                property, where));
  if (const auto node = custom_of.find("vocabulary"); node != custom_of.end())
    field.vocabulary = FF_TRY(read_vocabulary(r, node->second, kind));
  if (const YAML::Node logic = property["transformLogic"]) {
    if (kind == FieldKind::driver)
      return r.bad_value(logic,
                         "driver_id must be read from a column (physicalName), not by an expression: expressions see "
                         "only its driver_key");
    field.value = expression(r.contract, logic);
  } else {
    field.value = r.column(source, kind == FieldKind::driver ? ColumnRole::driver : ColumnRole::plain);
  }
  mapping.fields.push_back(std::move(field));
  return {};
}

/// The table of a Postgres feed is the physicalName of its schema objects, or their name.
Result<void> read_table(ContractReader& r, const YAML::Node& object, const std::string& where) {
  if (r.contract.format != Format::postgres) return {};
  const YAML::Node node = object["physicalName"] ? object["physicalName"] : object["name"];
  const auto table = node.as<std::string>();
  if (!r.contract.table.empty() && r.contract.table != table)
    return r.bad_value(node, where + " reads the table '" + table + "' and another one reads '" + r.contract.table +
                                 "': one contract is one table");
  r.contract.table = table;
  return {};
}

Result<void> read_object(ContractReader& r, const YAML::Node& object) {
  FF_TRY(r.check_keys(object, object_keys, "a schema object"));
  Mapping mapping;
  mapping.name = FF_TRY(r.need(object, "name", "a schema object")).as<std::string>();
  const std::string where = "schema object '" + mapping.name + "'";
  const auto custom_of = FF_TRY(r.custom(object, object_custom, where));
  const auto named = custom_of.find("fact");
  const YAML::Node fact_node = named == custom_of.end() ? object["name"] : named->second;
  const auto fact = fact_from_name(fact_node.as<std::string>());
  if (!fact)
    return r.bad_value(fact_node,
                       "'" + fact_node.as<std::string>() + "' is no fact" +
                           hint(fact_node.as<std::string>(),
                                {"shipment", "driver", "shipment_event", "driver_assignment", "gps_location"}) +
                           " (a schema object that is named otherwise says so in its custom property 'fact')");
  mapping.fact = *fact;
  FF_TRY(read_table(r, object, where));
  if (const auto when = custom_of.find("when"); when != custom_of.end())
    mapping.when = expression(r.contract, when->second);
  const YAML::Node properties = FF_TRY(r.need(object, "properties", where));
  for (const YAML::Node& property : properties) FF_TRY(read_property(r, property, mapping));
  // Read first, so that a record refused for any other field still is refused at its own ingest_time (S2.9).
  std::stable_partition(mapping.fields.begin(), mapping.fields.end(),
                        [](const FieldMapping& field) { return field.field == FactField::ingest_time; });
  for (const FactFieldUse& use : fields_of(mapping.fact))
    if (use.required && std::none_of(mapping.fields.begin(), mapping.fields.end(),
                                     [&](const FieldMapping& f) { return f.field == use.field; }))
      return r.missing_key(object, where + " needs the property '" + std::string(traits(use.field).name) + "'");
  r.contract.mappings.push_back(std::move(mapping));
  return {};
}

}  // namespace

Result<void> read_schema(ContractReader& r, const YAML::Node& schema) {
  for (const YAML::Node& object : schema) FF_TRY(read_object(r, object));
  if (r.contract.mappings.empty()) return r.missing_key(schema, "schema names no fact");
  const auto settle = [&](int& value) {
    if (value >= expression_base) value += static_cast<int>(r.contract.columns.size()) - expression_base;
  };
  for (Mapping& mapping : r.contract.mappings) {
    settle(mapping.when);
    for (FieldMapping& field : mapping.fields) settle(field.value);
  }
  return {};
}

}  // namespace ff
