// From ODCS YAML to a Contract. Everything that can be wrong in the file is found here, and said with file and line.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <sstream>

#include "base/hash.h"
#include "contract/contract.h"
#include "contract/read_value.h"
#include "domain/status.h"

namespace ff {
namespace {

using Words = std::vector<std::string_view>;

// Keys of the standard that only describe, and those that we honour. Constraints of the standard that FleetFlow does not
// check (quality, enum, unique, minimum …) are refused rather than ignored: a rule nobody checks is worse than none.
const Words contract_keys = {"apiVersion",
                             "kind",
                             "id",
                             "name",
                             "version",
                             "status",
                             "tenant",
                             "tags",
                             "dataProduct",
                             "description",
                             "domain",
                             "servers",
                             "schema",
                             "support",
                             "team",
                             "roles",
                             "authoritativeDefinitions",
                             "customProperties",
                             "contractCreatedTs"};
const Words server_keys = {"id", "server", "type", "description", "environment", "roles", "path", "format", "encoding"};
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
const Words custom_keys = {"property", "value", "description", "id", "vendor"};
const Words contract_custom = {"namespace",    "driverNamespace", "driverGeneration", "authority",
                               "lateAfterMin", "historical",      "reportingZone",    "slaPolicies",
                               "csv",          "otherColumns",    "silentAfterMin",   "recordsPerDay"};
const Words object_custom = {"fact", "when"};
const Words property_custom = {"unit", "vocabulary"};
const Words authority_keys = {"name", "rank", "epoch"};
const Words per_day_keys = {"min", "max"};
const Words policy_keys = {"serviceLevel",   "pickupWithinH", "deliveryWithinH", "graceMin",
                           "earlyWindowMin", "riskWindowMin", "stalledAfterH"};
const Words csv_keys = {"delimiter", "quote", "header", "columns", "nullWords"};

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t up = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = up;
    }
  }
  return row[b.size()];
}

/// "; did you mean 'x'?", or the whole choice where nothing is near.
std::string hint(std::string_view word, const Words& known) {
  const auto nearest = std::min_element(
      known.begin(), known.end(), [&](auto a, auto b) { return edit_distance(word, a) < edit_distance(word, b); });
  if (edit_distance(word, *nearest) <= std::max<std::size_t>(2, nearest->size() / 3))
    return "; did you mean '" + std::string(*nearest) + "'?";
  std::string all = "; one of:";
  for (const std::string_view k : known) all.append(" ").append(k);
  return all;
}

class Loader {
 public:
  explicit Loader(const std::string& file) { contract_.file = file; }

  Result<Contract> load() {
    std::ifstream in(contract_.file, std::ios::binary);
    if (!in) return Error{Recourse::halt, "contract_unreadable", contract_.file + ": cannot be opened"};
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    hashed_ = text;
    try {
      FF_TRY(read(YAML::Load(text)));
    } catch (const YAML::Exception& e) {  // syntax, and a scalar where a list is meant
      return Error{Recourse::halt, "contract_unreadable",
                   contract_.file + ":" + std::to_string(e.mark.line + 1) + ": " + e.msg};
    }
    contract_.content_hash = hex(hash128(hashed_));
    return std::move(contract_);
  }

 private:
  Error error(const char* cause, const YAML::Node& at, const std::string& message) const {
    return {Recourse::halt, cause, contract_.file + ":" + std::to_string(at.Mark().line + 1) + ": " + message};
  }
  Error bad_value(const YAML::Node& at, const std::string& message) const {
    return error("contract_bad_value", at, message);
  }

  Result<void> check_keys(const YAML::Node& map, const Words& known, const std::string& where) const {
    if (!map.IsMap()) return bad_value(map, where + " must be a mapping (key: value)");
    for (const auto& entry : map) {
      const auto key = entry.first.as<std::string>();
      if (std::find(known.begin(), known.end(), key) == known.end())
        return error("contract_unknown_key", entry.first, "unknown key '" + key + "' in " + where + hint(key, known));
    }
    return {};
  }

  Result<YAML::Node> need(const YAML::Node& map, const char* key, const std::string& where) const {
    if (const YAML::Node node = map[key]) return node;
    return error("contract_missing_key", map, where + " needs '" + key + "'");
  }

