/// Runs the models inside the engine's transaction, for touched groups only.
///
/// What a batch changed, and what the clock alone changes between two as_of, is gathered into touched sets; each model
/// then replaces the rows of its touched keys by what its SQL gives for them. The result equals a full build: tests hold
/// the two against each other. Source: architecture, "Curated = SQL, the same text on every engine".
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "curate/model.h"
#include "domain/fact.h"
#include "lake/lake.h"

namespace ff {

/// What a batch touched. Duplicates do no harm.
struct Touched {
  Rows shipments{"s"};
  Rows drivers{"s"};
  Rows driver_rows{"s"};  ///< driver_keys whose master row changed
};

class Curator {
 public:
  static Result<Curator> load(const std::string& models_directory);

  /// Whether the lake has views; an Iceberg catalog attached to DuckDB 1.5 has none, and views become tables that are
  /// written anew in each cycle.
  enum class Views : std::uint8_t { yes, as_tables };
  /// Creates the tables and views that are missing.
  Result<void> create(Lake& lake, Views views);
  /// Recomputes what `touched` and the time between two as_of concern; the clock stands at `as_of` already.
  /// What changes among the findings is noted in ops.finding_log under `publish_seq`.
  Result<void> publish(Lake& lake, const Touched& touched, Micros previous_as_of, Micros as_of,
                       std::int64_t publish_seq) const;
  /// Recomputes everything.
  Result<void> rebuild(Lake& lake) const;

  const std::vector<Model>& models() const { return models_; }

  /// Called with each model's name and the microseconds its step took; for the profile of a bench.
  std::function<void(const std::string&, std::int64_t)> on_step;

 private:
  explicit Curator(std::vector<Model> models) : models_(std::move(models)) {}
  Result<void> replace(Lake& lake, const Model& model) const;
  Result<void> log_findings(Lake& lake, const Model& model, Micros as_of, std::int64_t publish_seq) const;
  Result<void> gather(Lake& lake, const Touched& touched, Micros previous_as_of, Micros as_of) const;

  bool is_table(const Model& model) const { return !model.is_view || views_ == Views::as_tables; }

  std::vector<Model> models_;
  Views views_ = Views::yes;
};

}  // namespace ff
