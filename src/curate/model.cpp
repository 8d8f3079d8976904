#include "curate/model.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

namespace ff {
namespace {
namespace fs = std::filesystem;

struct Input {
  std::string schema, name;  ///< schema 'ref' for another model
  std::size_t begin, end;    ///< of the template in the SQL
};

Error template_error(const std::string& model, const std::string& what) {
  return {Recourse::halt, "model_template",
          "model " + model + ": " + what + "; only {{ ref('x') }} and {{ source('schema', 'table') }} may be used"};
}

/// The words between single quotes.
std::vector<std::string> quoted_words(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t open = text.find('\''); open != std::string_view::npos;) {
    const auto close = text.find('\'', open + 1);
    if (close == std::string_view::npos) break;
    words.emplace_back(text.substr(open + 1, close - open - 1));
    open = text.find('\'', close + 1);
  }
  return words;
}

Result<std::vector<Input>> inputs_of(const std::string& model, const std::string& sql) {
  if (sql.find("{%") != std::string::npos || sql.find("{#") != std::string::npos)
    return template_error(model, "it has a Jinja statement or comment");
  std::vector<Input> inputs;
  for (std::size_t at = sql.find("{{"); at != std::string::npos; at = sql.find("{{", at + 2)) {
    const auto end = sql.find("}}", at);
    if (end == std::string::npos) return template_error(model, "an opening {{ is not closed");
    std::string text = sql.substr(at + 2, end - at - 2);
    text.erase(0, text.find_first_not_of(" -\t\n"));
    const auto words = quoted_words(text);
    if (text.rfind("ref(", 0) == 0 && words.size() == 1)
      inputs.push_back({"ref", words[0], at, end + 2});
    else if (text.rfind("source(", 0) == 0 && words.size() == 2)
      inputs.push_back({words[0], words[1], at, end + 2});
    else
      return template_error(model, "it has {{" + text + "}}");
  }
  return inputs;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Slice read_slice(const YAML::Node& node) {
  if (node.IsScalar()) return {.key = node.as<std::string>()};
  const auto word = [&](const char* name) { return node[name] ? node[name].as<std::string>() : std::string(); };
  return {word("key"), word("from"), word("to"), word("date")};
}

/// An input, narrowed to what was touched.
std::string narrowed(const std::string& table, const Slice& slice, const TouchedTable& touched) {
  if (const auto rows = touched.in_hand.find(table); rows != touched.in_hand.end()) return rows->second;
  if (slice.from.empty() && slice.date.empty())
    return "(select * from " + table + " where " + slice.key + " in (select key from " + touched.name + "))";
  std::string sql = "(select x.* from " + table + " x join " + touched.name + " on " + slice.key + " = key and ";
  if (!slice.date.empty()) return sql + slice.date + " between first_date and last_date)";
  sql += slice.from + " <= span_end and " + slice.to + " >= span_start";
  return sql + " where " + slice.from + " <= " + touched.greatest_end + " and " + slice.to +
         " >= " + touched.least_start + ")";
}

void read_meta(const YAML::Node& entry, Model& model) {
  const YAML::Node config = entry["config"];
  const YAML::Node meta = config && config["meta"] ? config["meta"] : entry["meta"];
  const auto view = [](const YAML::Node& n) {
    return n && n["materialized"] && n["materialized"].as<std::string>() == "view";
  };
  model.is_view = view(config) || view(meta);
  if (!meta) return;
  if (meta["key"]) model.key = meta["key"].as<std::string>();
  if (meta["within"]) model.within = meta["within"].as<std::string>();
  if (const YAML::Node touched = meta["touched"]) {
    if (touched.IsScalar())
      model.touched = touched.as<std::string>();
    else if (touched.IsMap())
      model.groups.push_back({touched["from"].as<std::string>(), touched["column"].as<std::string>()});
    else
      for (const auto& t : touched)
        model.groups.push_back({t["from"].as<std::string>(), t["column"].as<std::string>()});
  }
  if (const YAML::Node slice = meta["slice"])
    for (const auto& s : slice) model.slice[s.first.as<std::string>()] = read_slice(s.second);
}

}  // namespace

Result<std::vector<Model>> load_models(const std::string& directory) {
  std::map<std::string, Model> by_name;
  std::error_code ignored;
  std::vector<fs::path> files;
  for (const char* folder : {"curated", "ops"})
    for (const auto& file : fs::directory_iterator(fs::path(directory) / folder, ignored)) files.push_back(file.path());
  if (files.empty())
    return Error{Recourse::halt, "model_unreadable",
                 "no models in " + directory + "/curated and " + directory + "/ops; set --models"};
  for (const fs::path& file : files)
    if (file.extension() == ".sql") {
      Model& model = by_name[file.stem().string()];
      model.name = file.stem().string();
      model.schema = file.parent_path().filename().string();
      model.sql = read_file(file);
    }
  for (const fs::path& file : files) {
    if (file.extension() != ".yml" && file.extension() != ".yaml") continue;
    try {
      for (const auto& entry : YAML::LoadFile(file.string())["models"])
        if (const auto model = by_name.find(entry["name"].as<std::string>()); model != by_name.end())
          read_meta(entry, model->second);
    } catch (const YAML::Exception& e) {
      return Error{Recourse::halt, "model_unreadable", file.string() + ": " + e.what()};
    }
  }
  for (auto& [name, model] : by_name) {
    std::set<std::string> refs;
    for (const Input& input : FF_TRY(inputs_of(name, model.sql)))
      if (input.schema == "ref") refs.insert(input.name);
    model.refs.assign(refs.begin(), refs.end());
    for (const std::string& ref : model.refs)
      if (!by_name.contains(ref)) return template_error(name, "it reads ref('" + ref + "'), which does not exist");
  }

  std::vector<Model> ordered;
  std::set<std::string> done, open;
  const std::function<Result<void>(const std::string&)> visit = [&](const std::string& name) -> Result<void> {
    if (done.contains(name)) return {};
    if (!open.insert(name).second)
      return Error{Recourse::halt, "model_cycle", "model " + name + " reads itself through its refs"};
    for (const std::string& ref : by_name[name].refs) FF_TRY(visit(ref));
    done.insert(name);
    ordered.push_back(by_name[name]);
    return {};
  };
  for (const auto& [name, model] : by_name) FF_TRY(visit(name));
  return ordered;
}

std::string render(const Model& model, const std::vector<Model>& all, const std::optional<TouchedTable>& touched) {
  const auto inputs = inputs_of(model.name, model.sql);
  FF_CHECK(inputs.ok());
  // DuckDB copies a CTE that is used twice, and forgets what it knew of the table's values.
  constexpr std::string_view whole = "as (select * from ", in_place = "as not materialized (select * from ";
  std::string out;
  std::size_t from = 0;
  for (const Input& input : inputs.value()) {
    out += model.sql.substr(from, input.begin - from);
    from = input.end;
    if (out.ends_with(whole)) out.replace(out.size() - whole.size(), whole.size(), in_place);
    std::string table = input.schema + "." + input.name;
    const auto slice = model.slice.find(table);
    if (input.schema == "ref")
      table = std::find_if(all.begin(), all.end(), [&](const Model& m) { return m.name == input.name; })->table();
    out += touched && slice != model.slice.end() ? narrowed(table, slice->second, *touched) : table;
  }
  return out + model.sql.substr(from);
}

}  // namespace ff
