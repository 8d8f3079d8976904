/// YAML written by people, read strictly: an unknown key is refused, and every complaint names file, line and what was
/// meant. For contracts and the service's configuration.
///
/// Errors are all `halt`; their causes begin with the kind of file: contract_unreadable, contract_unknown_key,
/// contract_missing_key, contract_bad_value. Throws nothing but what yaml-cpp throws where a reader uses it directly.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ff {

using Words = std::vector<std::string_view>;

/// "; did you mean 'x'?", or the whole choice where nothing is near. `known` is not empty.
std::string hint(std::string_view word, const Words& known);

class YamlReader {
 public:
  YamlReader(std::string file, std::string kind) : file_(std::move(file)), kind_(std::move(kind)) {}

  const std::string& file() const { return file_; }
  /// The file's bytes. Error: KIND_unreadable.
  Result<std::string> bytes() const;

  Error unreadable(const YAML::Exception& e) const;
  Error unknown_key(const YAML::Node& at, const std::string& message) const {
    return error("unknown_key", at, message);
  }
  Error missing_key(const YAML::Node& at, const std::string& message) const {
    return error("missing_key", at, message);
  }
  Error bad_value(const YAML::Node& at, const std::string& message) const { return error("bad_value", at, message); }

  /// `map` is a mapping, knows no key beyond `known`, and says each only once.
  Result<void> check_keys(const YAML::Node& map, const Words& known, const std::string& where) const;
  Result<YAML::Node> need(const YAML::Node& map, std::string_view key, const std::string& where) const;
  Result<std::int64_t> integer(const YAML::Node& node, const std::string& what, std::int64_t min = 0,
                               std::int64_t max = INT32_MAX) const;
  Result<bool> boolean(const YAML::Node& node, const std::string& what) const;
  Result<std::string> text(const YAML::Node& node, const std::string& what) const;

 private:
  Error error(const char* cause, const YAML::Node& at, const std::string& message) const;
  std::string file_, kind_;
};

}  // namespace ff
