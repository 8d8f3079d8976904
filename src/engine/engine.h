/// The one loop: files in, facts folded, tables committed. The only place where the modules meet.
///
/// A run reads what the input folder has beyond the lake's marks and commits it in batches; each commit makes raw, core,
/// marks and curated visible at once, then the keyed state follows, then the file is marked done. Killed anywhere, the
/// next run goes on: state that lags is brought up to the lake's marks silently, and nothing at or below a mark is
/// written again. While it lives, an engine answers read-only SQL at DIRECTORY/sql.sock, since nobody else can open the
/// lake file meanwhile. Source: architecture, decisions 2, 3, 5 and 6.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "contract/zone.h"
#include "curate/curator.h"
#include "engine/folds.h"
#include "lake/lake.h"
#include "source/file_source.h"
#include "state/store.h"

namespace ff {

struct EngineOptions {
  std::string input;           ///< folder with data files, and contracts in input/contracts if it has its own
  std::string contracts;       ///< folder of contracts; empty: input/contracts, else home/contracts
  std::string home;            ///< where models/, reference/ and contracts/ are
  std::string directory;       ///< of the lake: lake.duckdb, state/, tmp/
  std::string reporting_zone;  ///< IANA name; empty: the contracts' own, else UTC
  Micros as_of =
      none;  ///< judge deadlines at this moment and read nothing heard of later; none: the newest ingest_time
  std::size_t batch_records = 200'000;
  std::int64_t curate_every_s =
      30;  ///< while behind, curated tables follow core at least this often; 0: in each commit
  std::size_t state_flush_commits = 16;  ///< keyed state is made durable every so many commits
  LakeOptions lake;                      ///< path is set from `directory` unless `attach` is given
  StoreOptions state;
};

/// What a run did, and where its time went (microseconds of the engine's thread).
struct RunStats {
  std::int64_t facts = 0, refused = 0, commits = 0, replayed = 0, bytes_read = 0;
  std::map<std::string, std::int64_t> stage_us;
  Micros as_of = none;
};

class Engine {
 public:
  /// Errors (halt): 'generation_changed' if contracts, reference data or zone differ from those the lake was made with;
  /// 'as_of_behind'; those of the parts.
  static Result<std::unique_ptr<Engine>> open(EngineOptions options);
  ~Engine();

  /// Reads everything there is, then moves the clock to `as_of`. Calls `progress` after each commit.
  Result<RunStats> run(const std::function<void(const RunStats&)>& progress = {});
  Lake& lake();

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff
