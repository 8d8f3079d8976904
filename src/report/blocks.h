/// Questions kept together in one SQL file: each follows a line '-- name: WHAT IT IS CALLED', up to the next such line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ff {

struct Block {
  std::string name, sql;
};

/// In the order of the file; what comes before the first name is the file's own comment.
inline std::vector<Block> blocks_of(std::string_view file) {
  constexpr std::string_view marker = "-- name: ";
  std::vector<Block> blocks;
  for (auto at = file.find(marker); at != std::string_view::npos;) {
    const auto end_of_line = file.find('\n', at), next = file.find(marker, end_of_line);
    blocks.push_back({std::string(file.substr(at + marker.size(), end_of_line - at - marker.size())),
                      std::string(file.substr(end_of_line, next - end_of_line))});
    at = next;
  }
  return blocks;
}

}  // namespace ff
