/// For tests: where the repository is.
#pragma once

#include <filesystem>

namespace ff::testing {

/// The nearest folder above the test program that is one; not by __FILE__, which a shared compiler cache makes relative.
inline std::filesystem::path repository() {
  auto at = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  while (at.has_relative_path() && !std::filesystem::exists(at / "ARCHITECTURE.md")) at = at.parent_path();
  return at;
}

}  // namespace ff::testing
