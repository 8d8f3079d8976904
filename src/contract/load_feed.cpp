// What holds for all records of a feed: namespaces, authority, lateness, SLA policies, the CSV dialect.
#include <algorithm>

#include "contract/contract_reader_internal.h"

namespace ff {
namespace {

const Words contract_custom = {
    "namespace",     "driverNamespace", "driverGeneration", "authority",   "lateAfterMin", "silentAfterMin",
    "recordsPerDay", "historical",      "reportingZone",    "slaPolicies", "csv",          "otherColumns"};
const Words per_day_keys = {"min", "max"};
const Words authority_keys = {"name", "rank", "epoch"};
const Words policy_keys = {"serviceLevel",   "pickupWithinH", "deliveryWithinH", "graceMin",
                           "earlyWindowMin", "riskWindowMin", "stalledAfterH"};
const Words csv_keys = {"delimiter", "quote", "header", "columns", "nullWords"};

Result<void> read_policy(ContractReader& r, const YAML::Node& node) {
  FF_TRY(r.check_keys(node, policy_keys, "an SLA policy"));
  SlaPolicy policy;
  policy.service_level = FF_TRY(r.need(node, "serviceLevel", "an SLA policy")).as<std::string>();
  const std::pair<const char*, std::int64_t*> numbers[] = {{"pickupWithinH", &policy.pickup_within_h},
                                                           {"deliveryWithinH", &policy.delivery_within_h},
                                                           {"graceMin", &policy.grace_min},
                                                           {"earlyWindowMin", &policy.early_window_min},
                                                           {"riskWindowMin", &policy.risk_window_min},
                                                           {"stalledAfterH", &policy.stalled_after_h}};
  for (const auto& [key, to] : numbers)
    if (node[key]) *to = FF_TRY(r.integer(node[key], key));
  r.contract.sla_policies.push_back(std::move(policy));
  return {};
}

Result<void> read_csv(ContractReader& r, const YAML::Node& node) {
  FF_TRY(r.check_keys(node, csv_keys, "csv"));
  CsvDialect& csv = r.contract.csv;
  const std::pair<const char*, char*> characters[] = {{"delimiter", &csv.delimiter}, {"quote", &csv.quote}};
  for (const auto& [key, to] : characters)
    if (node[key]) {
      const auto text = node[key].as<std::string>();
      if (text.size() != 1 || text == "\n" || text == "\r")
        return r.bad_value(node[key], std::string(key) + " must be one character (a tab is \"\\t\")");
      *to = text[0];
    }
  if (node["header"]) csv.has_header = FF_TRY(r.boolean(node["header"], "csv.header"));
  if (node["columns"]) {
    if (csv.has_header)
      return r.bad_value(node["columns"], "csv.columns names the columns of files without a header: say header: false");
    for (const YAML::Node& name : node["columns"]) csv.columns.push_back(name.as<std::string>());
  } else if (!csv.has_header) {
    return r.missing_key(node, "csv needs 'columns' where header is false");
  }
  if (node["nullWords"]) {
    csv.null_words.clear();
    for (const YAML::Node& word : node["nullWords"]) csv.null_words.push_back(word.as<std::string>());
  }
  return {};
}

}  // namespace

Result<void> read_feed(ContractReader& r, const YAML::Node& root) {
  const auto custom_of = FF_TRY(r.custom(root, contract_custom, "the contract"));
  const auto find = [&](const char* key) {
    const auto at = custom_of.find(key);
    return at == custom_of.end() ? YAML::Node(YAML::NodeType::Undefined) : at->second;
  };
  if (!find("namespace"))
    return r.missing_key(root["customProperties"], "the contract needs the custom property 'namespace'");
  r.contract.driver_namespace = r.contract.name_space = find("namespace").as<std::string>();
  if (const auto node = find("driverNamespace")) r.contract.driver_namespace = node.as<std::string>();
  if (const auto node = find("driverGeneration"))
    r.contract.driver_generation = static_cast<std::int32_t>(FF_TRY(r.integer(node, "driverGeneration")));
  if (const auto node = find("authority")) {
    FF_TRY(r.check_keys(node, authority_keys, "authority"));
    if (node["rank"])
      r.contract.authority_rank = static_cast<std::int32_t>(FF_TRY(r.integer(node["rank"], "authority.rank")));
    if (node["epoch"])
      r.contract.epoch = static_cast<std::int32_t>(FF_TRY(r.integer(node["epoch"], "authority.epoch")));
  }
  if (const auto node = find("historical")) r.contract.historical = FF_TRY(r.boolean(node, "historical"));
  if (r.contract.historical) r.contract.late_after_s = none;
  if (const auto node = find("lateAfterMin")) {
    if (r.contract.historical)
      return r.bad_value(node, "a historical feed has no lateness bound: leave out lateAfterMin");
    r.contract.late_after_s = 60 * FF_TRY(r.integer(node, "lateAfterMin"));
  }
  if (const auto node = find("silentAfterMin"))
    r.contract.silent_after_min = FF_TRY(r.integer(node, "silentAfterMin", 1));
  if (const auto node = find("recordsPerDay")) {
    FF_TRY(r.check_keys(node, per_day_keys, "recordsPerDay"));
    if (node["min"]) r.contract.records_per_day_min = FF_TRY(r.integer(node["min"], "recordsPerDay.min"));
    if (node["max"]) r.contract.records_per_day_max = FF_TRY(r.integer(node["max"], "recordsPerDay.max"));
    if (node["min"] && node["max"] && r.contract.records_per_day_max < r.contract.records_per_day_min)
      return r.bad_value(node, "recordsPerDay.max must not be less than min");
  }
  if (const auto node = find("reportingZone")) {
    r.contract.reporting_zone = node.as<std::string>();
    FF_TRY(r.zone(node));
  }
  if (const auto node = find("slaPolicies"))
    for (const YAML::Node& policy : node) FF_TRY(read_policy(r, policy));
  if (const auto node = find("csv")) FF_TRY(read_csv(r, node));
  if (const auto node = find("otherColumns"))
    for (const YAML::Node& name : node) r.column(name.as<std::string>(), ColumnRole::plain);
  return {};
}

Result<void> check_csv_columns(const ContractReader& r, const YAML::Node& root) {
  if (r.contract.format != Format::csv) return {};
  if (r.contract.csv.has_header && !r.contract.topic.empty())
    return r.bad_value(root["customProperties"],
                       "the records of a topic have no header: the custom property csv must say header: false and name "
                       "the columns");
  if (r.contract.csv.has_header) return {};
  const auto& named = r.contract.csv.columns;
  for (const Column& c : r.contract.columns)
    if (std::find(named.begin(), named.end(), c.name) == named.end())
      return r.bad_value(root["customProperties"], "column '" + c.name + "' is not in csv.columns" +
                                                       hint(c.name, Words(named.begin(), named.end())));
  return {};
}

}  // namespace ff
