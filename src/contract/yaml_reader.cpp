#include "contract/yaml_reader.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "contract/read_value.h"

namespace ff {
namespace {

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

}  // namespace

std::string hint(std::string_view word, const Words& known) {
  const auto nearest = std::min_element(
      known.begin(), known.end(), [&](auto a, auto b) { return edit_distance(word, a) < edit_distance(word, b); });
  if (edit_distance(word, *nearest) <= std::max<std::size_t>(2, nearest->size() / 3))
    return "; did you mean '" + std::string(*nearest) + "'?";
  std::string all = "; one of:";
  for (const std::string_view k : known) all.append(" ").append(k);
  return all;
}

Result<std::string> YamlReader::bytes() const {
  std::ifstream in(file_, std::ios::binary);
  if (!in) return Error{Recourse::halt, kind_ + "_unreadable", file_ + ": cannot be opened"};
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

Error YamlReader::unreadable(const YAML::Exception& e) const {
  return {Recourse::halt, kind_ + "_unreadable", file_ + ":" + std::to_string(e.mark.line + 1) + ": " + e.msg};
}

Error YamlReader::error(const char* cause, const YAML::Node& at, const std::string& message) const {
  return {Recourse::halt, kind_ + "_" + cause, file_ + ":" + std::to_string(at.Mark().line + 1) + ": " + message};
}

Result<void> YamlReader::check_keys(const YAML::Node& map, const Words& known, const std::string& where) const {
  if (!map.IsMap()) return bad_value(map, where + " must be a mapping (key: value)");
  std::set<std::string> seen;
  for (const auto& entry : map) {
    const auto key = entry.first.as<std::string>();
    if (std::find(known.begin(), known.end(), key) == known.end())
      return unknown_key(entry.first, "unknown key '" + key + "' in " + where + hint(key, known));
    if (!seen.insert(key).second) return bad_value(entry.first, "'" + key + "' stands twice in " + where);
  }
  return {};
}

Result<YAML::Node> YamlReader::need(const YAML::Node& map, std::string_view key, const std::string& where) const {
  if (const YAML::Node node = map[std::string(key)]) return node;
  return missing_key(map, where + " needs '" + std::string(key) + "'");
}

Result<std::int64_t> YamlReader::integer(const YAML::Node& node, const std::string& what, std::int64_t min,
                                         std::int64_t max) const {
  const auto value = node.IsScalar() ? read_integer(node.Scalar()) : std::nullopt;
  if (!value || *value < min || *value > max)
    return bad_value(node, what + " must be a whole number, at least " + std::to_string(min));
  return *value;
}

Result<bool> YamlReader::boolean(const YAML::Node& node, const std::string& what) const {
  if (node.IsScalar() && (node.Scalar() == "true" || node.Scalar() == "false")) return node.Scalar() == "true";
  return bad_value(node, what + " must be true or false");
}

Result<std::string> YamlReader::text(const YAML::Node& node, const std::string& what) const {
  if (node.IsScalar()) return node.Scalar();
  return bad_value(node, what + " must be one value, not a list or a mapping");
}

}  // namespace ff
