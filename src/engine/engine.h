/// The one loop: sources in, facts folded, tables committed. The only place where the modules meet.
///
/// Records are gathered into a commit; each makes raw, core, marks and curated visible at once, then the keyed state
/// follows, then the sources are told. While one commit is written the next is folded. Commits adapt to the load: as long
/// as one is being written, all that comes goes into the next, up to a limit. Killed anywhere, the next run goes on: state
/// that lags is brought up to the lake's marks from raw, silently, and nothing at or below a mark is written again. While
/// it lives, an engine answers read-only SQL at DIRECTORY/sql.sock, since nobody else can open the lake file meanwhile.
/// Source: architecture, decisions 2, 3, 5 and 6.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "contract/zone.h"
#include "curate/curator.h"
#include "engine/commit_report.h"
#include "lake/lake.h"
#include "source/source.h"
#include "state/store.h"

namespace ff {

/// What a source is made with. All of it outlives the source.
struct SourceContext {
  const ContractSet& contracts;
  const PseudonymKey& key;
  Partitions& partitions;
  MarkOf mark_of;
  /// To be told when partitions come and go; null unless other engines read others of them into the same lake.
  std::function<Result<void>(const std::vector<std::string>&)> on_assigned;
  std::function<void(const std::vector<std::string>&)> on_revoked;
};

/// A source besides the folder: how to start it. `name` is that of the configuration, for messages.
struct LiveSource {
  std::string name;
  std::function<Result<std::unique_ptr<Source>>(const SourceContext&)> start;
};

struct EngineOptions {
  std::string input;      ///< folder with data files, and contracts in input/contracts if it has its own; empty: none
  std::string contracts;  ///< folder of contracts; empty: input/contracts, else home/contracts
  std::string home;       ///< where models/, reference/ and contracts/ are
  std::string directory;  ///< of the lake: lake.duckdb, state/, tmp/
  std::string reporting_zone;  ///< IANA name; empty: the contracts' own, else UTC
  Micros as_of =
      none;  ///< judge deadlines at this moment and read nothing heard of later; none: the newest ingest_time
  std::vector<LiveSource> sources;
  /// Other engines write to the same lake (an Iceberg catalog), each what its partitions tell: sources say which these are,
  /// and one engine curates (shards.h, shared_curator.h). Only to serve, and without `input`.
  bool is_shared = false;
  CommitObserver observer;              ///< told of each turn; null: nobody
  std::size_t batch_records = 200'000;  ///< a commit has at most about so many
  std::int64_t curate_every_s =
      30;  ///< while full batches wait, curated follows core so often, for a tenth of the time at most; with less to do
           ///< sooner; 0: with each commit
  std::chrono::milliseconds commit_interval{1000};  ///< while serving: what waits is committed after so long
  std::chrono::seconds clock_interval{5};           ///< while serving, without news: how often deadlines are looked at
  std::chrono::seconds folder_interval{10};         ///< while serving: how often the folder is looked at
  std::int64_t state_days =
      60;  ///< keyed state stays whole so long after the last fact of its thing, a fortnight at most
           ///< after its end; then it is read from raw.* when asked for
  std::size_t state_flush_commits = 16;  ///< keyed state is made durable every so many commits
  LakeOptions lake;                      ///< path is set from `directory` unless `attach` is given
  StoreOptions state;
};

/// What a run did, and where its time went (microseconds of CPU of the two threads that stage and publish).
struct RunStats {
  std::int64_t facts = 0, refused = 0, commits = 0, replayed = 0;
  std::map<std::string, std::int64_t> stage_us;
  Micros as_of = none;
};

class Engine {
 public:
  /// Errors (halt): 'generation_changed' if contracts, reference data or zone differ from those the lake was made with;
  /// 'as_of_behind'; those of the parts.
  static Result<std::unique_ptr<Engine>> open(EngineOptions options);
  ~Engine();

  using Progress = std::function<void(const RunStats&)>;
  /// Reads everything that is in the folder, then moves the clock to `as_of`. Calls `progress` after each commit.
  Result<RunStats> run(const Progress& progress = {});
  /// Reads the folder and all live sources until told to stop; then commits what it has and returns. Its clock is the
  /// machine's as soon as it has caught up. An error with recourse `retry`: open an engine anew, nothing is lost.
  Result<RunStats> serve(std::stop_token stop, const Progress& progress = {});
  Lake& lake();

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff
