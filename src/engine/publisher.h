/// Makes a commit visible: one transaction for raw, core, marks and curated; then the keyed state follows, then files are
/// marked done.
///
/// Always: a reader sees all of a commit or nothing; the state lags the lake or equals it. A crash anywhere leaves what
/// the next run mends (base/crash_point.h lists the places).
/// One thread at a time, which need not be the one that stages; it has the lake to itself meanwhile.
#pragma once

#include <functional>
#include <string>

#include "contract/contract.h"
#include "curate/curator.h"
#include "engine/commit.h"
#include "lake/lake.h"
#include "state/store.h"

namespace ff {

class Publisher {
 public:
  struct Options {
    std::string zone_name, generation;
    std::int64_t epoch = 0;
    std::size_t state_flush_commits = 16;
  };
  Publisher(Lake& lake, Store& store, const Curator& curator, const ContractSet& contracts, Options options)
      : lake_(lake), store_(store), curator_(curator), contracts_(contracts), options_(std::move(options)) {}

  /// The commit's keyed state is staged in the store already. Errors: halt 'fenced'; retry 'partition_moved'; those of the lake; after one the
  /// lake holds nothing of this commit, unless its recourse is `reconcile`, and the store still shows what was staged:
  /// open the engine anew.
  Result<void> publish(Commit& commit);
  Result<void> flush_state() { return store_.flush(); }

  /// Called with the name of each stage and the microseconds of CPU that its thread spent.
  std::function<void(const char*, std::int64_t)> on_stage;

 private:
  Result<void> fence(const Commit& commit);
  Result<void> transact(Commit& commit);
  Result<void> curate(const Commit& commit);
  Result<void> write_marks(const Commit& commit);
  Result<void> follow_with_state(const Commit& commit);
  Result<void> mark_files_done(const Commit& commit);

  Lake& lake_;
  Store& store_;
  const Curator& curator_;
  const ContractSet& contracts_;
  Options options_;
  std::size_t commits_since_flush_ = 0;
};

/// Adds the CPU time of the calling thread until its end to a stage.
class StageClock {
 public:
  StageClock(const std::function<void(const char*, std::int64_t)>& report, const char* name);
  ~StageClock();

 private:
  const std::function<void(const char*, std::int64_t)>& report_;
  const char* name_;
  std::int64_t start_;
};

}  // namespace ff
