/// A mapping of a configuration file and the options it sets: one table of keys to read it, to print it and to document it.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "contract/yaml_reader.h"

namespace ff::cli {

enum class SettingKind : unsigned char {
  optional,
  required,
  secret,  ///< never printed
  path,    ///< relative to the file's folder
  required_path,
};

struct Setting {
  using Target = std::variant<std::string*, bool*, int*, std::int64_t*, std::size_t*, std::chrono::milliseconds*,
                              std::chrono::seconds*, std::vector<std::string>*, std::map<std::string, std::string>*,
                              std::map<std::string, std::int64_t>*>;
  std::string_view key;
  Target to;
  SettingKind kind = SettingKind::optional;
};
using Settings = std::vector<Setting>;

/// Sets what `map` says. `others` are keys that somebody else reads.
Result<void> read_settings(const YamlReader& reader, const YAML::Node& map, const std::string& where,
                           const Settings& settings, const Words& others = {});

/// One line `key: value` for each, indented; a mapping or a list takes more; empty ones are left out.
std::string print_settings(const Settings& settings, const std::string& indent);

}  // namespace ff::cli
