/// A line of the world as its wire tells it now.
///
/// Topics: the same JSON without `ingest_time` (a record has a timestamp of its own), with its times moved to the schedule's.
/// Tables: the members as text, in the order of the table's columns. Our own files: members are found by name, not by parsing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "play/schedule.h"
#include "play/world.h"

namespace ff::play {

/// The text of a string or bare member, unquoted; null if it is absent or null.
std::optional<std::string_view> member(std::string_view line, std::string_view name);

class Retelling {
 public:
  explicit Retelling(const Schedule& schedule) : schedule_(schedule) {}

  struct Record {
    std::string_view key;    ///< shipment or driver; empty: it names none
    std::string_view value;  ///< valid until the next call
  };
  /// Of an event or a ping.
  Record record(const Line& line);

  using Row = std::vector<std::optional<std::string>>;
  /// Of an order, driver or command: a value for each column, times moved. Null if the line lacks one that the table needs.
  std::optional<Row> row(const Line& line) const;

 private:
  struct Place {
    std::int64_t real = 0;
    double at[2] = {0, 0}, told[2] = {0, 0};
  };
  void append_moved(std::string_view text, std::string_view name);
  void append_ping(std::string_view text, std::string_view driver);

  const Schedule& schedule_;
  std::string text_;
  /// Each driver's shrunk way, by the world's time: the last few hundred places.
  std::unordered_map<std::string, std::map<std::int64_t, Place>> ways_;
};

/// The columns of a feed's table (deploy/local/orders.sql); those whose name ends in _at or _by are times.
const std::vector<std::string>& columns(Feed feed);
std::string_view table(Feed feed);

}  // namespace ff::play
