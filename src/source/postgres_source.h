/// A Postgres database as a source: a snapshot of its tables, then every committed change, over a logical replication slot.
///
/// Partitions: `postgres:<name>` is the slot (position: records handed out so far; resume: postgres_position.h). Each range
/// of pages of a snapshot is one of its own, `postgres:<name>/snapshot/<LSN>/<table>/<pages>`, and `postgres:<name>/snapshot`
/// remembers which snapshots were begun and that one is complete; `postgres:<name>/requests` what was asked to be read again
/// (postgres_requests.h) and is not done. A batch may hold records of several feeds
/// (Provenance::feed says which); SourceBatch::feed is then that of the last one.
///
/// Versions are (authority, epoch, commit LSN, number in the transaction), of snapshot rows (…, the snapshot's LSN, 0): the
/// snapshot is that of a slot's creation, so its LSN divides exactly what it saw from what the stream will tell, and ranges
/// may be read under different snapshots. docs/postgres.md says why that is right, and what unchanged TOAST adds to it.
///
/// The lake's mark says where reading goes on. The server is told only of what confirm() was told, so its slot never runs
/// ahead of the lake; an idle slot moves on by an empty batch whose mark has to reach the lake like any other.
///
/// What it refuses, with the way out in the message (docs/postgres.md, docs/configuration.md): a slot that is gone, lost or
/// has moved beyond the mark; another cluster or a diverged timeline; a table, column or publication that is not there; a
/// replica identity that cannot tell deleted rows apart; TRUNCATE. After a lost connection it connects again by itself.
///
/// Threads: reading runs on threads of its own, at most four batches ahead.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "source/postgres_monitor.h"
#include "source/source.h"

namespace ff {

inline constexpr std::size_t batch_payload_bytes_max = 8 << 20;  ///< one record may go beyond it

struct PostgresOptions {
  std::string name;  ///< the source's, in partitions and messages; no '/'
  std::string
      conninfo;  ///< libpq's (keywords or URI); the password from PGPASSFILE or PGPASSWORD. Needs REPLICATION and SELECT
  std::string slot;         ///< made if it is not there and the lake has no mark of it; a name of its own per lake
  std::string publication;  ///< must be there and hold the tables
  std::string server;       ///< reads the contracts of this server (`servers[].server`); empty: all of format postgres

  bool failover = true;                ///< make the slot a failover slot where the server knows them (17)
  int snapshot_connections = 2;        ///< parallel COPYs
  std::int64_t snapshot_pages = 8192;  ///< in a range: 64 MiB of table, the most that is read twice after a crash
  std::size_t batch_records = 8192;    ///< in a batch, at most
  bool streaming =
      false;  ///< let the server send large transactions before they commit (protocol 2); spilled here till then
  std::string spill_directory;  ///< for those; a directory on a real disk
  std::int64_t spill_bytes_max = std::int64_t{8} << 30;
  bool binary = false;                      ///< values in binary, if all published types can be read; else as text
  std::int64_t idle_bytes = 16 << 20;       ///< an idle slot moves on when the server's log is that far ahead
  std::chrono::seconds silence_max{60};     ///< of a server that streams; then the connection counts as lost
  std::chrono::seconds stats_interval{5};   ///< how often the server is asked about the slot
  std::vector<std::string> past_truncates;  ///< commit LSNs of TRUNCATEs to go past: rows told before stay as they are
};

/// For metrics and alerts.
struct PostgresStats {
  PgSlotStats slot;
  Micros heard_at = none;     ///< when the stream's server was last heard of, by our clock; `none`: not yet
  Micros heard_until = none;  ///< see Source
  std::int64_t snapshot_rows_remaining =
      0;                         ///< about, by the server's statistics; of the first reading and of those asked for
  std::int64_t connections = 0;  ///< replication streams begun so far
};

class PostgresSource final : public Source {
 public:
  /// Every contract of Format::postgres (and of `server`) in the set is a table of this source. The contracts and `partitions` must outlive
  /// this; `mark_of` is asked now and when the snapshot's ranges are planned.
  /// Errors: halt (see above); retry `source_away`.
  static Result<std::unique_ptr<PostgresSource>> start(const ContractSet& contracts, const PseudonymKey& key,
                                                       PostgresOptions options, MarkOf mark_of, Partitions& partitions);
  ~PostgresSource() override;

  Result<std::optional<SourceBatch>> poll(std::chrono::milliseconds wait) override;
  bool is_finished() const override { return false; }
  Result<void> confirm(const std::vector<Progress>& done) override;
  Micros heard_until() const override;
  std::string trouble() const override;  ///< why the server was lost, until it is connected to again

  PostgresStats stats() const;  ///< any thread

 private:
  struct Impl;
  explicit PostgresSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff
