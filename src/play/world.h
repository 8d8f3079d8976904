/// The lines of a world's folder (`fleetflow simulate --out`), all feeds as one stream in the order in which they were heard.
///
/// Files are mapped, not read: memory is the page cache's. Lines stay valid as long as the World. A line that does not say when
/// it was heard (a broken one) is heard with the line before it in its feed. Lines heard at one moment come in the order of Feed.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ff::play {

enum class Feed : std::uint8_t { drivers, orders, assignments, events, gps };
inline constexpr std::array<std::string_view, 5> feed_names = {"drivers", "orders", "assignments", "events", "gps"};
constexpr std::string_view name(Feed feed) { return feed_names[static_cast<std::size_t>(feed)]; }

struct Line {
  Feed feed = Feed::drivers;
  std::int64_t heard = 0;  ///< microseconds since the epoch, by the world's clock
  std::string_view text;   ///< without its newline
};

class World {
 public:
  /// Errors: halt `no_input` (no such folder, or no line in it), `cannot_read`.
  static Result<World> open(const std::filesystem::path& folder);
  World(World&&) = default;
  World& operator=(World&&) = default;
  ~World();

  /// Null at the end.
  std::optional<Line> next();
  /// From the first line again.
  void rewind();

 private:
  struct Reader {
    std::vector<std::string_view> files;
    std::size_t file = 0, at = 0;  ///< the next line begins here
    std::optional<Line> line;      ///< read, not yet given
  };
  World() = default;
  void advance(Feed feed);

  std::array<Reader, feed_names.size()> readers_;
  std::vector<std::string_view> mapped_;
};

}  // namespace ff::play