  /// customProperties as a map; absent ones are undefined nodes.
  Result<std::map<std::string, YAML::Node>> custom(const YAML::Node& owner, const Words& known,
                                                   const std::string& where) const {
    std::map<std::string, YAML::Node> out;
    for (const YAML::Node& item : owner["customProperties"]) {
      FF_TRY(check_keys(item, custom_keys, "a custom property of " + where));
      const YAML::Node name = FF_TRY(need(item, "property", "a custom property of " + where));
      const auto key = name.as<std::string>();
      if (std::find(known.begin(), known.end(), key) == known.end())
        return error("contract_unknown_key", name,
                     "unknown custom property '" + key + "' in " + where + hint(key, known));
      if (!out.emplace(key, FF_TRY(need(item, "value", "custom property '" + key + "'"))).second)
        return bad_value(name, "custom property '" + key + "' stands twice in " + where);
    }
    return out;
  }

  Result<std::int64_t> integer(const YAML::Node& node, const std::string& what, std::int64_t min = 0) const {
    const auto value = node.IsScalar() ? read_integer(node.Scalar()) : std::nullopt;
    if (!value || *value < min || *value > INT32_MAX)
      return bad_value(node, what + " must be a whole number, at least " + std::to_string(min));
    return *value;
  }

  Result<bool> boolean(const YAML::Node& node, const std::string& what) const {
    if (node.IsScalar() && (node.Scalar() == "true" || node.Scalar() == "false")) return node.Scalar() == "true";
    return bad_value(node, what + " must be true or false");
  }

  Result<void> read(const YAML::Node& root) {
    FF_TRY(check_keys(root, contract_keys, "the contract"));
    for (const char* key : {"apiVersion", "kind", "id", "version", "servers", "schema", "customProperties"})
      FF_TRY(need(root, key, "the contract"));
    if (root["apiVersion"].as<std::string>().rfind("v3.", 0) != 0)
      return bad_value(root["apiVersion"], "apiVersion must be v3.x, e.g. v3.1.0");
    if (root["kind"].as<std::string>() != "DataContract") return bad_value(root["kind"], "kind must be DataContract");
    contract_.id = root["id"].as<std::string>();
    contract_.version = root["version"].as<std::string>();
    FF_TRY(read_server(root["servers"]));
    FF_TRY(read_feed(root));
    for (const YAML::Node& object : root["schema"]) FF_TRY(read_object(object));
    if (contract_.mappings.empty()) return error("contract_missing_key", root["schema"], "schema names no fact");
    FF_TRY(check_csv_columns(root));
    const auto settle = [&](int& value) {
      if (value >= expression_base) value += static_cast<int>(contract_.columns.size()) - expression_base;
    };
    for (Mapping& mapping : contract_.mappings) {
      settle(mapping.when);
      for (FieldMapping& field : mapping.fields) settle(field.value);
    }
    return {};
  }

  Result<void> read_server(const YAML::Node& servers) {
    if (!servers.IsSequence() || servers.size() != 1)
      return bad_value(servers, "servers must list exactly one server: one contract is one file layout");
    const YAML::Node server = servers[0];
    FF_TRY(check_keys(server, server_keys, "the server"));
    contract_.path_glob = FF_TRY(need(server, "path", "the server")).as<std::string>();
    const YAML::Node format = FF_TRY(need(server, "format", "the server"));
    if (format.as<std::string>() == "csv")
      contract_.format = Format::csv;
    else if (format.as<std::string>() != "ndjson")
      return bad_value(format, "format '" + format.as<std::string>() + "' is not known; one of: ndjson csv");
    if (const YAML::Node encoding = server["encoding"]) {
      std::string name = encoding.as<std::string>();
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (name == "iso-8859-1" || name == "latin1")
        contract_.encoding = Encoding::latin1;
      else if (name != "utf-8")
        return bad_value(encoding, "encoding '" + name + "' is not known; one of: utf-8 iso-8859-1");
    }
    return {};
  }

