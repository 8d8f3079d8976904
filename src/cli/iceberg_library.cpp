#include "cli/iceberg_library.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

namespace ff::cli {

Result<void> use_library_for(const LakeOptions& lake, char** argv) {
  if (lake.attach.empty()) return {};
  const std::string folder = FF_ICEBERG_LIBRARY;
  const char* set = std::getenv("LD_LIBRARY_PATH");
  const std::string before = set ? set : "";
  if (before == folder || before.starts_with(folder + ":")) return {};
  std::error_code failed;
  if (!std::filesystem::exists(folder + "/libduckdb.so", failed))
    return Error{Recourse::halt, "iceberg_library",
                 "an attached lake needs DuckDB's older library, and there is none in " + folder +
                     "; ./ff setup engine puts it there"};
  ::setenv("LD_LIBRARY_PATH", (before.empty() ? folder : folder + ":" + before).c_str(), 1);
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  ::execv(program.c_str(), argv);
  return Error{
      Recourse::halt, "iceberg_library",
      "cannot begin " + program.string() + " anew with the library in " + folder + ": " + std::strerror(errno)};
}

}  // namespace ff::cli
