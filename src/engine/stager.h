/// Records to staged rows: raw, quarantine and drift as they came, facts through the folds.
///
/// Knows no lake; what it needs of earlier commits it keeps: marks, so that nothing at or below one is staged again, and
/// the drifts already noted. One thread, the one that polls the sources.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/commit.h"
#include "engine/folds.h"

namespace ff {

/// Batches on their way into one commit.
struct Pending {
  std::vector<SourceBatch> batches;
  std::size_t records = 0;
  std::int64_t bytes = 0;  ///< payload
  bool empty() const { return batches.empty(); }
};

class Stager {
 public:
  Stager(const ContractSet& contracts, const Zone& zone, const Store& store, Partitions& partitions, Recall recall,
         HotFor hot_for)
      : zone_(zone),
        store_(store),
        partitions_(partitions),
        recall_(std::move(recall)),
        hot_for_(hot_for),
        names_{contracts, {}} {}

  /// Everything that `pending` brings. `commit` has its publish_seq and previous_as_of; as_of becomes the newest
  /// ingest_time, or stays if it was set later. Records at or before their partition's mark are left out.
  Result<void> stage(Pending& pending, Commit& commit);
  /// Only the keyed state, of facts that the lake has already.
  Result<void> stage_again(Pending& pending, Commit& commit);

  /// Marks as staged so far: the lake's, and those of commits on their way.
  std::map<std::string, Mark> marks;
  /// Marks that the keyed state has with the commits staged so far.
  std::map<std::string, std::int64_t> state_marks;
  /// contract \x1f field -> first ingest_time, as in ops.schema_drift.
  std::map<std::string, Micros> drifts;

  /// Called with the name of each stage and the microseconds of CPU that its thread spent.
  std::function<void(const char*, std::int64_t)> on_stage;

 private:
  /// Facts of a stretch of records, by the fold they go to.
  struct Facts {
    std::vector<Fact*> shipments, drivers, pings;
    void add(Fact& fact);
  };
  void stage_record(const Decoded& record, Commit& commit);
  void stage_drift(const SourceBatch& batch, Staging& staging);
  Result<void> fold(const Facts& facts, Commit& commit);
  void stage_state_marks(Commit& commit);

  const Zone& zone_;
  const Store& store_;
  Partitions& partitions_;
  Recall recall_;
  HotFor hot_for_;
  Names names_;  ///< as of the stretch under way
};

/// The name under which the state of this partition's mark is kept, and its number.
inline constexpr const char *mark_prefix = "!mark/", *partition_prefix = "!partition/", *generation_key = "!generation";

}  // namespace ff
