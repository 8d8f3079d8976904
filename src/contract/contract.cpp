#include "contract/contract.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>

#include "base/hash.h"

namespace ff {

bool Contract::has_private_columns() const {
  return std::any_of(columns.begin(), columns.end(), [](const Column& c) { return c.role != ColumnRole::plain; });
}

Result<ContractSet> ContractSet::load(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  if (error || files.empty())
    return Error{Recourse::halt, "contract_unreadable",
                 "no contract (*.yaml) in " + folder + (error ? ": " + error.message() : "")};
  std::sort(files.begin(), files.end());
  std::vector<Contract> contracts;
  for (const std::string& file : files) {
    Contract contract = FF_TRY(load_contract(file));
    for (const Contract& other : contracts)
      if (other.id == contract.id)
        return Error{Recourse::halt, "contract_bad_value",
                     file + ": the id '" + contract.id + "' is taken by " + other.file};
      else if (!contract.topic.empty() && other.topic == contract.topic)
        return Error{Recourse::halt, "contract_bad_value",
                     file + ": the topic '" + contract.topic + "' is read by " + other.file + " already"};
    contracts.push_back(std::move(contract));
  }
  return ContractSet(std::move(contracts));
}

std::optional<std::uint32_t> ContractSet::feed_of(std::string_view path) const {
  const std::string whole(path), name = whole.substr(whole.rfind('/') + 1);
  for (std::uint32_t feed = 0; feed < contracts_.size(); ++feed) {
    const std::string& glob = contracts_[feed].path_glob;
    const bool by_path = glob.find('/') != std::string::npos;
    if (fnmatch(glob.c_str(), (by_path ? whole : name).c_str(), 0) == 0) return feed;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> ContractSet::feed_of_topic(std::string_view topic) const {
  for (std::uint32_t feed = 0; feed < contracts_.size(); ++feed)
    if (!topic.empty() && contracts_[feed].topic == topic) return feed;
  return std::nullopt;
}

std::string ContractSet::content_hash() const {
  std::string all;
  for (const Contract& contract : contracts_) all += contract.content_hash;
  return hex(hash128(all));
}

}  // namespace ff
