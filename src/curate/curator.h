/// Runs the models inside the engine's transaction, for touched groups only.
///
/// What a batch changed, and what the clock alone changes between two as_of, is gathered into touched sets; each model
/// then replaces the rows of its touched keys by what its SQL gives for them. The result equals a full build, but for
/// what was let wait: tests hold the two against each other. An engine that is behind need not do so in each
/// commit: `note_touched` keeps what was touched in ops.touched, and the next `publish` takes it from there. Source: architecture,
/// "Curated = SQL, the same text on every engine"; docs/decisions.md on cycles.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "curate/model.h"
#include "curate/touched.h"
#include "domain/fact.h"
#include "lake/lake.h"

namespace ff {

class Curator {
 public:
  static Result<Curator> load(const std::string& models_directory);

  /// Whether the lake has views; an Iceberg catalog attached to DuckDB 1.5 has none, and views become tables that are
  /// written anew in each cycle.
  enum class Views : std::uint8_t { yes, as_tables };
  /// Creates the tables and views that are missing.
  Result<void> create(Lake& lake, Views views);

  /// Rows of core that the caller has at hand, as the lake has them: some of the columns, all rows of some shipments.
  struct CoreRows {
    std::string table;
    std::vector<std::string> columns;
    Rows rows;
  };
  struct AtHand {
    std::vector<CoreRows> tables;
    std::vector<std::string> elsewhere;  ///< ids that are not among them: the lake knows
  };
  using ShipmentsOf = std::function<Result<AtHand>(const std::vector<std::string>& ids_sorted)>;

  /// How many of the models follow, each with those before it. Roll-ups read all shipments of each touched day, and drivers
  /// the whole day of each that was touched, so what they cost grows with the day and not with what was touched; while they
  /// wait, ops.touched keeps what they have to do. The first cycle lets none wait.
  enum class Follow : std::uint8_t {
    shipments,  ///< and feeds
    rollups,
    all  ///< drivers, too
  };

  /// Recomputes what `touched`, all that was noted since the last time, and the time between two as_of concern; the clock
  /// stands at `as_of` already. `previous_as_of` is that of the last publish(), `none` if there was none.
  /// What changes among the findings is noted in ops.finding_log under `publish_seq`. `shipments_of`: where core's rows of
  /// touched shipments come from; it is asked in another thread, one question at a time. Null: from the lake.
  /// `drivers_begun`: publish_seq of the last DriverRound, so that what it is at and what came since stay apart.
  Result<void> publish(Lake& lake, const Touched& touched, Micros previous_as_of, Micros as_of,
                       std::int64_t publish_seq, const ShipmentsOf& shipments_of = {}, Follow follow = Follow::all,
                       std::int64_t drivers_begun = 0) const;
  /// The models of drivers on their own, on another connection: publish() goes on meanwhile and lets them wait. A round is
  /// made of parts, each some of the drivers in a transaction of its own, since one as long as all of them would keep every
  /// row that others replace meanwhile. ops.touched is only read; publish() finds in ops.driver_clock what of it is done.
  struct DriverRound {
    Micros as_of = none;           ///< of the tables of drivers when all parts are done; some show more by then
    std::int64_t publish_seq = 0;  ///< likewise
    std::optional<std::vector<std::string>> cuts;  ///< driver_keys at which parts begin, but the first; it finds them
    std::size_t next_part = 0;
    bool is_over() const { return !cuts || next_part > cuts->size(); }
  };
  /// How far a round that begins now will come: to the last commit before which no shipment waits, since a driver's day is
  /// made of what the models of shipments say.
  static Result<DriverRound> begin_drivers(Lake& lake);
  /// Its next part, as of the transaction's snapshot; what the round is then. The last part moves ops.driver_clock.
  Result<DriverRound> publish_drivers(Lake& lake, DriverRound round) const;
  /// publish() where others note meanwhile: ops.touched is only read, so that no commit of theirs is in the way. Of it those
  /// commits count that stand in temp.noted_commits: list them (list_noted) before the transaction of this begins, so that
  /// it sees all that they wrote; once it is committed, forget_noted in another. Whatever is not forgotten is done again.
  Result<void> publish_listed(Lake& lake, Micros previous_as_of, Micros as_of, std::int64_t publish_seq) const;
  const std::vector<Model>& models() const { return models_; }
  /// By the name of each model: from what on it is brought up to date. A view is as what it reads.
  std::map<std::string, Follow> followed_from() const;

  /// Called with each model's name and the microseconds its step took; for the profile of a bench.
  std::function<void(const std::string&, std::int64_t)> on_step;

  /// Touched keys are worked off in parts of about so many, so that memory does not grow with what was touched: shipments,
  /// or rows of ops.driver_work in the days of drivers.
  std::int64_t shipments_at_once = 20'000, driver_work_at_once = 200'000;

 private:
  struct Cycle {
    Micros previous_as_of, as_of;
    std::int64_t publish_seq;
    ShipmentsOf shipments_of = {};  ///< null: the lake has them
    Follow follow = Follow::all;
  };
  using InHand = decltype(TouchedTable::in_hand);
  explicit Curator(std::vector<Model> models) : models_(std::move(models)) {}
  Result<void> clear(Lake& lake) const;
  Result<void> gather_waiting(Lake& lake, const std::string& which) const;
  Result<void> gather(Lake& lake, const Cycle& cycle) const;
  Result<std::int64_t> size_of(Lake& lake, std::string_view kind) const;
  Result<void> note_waiting_groups(Lake& lake, std::int64_t publish_seq) const;
  Result<void> forget_done(Lake& lake, Follow follow, std::int64_t drivers_begun) const;
  Result<void> run_models(Lake& lake, const Cycle& cycle) const;
  Result<void> run_kind(Lake& lake, std::string_view kind, const Cycle& cycle) const;
  Result<void> run_parts(Lake& lake, std::string_view kind, const Cycle& cycle) const;
  Result<void> run_elsewhere(Lake& lake, const Cycle& cycle, const Rows& ids) const;
  Result<void> run_part(Lake& lake, std::string_view kind, const Cycle& cycle, const AtHand& at_hand) const;
  Result<void> run(Lake& lake, const Model& model, const Cycle& cycle, InHand& in_hand) const;
  Result<std::optional<TouchedTable>> touched_table(Lake& lake, const Model& model, const std::string& name) const;
  Result<void> take_out(Lake& lake, const Model& model, const std::string& touched) const;
  bool is_fresh_wanted(const Model& model) const;
  Result<void> put_in(Lake& lake, const Model& model, const TouchedTable& touched, const Cycle& cycle) const;
  std::vector<std::pair<const Model*, std::string>> rollups_of(const Model& parent) const;
  Result<void> note_groups(Lake& lake, const Model& parent, const std::string& rows) const;
  Result<void> log_findings(Lake& lake, const Model& model, const TouchedTable& touched, const Cycle& cycle) const;
  Result<void> step(const std::string& name, const std::function<Result<void>()>& work) const;

  Result<void> create_table(Lake& lake, const Model& model, const std::string& sql) const;
  std::string table_of(const std::string& model) const;
  bool is_table(const Model& model) const { return !model.is_view || views_ == Views::as_tables; }

  std::vector<Model> models_;
  Views views_ = Views::yes;
};

}  // namespace ff