  Result<void> read_feed(const YAML::Node& root) {
    const auto custom_of = FF_TRY(custom(root, contract_custom, "the contract"));
    const auto find = [&](const char* key) {
      const auto at = custom_of.find(key);
      return at == custom_of.end() ? YAML::Node(YAML::NodeType::Undefined) : at->second;
    };
    if (!find("namespace"))
      return error("contract_missing_key", root["customProperties"],
                   "the contract needs the custom property 'namespace'");
    contract_.driver_namespace = contract_.name_space = find("namespace").as<std::string>();
    if (const auto node = find("driverNamespace")) contract_.driver_namespace = node.as<std::string>();
    if (const auto node = find("driverGeneration"))
      contract_.driver_generation = static_cast<std::int32_t>(FF_TRY(integer(node, "driverGeneration")));
    if (const auto node = find("authority")) {
      FF_TRY(check_keys(node, authority_keys, "authority"));
      if (node["rank"])
        contract_.authority_rank = static_cast<std::int32_t>(FF_TRY(integer(node["rank"], "authority.rank")));
      if (node["epoch"]) contract_.epoch = static_cast<std::int32_t>(FF_TRY(integer(node["epoch"], "authority.epoch")));
    }
    if (const auto node = find("historical")) contract_.historical = FF_TRY(boolean(node, "historical"));
    if (contract_.historical) contract_.late_after_s = none;
    if (const auto node = find("lateAfterMin")) {
      if (contract_.historical)
        return bad_value(node, "a historical feed has no lateness bound: leave out lateAfterMin");
      contract_.late_after_s = 60 * FF_TRY(integer(node, "lateAfterMin"));
    }
    if (const auto node = find("silentAfterMin"))
      contract_.silent_after_min = FF_TRY(integer(node, "silentAfterMin", 1));
    if (const auto node = find("recordsPerDay")) {
      FF_TRY(check_keys(node, per_day_keys, "recordsPerDay"));
      if (node["min"]) contract_.records_per_day_min = FF_TRY(integer(node["min"], "recordsPerDay.min"));
      if (node["max"]) contract_.records_per_day_max = FF_TRY(integer(node["max"], "recordsPerDay.max"));
      if (node["min"] && node["max"] && contract_.records_per_day_max < contract_.records_per_day_min)
        return bad_value(node, "recordsPerDay.max must not be less than min");
    }
    if (const auto node = find("reportingZone")) {
      contract_.reporting_zone = node.as<std::string>();
      FF_TRY(zone(node));
    }
    if (const auto node = find("slaPolicies"))
      for (const YAML::Node& policy : node) FF_TRY(read_policy(policy));
    if (const auto node = find("csv")) FF_TRY(read_csv(node));
    if (const auto node = find("otherColumns"))
      for (const YAML::Node& name : node) column(name.as<std::string>(), ColumnRole::plain);
    return {};
  }

  Result<void> read_policy(const YAML::Node& node) {
    FF_TRY(check_keys(node, policy_keys, "an SLA policy"));
    SlaPolicy policy;
    policy.service_level = FF_TRY(need(node, "serviceLevel", "an SLA policy")).as<std::string>();
    const std::pair<const char*, std::int64_t*> numbers[] = {{"pickupWithinH", &policy.pickup_within_h},
                                                             {"deliveryWithinH", &policy.delivery_within_h},
                                                             {"graceMin", &policy.grace_min},
                                                             {"earlyWindowMin", &policy.early_window_min},
                                                             {"riskWindowMin", &policy.risk_window_min},
                                                             {"stalledAfterH", &policy.stalled_after_h}};
    for (const auto& [key, to] : numbers)
      if (node[key]) *to = FF_TRY(integer(node[key], key));
    contract_.sla_policies.push_back(std::move(policy));
    return {};
  }

  Result<void> read_csv(const YAML::Node& node) {
    FF_TRY(check_keys(node, csv_keys, "csv"));
    CsvDialect& csv = contract_.csv;
    const std::pair<const char*, char*> characters[] = {{"delimiter", &csv.delimiter}, {"quote", &csv.quote}};
    for (const auto& [key, to] : characters)
      if (node[key]) {
        const auto text = node[key].as<std::string>();
        if (text.size() != 1 || text == "\n" || text == "\r")
          return bad_value(node[key], std::string(key) + " must be one character (a tab is \"\\t\")");
        *to = text[0];
      }
    if (node["header"]) csv.has_header = FF_TRY(boolean(node["header"], "csv.header"));
    if (node["columns"]) {
      if (csv.has_header)
        return bad_value(node["columns"], "csv.columns names the columns of files without a header: say header: false");
      for (const YAML::Node& name : node["columns"]) csv.columns.push_back(name.as<std::string>());
    } else if (!csv.has_header) {
      return error("contract_missing_key", node, "csv needs 'columns' where header is false");
    }
    if (node["nullWords"]) {
      csv.null_words.clear();
      for (const YAML::Node& word : node["nullWords"]) csv.null_words.push_back(word.as<std::string>());
    }
    return {};
  }

  /// Without a header every column that a field reads must be in csv.columns.
  Result<void> check_csv_columns(const YAML::Node& root) const {
    if (contract_.format != Format::csv || contract_.csv.has_header) return {};
    const auto& named = contract_.csv.columns;
    for (const Column& c : contract_.columns)
      if (std::find(named.begin(), named.end(), c.name) == named.end())
        return bad_value(root["customProperties"], "column '" + c.name + "' is not in csv.columns" +
                                                       hint(c.name, Words(named.begin(), named.end())));
    return {};
  }

