#include "source/source.h"

namespace ff {

std::uint32_t Partitions::id_of(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto [it, is_new] = ids_.emplace(name, static_cast<std::uint32_t>(names_.size()));
  if (is_new) names_.push_back(name);
  return it->second;
}

std::string Partitions::name_of(std::uint32_t id) const {
  const std::lock_guard lock(mutex_);
  return names_[id];
}

std::vector<std::string> Partitions::names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

void Partitions::restore(std::uint32_t id, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (names_.size() <= id) names_.resize(id + 1);
  names_[id] = name;
  ids_[name] = id;
}

}  // namespace ff
