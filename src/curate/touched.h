/// What a cycle has to do: noted in ops.touched until its time has come, then gathered in temporary tables.
///
/// The tables are the connection's own: `all_shipments` (key), `all_hours` (key, span_start, span_end), `known_drivers` (key:
/// drivers that became known), and, made by gather_drivers, `all_drivers` (key), `all_driver_days` and `all_driver_times`
/// (key, span_start, span_end, first_date, last_date), one row a key. `touched_KIND` are alike: the part of a cycle that the
/// models are at. Errors: the lake's. Source: docs/decisions.md on cycles.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "domain/fact.h"
#include "lake/lake.h"

namespace ff {

/// What a batch touched. Duplicates do no harm, nor does a span that is too long.
struct Touched {
  struct Span {
    Micros from, until;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  Rows shipments{"s"};
  /// driver_key -> the first and last moment at which something of it is or was otherwise
  std::unordered_map<std::string, Span, Hash, std::equal_to<>> drivers;
  Rows driver_rows{"s"};  ///< driver_keys that became known, or known earlier
  std::set<Micros>
      hours;  ///< in which something was first heard of, or is no longer the first that was heard; their beginnings

  void touch_driver(std::string_view driver_key, Micros from, Micros until);
  /// Of a feed that is watched: something is or was first heard of at this moment.
  void hear(Micros first_ingest_time);
};

/// Keeps what the commit `publish_seq` touched for a later cycle; it becomes durable with the caller's transaction.
Result<void> note_touched(Lake& lake, const Touched& touched, std::int64_t publish_seq);
/// Of it what drivers have to do.
Result<void> note_drivers(Lake& lake, const Touched& touched, std::int64_t publish_seq);
/// Whether something was noted and not published since, or not crossed off.
Result<bool> is_anything_noted(Lake& lake);
/// Puts the commits that noted something by now into temp.noted_commits.
Result<void> list_noted(Lake& lake);
/// Crosses off what the listed commits noted.
Result<void> forget_noted(Lake& lake);

Result<void> create_gathered(Lake& lake);
/// Empties what the others below add to.
Result<void> clear_gathered(Lake& lake);
Result<void> gather_touched(Lake& lake, const Touched& touched);
/// `which`: a condition on ops.touched.
Result<void> gather_noted(Lake& lake, const std::string& which);
/// Adds what the clock turns between two as_of (`previous_as_of` is `none` before the first cycle) and who became known;
/// shipments and hours are complete then, and distinct.
Result<void> gather_turned(Lake& lake, Micros previous_as_of, Micros as_of);
/// All of drivers that changed, and what the clock turns since ops.driver_clock that moves for them now. `of_others`, a
/// where clause: keys that are left out; empty: none.
Result<void> gather_drivers(Lake& lake, Micros as_of, const std::string& of_others = {});

}  // namespace ff
