// The words of a feed and ours: in the contract, or in a CSV file beside it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "contract/contract_reader_internal.h"
#include "domain/status.h"

namespace ff {
namespace {

Result<void> add_word(const ContractReader& r, Vocabulary& words, FieldKind kind, const YAML::Node& at,
                      const std::string& theirs, const std::string& ours) {
  Words known = {"assign", "reassign", "unassign"};
  if (kind == FieldKind::status) {
    known.clear();
    for (int i = 0; i < status_count; ++i) known.push_back(status_name(static_cast<StatusId>(i)));
  }
  if ((kind == FieldKind::status || kind == FieldKind::action) &&
      std::find(known.begin(), known.end(), ours) == known.end())
    return r.bad_value(at, "the vocabulary leads '" + theirs + "' to '" + ours + "', which is no " +
                               (kind == FieldKind::status ? "status" : "action") + hint(ours, known));
  if (!words.emplace(theirs, ours).second) return r.bad_value(at, "the vocabulary has '" + theirs + "' twice");
  return {};
}

}  // namespace

Result<std::shared_ptr<const Vocabulary>> read_vocabulary(ContractReader& r, const YAML::Node& node, FieldKind kind) {
  auto words = std::make_shared<Vocabulary>();
  if (node.IsMap()) {
    for (const auto& entry : node)
      FF_TRY(add_word(r, *words, kind, entry.second, entry.first.as<std::string>(), entry.second.as<std::string>()));
    return std::shared_ptr<const Vocabulary>(words);
  }
  const std::string path = std::filesystem::path(r.contract.file).parent_path() / node.as<std::string>();
  std::ifstream in(path, std::ios::binary);
  if (!in) return r.bad_value(node, "cannot read the vocabulary " + path);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  r.hashed += text;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::size_t comma = line.rfind(',');
    if (line.empty()) continue;
    if (comma == std::string::npos) return r.bad_value(node, path + ": '" + line + "' is not 'source word,our word'");
    FF_TRY(add_word(r, *words, kind, node, line.substr(0, comma), line.substr(comma + 1)));
  }
  return std::shared_ptr<const Vocabulary>(words);
}

}  // namespace ff
