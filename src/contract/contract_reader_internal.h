/// A contract on its way from YAML: what the parts of load_contract share. Each part reads its stretch of the file; none
/// knows the others, and the order is that of load_contract.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "contract/contract.h"
#include "contract/yaml_reader.h"

namespace ff {

class ContractReader : public YamlReader {
 public:
  explicit ContractReader(const std::string& file) : YamlReader(file, "contract") { contract.file = file; }

  /// customProperties as a map; absent ones are undefined nodes.
  Result<std::map<std::string, YAML::Node>> custom(const YAML::Node& owner, const Words& known,
                                                   const std::string& where) const;
  Result<std::shared_ptr<const Zone>> zone(const YAML::Node& node) const;
  /// The index of a source column, new or known. The stricter role wins.
  int column(const std::string& name, ColumnRole role);

  Contract contract;
  std::string hashed;  ///< the contract's bytes, and those of every file it names
};

/// Files, a topic, or both with records of one layout; or a table.
Result<void> read_servers(ContractReader& r, const YAML::Node& servers);
/// The contract's own custom properties.
Result<void> read_feed(ContractReader& r, const YAML::Node& root);
/// Facts and their fields; columns and expressions get their numbers.
Result<void> read_schema(ContractReader& r, const YAML::Node& schema);
/// Without a header every column that a field reads must be in csv.columns.
Result<void> check_csv_columns(const ContractReader& r, const YAML::Node& root);
/// Inline as a map, or the name of a CSV file (two columns, no header) beside the contract.
Result<std::shared_ptr<const Vocabulary>> read_vocabulary(ContractReader& r, const YAML::Node& node, FieldKind kind);

}  // namespace ff
