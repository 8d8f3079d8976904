#include "play/world.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/time.h"

namespace ff::play {
namespace {

Result<std::string_view> map(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) {
    if (file >= 0) ::close(file);
    return Error{Recourse::halt, "cannot_read", path.string() + " cannot be read"};
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* bytes = size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  ::close(file);
  if (bytes == MAP_FAILED) return Error{Recourse::halt, "cannot_read", path.string() + " cannot be mapped into memory"};
  return std::string_view(static_cast<const char*>(bytes), size);
}

std::optional<std::int64_t> heard(std::string_view line) {
  constexpr std::string_view key = R"("ingest_time":")";
  const auto at = line.rfind(key);
  if (at == line.npos) return std::nullopt;
  const auto from = at + key.size(), to = line.find('"', from);
  return to == line.npos ? std::nullopt : parse_rfc3339(line.substr(from, to - from));
}

}  // namespace

Result<World> World::open(const std::filesystem::path& folder) {
  World world;
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".ndjson") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    const std::string file = path.filename().string();
    for (std::size_t feed = 0; feed < feed_names.size(); ++feed) {
      if (!file.starts_with(std::string(feed_names[feed]) + "-")) continue;
      const std::string_view bytes = FF_TRY(map(path));
      if (bytes.empty()) continue;
      world.mapped_.push_back(bytes);
      world.readers_[feed].files.push_back(bytes);
    }
  }
  if (world.mapped_.empty())
    return Error{Recourse::halt, "no_input",
                 folder.string() + " holds no world; make one with: fleetflow simulate --out FOLDER"};
  world.rewind();
  return world;
}

World::~World() {
  for (const std::string_view bytes : mapped_) ::munmap(const_cast<char*>(bytes.data()), bytes.size());
}

void World::rewind() {
  for (std::size_t feed = 0; feed < readers_.size(); ++feed) {
    readers_[feed].file = readers_[feed].at = 0;
    readers_[feed].line.reset();
    advance(static_cast<Feed>(feed));
  }
}

void World::advance(Feed feed) {
  Reader& reader = readers_[static_cast<std::size_t>(feed)];
  const std::int64_t before = reader.line ? reader.line->heard : 0;
  reader.line.reset();
  while (reader.file < reader.files.size() && reader.at >= reader.files[reader.file].size())
    ++reader.file, reader.at = 0;
  if (reader.file == reader.files.size()) return;
  const std::string_view rest = reader.files[reader.file].substr(reader.at);
  const std::string_view text = rest.substr(0, rest.find('\n'));
  reader.at += text.size() + 1;
  reader.line = Line{feed, std::max(before, heard(text).value_or(before)), text};
}

std::optional<Line> World::next() {
  const auto first = std::min_element(readers_.begin(), readers_.end(), [](const Reader& a, const Reader& b) {
    return a.line && (!b.line || a.line->heard < b.line->heard);
  });
  std::optional<Line> line = first->line;
  if (line) advance(line->feed);
  return line;
}

}  // namespace ff::play
