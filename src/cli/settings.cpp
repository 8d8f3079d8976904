#include "cli/settings.h"

#include <cstdlib>
#include <filesystem>
#include <limits>

namespace ff::cli {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

/// A value with its ${NAME} replaced.
Result<std::string> expanded(const YamlReader& reader, const YAML::Node& node, const std::string& what) {
  std::string text = FF_TRY(reader.text(node, what));
  for (std::size_t at = 0; (at = text.find("${", at)) != std::string::npos;) {
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) return reader.bad_value(node, what + " has a '${' without its '}'");
    const std::string name = text.substr(at + 2, end - at - 2);
    const char* const value = std::getenv(name.c_str());
    if (!value) return reader.bad_value(node, what + " needs the environment variable " + name + ", which is not set");
    text.replace(at, end + 1 - at, value);
    at += std::string_view(value).size();
  }
  return text;
}

struct Read {
  const YamlReader& reader;
  const YAML::Node& node;
  const std::string& what;
  SettingKind kind;

  Result<void> operator()(std::string* to) const {
    *to = FF_TRY(expanded(reader, node, what));
    if ((kind == SettingKind::path || kind == SettingKind::required_path) && !to->empty())
      *to = (fs::path(reader.file()).parent_path() / *to).lexically_normal().string();
    return {};
  }
  Result<void> operator()(bool* to) const { return *to = FF_TRY(reader.boolean(node, what)), Result<void>{}; }
  Result<void> operator()(int* to) const {
    return *to = static_cast<int>(FF_TRY(reader.integer(node, what, 1))), Result<void>{};
  }
  Result<void> operator()(std::int64_t* to) const {
    return *to = FF_TRY(reader.integer(node, what, 1, most)), Result<void>{};
  }
  Result<void> operator()(std::size_t* to) const {
    return *to = static_cast<std::size_t>(FF_TRY(reader.integer(node, what, 1, most))), Result<void>{};
  }
  Result<void> operator()(std::chrono::milliseconds* to) const {
    return *to = std::chrono::milliseconds(FF_TRY(reader.integer(node, what, 1))), Result<void>{};
  }
  Result<void> operator()(std::chrono::seconds* to) const {
    return *to = std::chrono::seconds(FF_TRY(reader.integer(node, what, 1))), Result<void>{};
  }
  Result<void> operator()(std::vector<std::string>* to) const {
    if (!node.IsSequence()) return reader.bad_value(node, what + " must be a list");
    for (const YAML::Node& each : node) to->push_back(FF_TRY(expanded(reader, each, what)));
    return {};
  }
  Result<void> operator()(std::map<std::string, std::string>* to) const {
    return each_entry([&](const std::string& key, const YAML::Node& value) -> Result<void> {
      (*to)[key] = FF_TRY(expanded(reader, value, what + "." + key));
      return {};
    });
  }
  Result<void> operator()(std::map<std::string, std::int64_t>* to) const {
    return each_entry([&](const std::string& key, const YAML::Node& value) -> Result<void> {
      (*to)[key] = FF_TRY(reader.integer(value, what + "." + key, 0, most));
      return {};
    });
  }

 private:
  template <class Set>
  Result<void> each_entry(Set set) const {
    if (!node.IsMap()) return reader.bad_value(node, what + " must be a mapping (key: value)");
    for (const auto& entry : node) {
      const std::string key = FF_TRY(reader.text(entry.first, what));
      FF_TRY(set(key, entry.second));
    }
    return {};
  }
};

std::string scalar(const std::string& text) {
  YAML::Emitter out;
  out << text;
  return out.c_str();
}

/// What follows the key and its colon; empty: nothing is set.
struct Print {
  const std::string& indent;

  std::string operator()(const std::string* v) const { return v->empty() ? "" : " " + scalar(*v); }
  std::string operator()(const bool* v) const { return *v ? " true" : " false"; }
  template <class Integer>
  requires std::is_integral_v<Integer> std::string operator()(const Integer* v) const {
    return " " + std::to_string(*v);
  }
  template <class Rep, class Period>
  std::string operator()(const std::chrono::duration<Rep, Period>* v) const {
    return " " + std::to_string(v->count());
  }
  std::string operator()(const std::vector<std::string>* v) const {
    std::string out;
    for (const std::string& each : *v) out += "\n" + indent + "  - " + scalar(each);
    return out;
  }
  template <class Value>
  std::string operator()(const std::map<std::string, Value>* v) const {
    std::string out;
    for (const auto& [key, value] : *v) out += "\n" + indent + "  " + scalar(key) + ":" + (*this)(&value);
    return out;
  }
};

}  // namespace

Result<void> read_settings(const YamlReader& reader, const YAML::Node& map, const std::string& where,
                           const Settings& settings, const Words& others) {
  Words known = others;
  for (const Setting& setting : settings) known.push_back(setting.key);
  FF_TRY(reader.check_keys(map, known, where));
  for (const Setting& setting : settings) {
    const YAML::Node node = map[std::string(setting.key)];
    if (node) {
      FF_TRY(std::visit(Read{reader, node, std::string(setting.key), setting.kind}, setting.to));
    } else if (setting.kind == SettingKind::required || setting.kind == SettingKind::required_path) {
      return FF_TRY(reader.need(map, setting.key, where)), Result<void>{};
    }
  }
  return {};
}

std::string print_settings(const Settings& settings, const std::string& indent) {
  std::string out;
  for (const Setting& setting : settings) {
    std::string value = std::visit(Print{indent}, setting.to);
    if (value.empty()) continue;
    if (setting.kind == SettingKind::secret) value = " (hidden)";
    out += indent + std::string(setting.key) + ":" + value + "\n";
  }
  return out;
}

}  // namespace ff::cli
