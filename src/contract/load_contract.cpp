// From ODCS YAML to a Contract. Everything that can be wrong in the file is found here, and said with file and line.
#include <algorithm>

#include "base/hash.h"
#include "contract/contract_reader_internal.h"

namespace ff {
namespace {

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
const Words custom_keys = {"property", "value", "description", "id", "vendor"};

Result<void> read(ContractReader& r, const YAML::Node& root) {
  FF_TRY(r.check_keys(root, contract_keys, "the contract"));
  for (const char* key : {"apiVersion", "kind", "id", "version", "servers", "schema", "customProperties"})
    FF_TRY(r.need(root, key, "the contract"));
  if (root["apiVersion"].as<std::string>().rfind("v3.", 0) != 0)
    return r.bad_value(root["apiVersion"], "apiVersion must be v3.x, e.g. v3.1.0");
  if (root["kind"].as<std::string>() != "DataContract") return r.bad_value(root["kind"], "kind must be DataContract");
  r.contract.id = root["id"].as<std::string>();
  r.contract.version = root["version"].as<std::string>();
  FF_TRY(read_servers(r, root["servers"]));
  FF_TRY(read_feed(r, root));
  FF_TRY(read_schema(r, root["schema"]));
  return check_csv_columns(r, root);
}

}  // namespace

Result<std::map<std::string, YAML::Node>> ContractReader::custom(const YAML::Node& owner, const Words& known,
                                                                 const std::string& where) const {
  std::map<std::string, YAML::Node> out;
  for (const YAML::Node& item : owner["customProperties"]) {
    FF_TRY(check_keys(item, custom_keys, "a custom property of " + where));
    const YAML::Node name = FF_TRY(need(item, "property", "a custom property of " + where));
    const auto key = name.as<std::string>();
    if (std::find(known.begin(), known.end(), key) == known.end())
      return unknown_key(name, "unknown custom property '" + key + "' in " + where + hint(key, known));
    if (!out.emplace(key, FF_TRY(need(item, "value", "custom property '" + key + "'"))).second)
      return bad_value(name, "custom property '" + key + "' stands twice in " + where);
  }
  return out;
}

Result<std::shared_ptr<const Zone>> ContractReader::zone(const YAML::Node& node) const {
  auto loaded = Zone::load(node.as<std::string>());
  if (!loaded.ok())
    return Error{Recourse::halt, loaded.error().cause,
                 file() + ":" + std::to_string(node.Mark().line + 1) + ": " + loaded.error().message};
  return loaded;
}

int ContractReader::column(const std::string& name, ColumnRole role) {
  auto& all = contract.columns;
  const auto at = std::find_if(all.begin(), all.end(), [&](const Column& c) { return c.name == name; });
  if (at == all.end()) return all.push_back({name, role}), static_cast<int>(all.size()) - 1;
  at->role = std::max(at->role, role);
  return static_cast<int>(at - all.begin());
}

Result<Contract> load_contract(const std::string& file) {
  ContractReader r(file);
  r.hashed = FF_TRY(r.bytes());
  try {
    FF_TRY(read(r, YAML::Load(r.hashed)));
  } catch (const YAML::Exception& e) {  // syntax, and a scalar where a list is meant
    return r.unreadable(e);
  }
  r.contract.content_hash = hex(hash128(r.hashed));
  return std::move(r.contract);
}

}  // namespace ff