  Result<void> read_object(const YAML::Node& object) {
    FF_TRY(check_keys(object, object_keys, "a schema object"));
    Mapping mapping;
    mapping.name = FF_TRY(need(object, "name", "a schema object")).as<std::string>();
    const std::string where = "schema object '" + mapping.name + "'";
    const auto custom_of = FF_TRY(custom(object, object_custom, where));
    const auto named = custom_of.find("fact");
    const YAML::Node fact_node = named == custom_of.end() ? object["name"] : named->second;
    const auto fact = fact_from_name(fact_node.as<std::string>());
    if (!fact)
      return bad_value(fact_node,
                       "'" + fact_node.as<std::string>() + "' is no fact" +
                           hint(fact_node.as<std::string>(),
                                {"shipment", "driver", "shipment_event", "driver_assignment", "gps_location"}) +
                           " (a schema object that is named otherwise says so in its custom property 'fact')");
    mapping.fact = *fact;
    if (const auto when = custom_of.find("when"); when != custom_of.end()) mapping.when = expression(when->second);
    const YAML::Node properties = FF_TRY(need(object, "properties", where));
    for (const YAML::Node& property : properties) FF_TRY(read_property(property, mapping));
    // Read first, so that a record refused for any other field still is refused at its own ingest_time (S2.9).
    std::stable_partition(mapping.fields.begin(), mapping.fields.end(),
                          [](const FieldMapping& field) { return field.field == FactField::ingest_time; });
    for (const FactFieldUse& use : fields_of(mapping.fact))
      if (use.required && std::none_of(mapping.fields.begin(), mapping.fields.end(),
                                       [&](const FieldMapping& f) { return f.field == use.field; }))
        return error("contract_missing_key", object,
                     where + " needs the property '" + std::string(traits(use.field).name) + "'");
    contract_.mappings.push_back(std::move(mapping));
    return {};
  }

  Result<void> read_property(const YAML::Node& property, Mapping& mapping) {
    FF_TRY(check_keys(property, property_keys, "a property"));
    const YAML::Node name_node = FF_TRY(need(property, "name", "a property"));
    const auto name = name_node.as<std::string>();
    const std::string where = "property '" + name + "'";
    const auto type = FF_TRY(need(property, "logicalType", where)).as<std::string>();
    const auto source = property["physicalName"] ? property["physicalName"].as<std::string>() : name;
    const bool is_pii = property["classification"] && property["classification"].as<std::string>() == "pii";
    const FactFieldUse* use = nullptr;
    Words names;
    for (const FactFieldUse& each : fields_of(mapping.fact)) {
      names.push_back(traits(each.field).name);
      if (traits(each.field).name == name) use = &each;
    }
    if (!use && !is_pii)
      return error("contract_unknown_key", name_node,
                   "'" + name + "' is no field of " + std::string(fact_name(mapping.fact)) + hint(name, names));
    if (!use) return column(source, ColumnRole::pii), Result<void>{};
    if (is_pii && use->field != FactField::driver_id)
      return bad_value(property["classification"],
                       where + " is of class pii and would be dropped at the door; it cannot feed a fact");

    FieldMapping field;
    field.field = use->field;
    const FieldKind kind = traits(use->field).kind;
    if (std::any_of(mapping.fields.begin(), mapping.fields.end(),
                    [&](const FieldMapping& f) { return f.field == field.field; }))
      return bad_value(name_node, where + " stands twice");
    field.required = use->required;
    if (property["required"] && FF_TRY(boolean(property["required"], "required"))) field.required = true;
    field.number_as_text = type == "integer" || type == "number";
    if (const YAML::Node options = property["logicalTypeOptions"]) {
      FF_TRY(check_keys(options, type_option_keys, "logicalTypeOptions of " + where));
      if (options["defaultTimezone"]) field.zone = FF_TRY(zone(options["defaultTimezone"]));
    }
    const auto custom_of = FF_TRY(custom(property, property_custom, where));
    const auto unit_node = custom_of.find("unit");
    field.unit =
        FF_TRY(unit(kind, unit_node == custom_of.end() ? YAML::Node(YAML::NodeType::Undefined) : unit_node->second,
                    property, where));
    if (const auto node = custom_of.find("vocabulary"); node != custom_of.end())
      field.vocabulary = FF_TRY(vocabulary(node->second, kind));
    if (const YAML::Node logic = property["transformLogic"]) {
      if (kind == FieldKind::driver)
        return bad_value(logic,
                         "driver_id must be read from a column (physicalName), not by an expression: expressions see "
                         "only its driver_key");
      field.value = expression(logic);
    } else {
      field.value = column(source, kind == FieldKind::driver ? ColumnRole::driver : ColumnRole::plain);
    }
    mapping.fields.push_back(std::move(field));
    return {};
  }

