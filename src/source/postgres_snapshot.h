/// Tables as they were at one instant: ranges of pages, by COPY over parallel connections, in bounded memory.
///
/// The instant is that of a replication slot's creation: the server exports a snapshot that holds exactly the transactions
/// whose commit record lies before the slot's consistent point. No other snapshot has an LSN, and only with one do its rows
/// have a version among those of the stream.
///
/// Each range is a partition; its last batch has file_done, and the `resume` `range_done`, which says to a later start that it need
/// not be read again.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "contract/pseudonym.h"
#include "source/postgres_catalog.h"
#include "source/source.h"

namespace ff {

inline constexpr const char* range_done = "done";

struct PgExportedSnapshot {
  PgConnection keeper;  ///< the snapshot can be taken up as long as this lives
  std::string name;
  Lsn lsn;
  Micros started_at = 0;  ///< by the server's clock
};

/// A slot for good, or a temporary one that goes with the connection.
struct PgSlotRequest {
  std::string name;
  bool temporary = false, failover = false;
};
/// Waits for every transaction that is open now, until `is_stopped`; a slot that was not made by then is none.
Result<PgExportedSnapshot> create_slot(const std::string& conninfo, const PgSlotRequest& request,
                                       const std::function<bool()>& is_stopped);

struct PgRange {
  const PgTable* table = nullptr;
  const PgLeaf* leaf = nullptr;
  std::int64_t first_page = 0, next_page = 0;  ///< [first, next)
  std::int64_t rows = 0;                       ///< about
  std::string name;                            ///< `schema.table/first-next`, of the leaf
};
std::vector<PgRange> ranges_of(const PgTable& table, std::int64_t pages);

struct PgSnapshotJob {
  const ContractSet& contracts;
  const PseudonymKey& key;
  Partitions& partitions;
  std::string conninfo, partition_prefix;  ///< a range's partition is prefix + its name
  int connections = 1;
  std::size_t batch_records = 0;
  std::chrono::seconds silence_max{60};            ///< of a COPY
  std::string condition;                           ///< SQL; empty: all rows
  std::function<bool(SourceBatch&&)> push;         ///< false: stop. Any thread
  std::function<void(const PgRange&)> range_done;  ///< its last batch is pushed. Any thread
};

/// Reads the ranges, each wholly or not at all as far as its partition's done-mark says. The first error stops all.
Result<void> read_ranges(const PgSnapshotJob& job, const PgExportedSnapshot& snapshot,
                         const std::vector<PgRange>& ranges);

}  // namespace ff