  Result<Unit> unit(FieldKind kind, const YAML::Node& node, const YAML::Node& property,
                    const std::string& where) const {
    static const std::map<std::string, std::pair<Unit, FieldKind>> units = {
        {"deg", {Unit::deg, FieldKind::coordinate}}, {"e7", {Unit::e7, FieldKind::coordinate}},
        {"m/s", {Unit::m_s, FieldKind::speed}},      {"km/h", {Unit::km_h, FieldKind::speed}},
        {"s", {Unit::s, FieldKind::duration}},       {"min", {Unit::min, FieldKind::duration}}};
    const bool measured = kind == FieldKind::coordinate || kind == FieldKind::speed || kind == FieldKind::duration;
    std::string choice;
    for (const auto& [word, what] : units)
      if (what.second == kind) choice += " " + word;
    if (!node.IsDefined()) {
      if (!measured) return Unit::native;
      return error("contract_missing_key", property, where + " needs the custom property 'unit'; one of:" + choice);
    }
    const auto found = units.find(node.as<std::string>());
    if (found == units.end() || found->second.second != kind)
      return bad_value(node, "unit '" + node.as<std::string>() + "' does not fit " + where +
                                 (measured ? "; one of:" + choice : ", which has none"));
    return found->second.first;
  }

  Result<std::shared_ptr<const Zone>> zone(const YAML::Node& node) {
    auto loaded = Zone::load(node.as<std::string>());
    if (!loaded.ok())
      return Error{Recourse::halt, loaded.error().cause,
                   contract_.file + ":" + std::to_string(node.Mark().line + 1) + ": " + loaded.error().message};
    return loaded;
  }

  /// Inline as a map, or the name of a CSV file (two columns, no header) beside the contract.
  Result<std::shared_ptr<const Vocabulary>> vocabulary(const YAML::Node& node, FieldKind kind) {
    auto words = std::make_shared<Vocabulary>();
    if (node.IsMap()) {
      for (const auto& entry : node)
        FF_TRY(add_word(*words, kind, entry.second, entry.first.as<std::string>(), entry.second.as<std::string>()));
      return std::shared_ptr<const Vocabulary>(words);
    }
    const std::string path = std::filesystem::path(contract_.file).parent_path() / node.as<std::string>();
    std::ifstream in(path, std::ios::binary);
    if (!in) return bad_value(node, "cannot read the vocabulary " + path);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    hashed_ += text;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      const std::size_t comma = line.rfind(',');
      if (line.empty()) continue;
      if (comma == std::string::npos) return bad_value(node, path + ": '" + line + "' is not 'source word,our word'");
      FF_TRY(add_word(*words, kind, node, line.substr(0, comma), line.substr(comma + 1)));
    }
    return std::shared_ptr<const Vocabulary>(words);
  }

  Result<void> add_word(Vocabulary& words, FieldKind kind, const YAML::Node& at, const std::string& theirs,
                        const std::string& ours) const {
    Words known = {"assign", "reassign", "unassign"};
    if (kind == FieldKind::status) {
      known.clear();
      for (int i = 0; i < status_count; ++i) known.push_back(status_name(static_cast<StatusId>(i)));
    }
    if ((kind == FieldKind::status || kind == FieldKind::action) &&
        std::find(known.begin(), known.end(), ours) == known.end())
      return bad_value(at, "the vocabulary leads '" + theirs + "' to '" + ours + "', which is no " +
                               (kind == FieldKind::status ? "status" : "action") + hint(ours, known));
    if (!words.emplace(theirs, ours).second) return bad_value(at, "the vocabulary has '" + theirs + "' twice");
    return {};
  }

  /// The index of a source column, new or known. The stricter role wins.
  int column(const std::string& name, ColumnRole role) {
    auto& all = contract_.columns;
    const auto at = std::find_if(all.begin(), all.end(), [&](const Column& c) { return c.name == name; });
    if (at == all.end()) return all.push_back({name, role}), static_cast<int>(all.size()) - 1;
    at->role = std::max(at->role, role);
    return static_cast<int>(at - all.begin());
  }

  /// Expressions are numbered from `expression_base` until all columns are known, then moved behind them.
  int expression(const YAML::Node& node) {
    contract_.expressions.push_back({node.as<std::string>(), node.Mark().line + 1});
    return expression_base + static_cast<int>(contract_.expressions.size()) - 1;
  }

  static constexpr int expression_base = 1'000'000;
  Contract contract_;
  std::string hashed_;
};

}  // namespace

Result<Contract> load_contract(const std::string& file) { return Loader(file).load(); }

}  // namespace ff
