/// One replication connection at work: from START_REPLICATION to batches, with keepalives answered on time.
///
/// Reads from `position` on and skips what was handed out before it: whole transactions by their commit LSN, of the one that
/// it names the first records by their number. So a transaction of any size is cut where a batch is full, and a start in
/// its middle neither loses nor doubles. One thread; confirm() may be called by any.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "decode/postgres_rows.h"
#include "source/postgres_connection.h"
#include "source/postgres_position.h"
#include "source/postgres_source.h"
#include "source/postgres_transactions.h"

namespace ff {

/// How far the slot was handed out.
struct PgProgress {
  PgPosition at;
  std::int64_t position = 0;  ///< records
};

/// The cause of a `retry` that works with values as text.
inline constexpr const char* binary_unknown = "binary_unknown";

/// What the stream shares with the rest of its source.
struct PgStreamWorld {
  const ContractSet& contracts;
  const PseudonymKey& key;
  const PostgresOptions& options;
  std::uint32_t partition = 0;  ///< of the slot
  bool binary = false;
  std::set<std::uint32_t> enums;                                          ///< types whose binary values are labels
  int wake = -1;                                                          ///< readable: look at `flush` and `stop`
  std::function<bool(SourceBatch&, std::chrono::milliseconds)> try_push;  ///< false: no room yet, or stopped
  std::function<bool()> is_stopped;
  std::atomic<std::uint64_t>* flush = nullptr;       ///< LSN up to which the lake has everything
  std::atomic<std::int64_t>* heard_until = nullptr;  ///< see Source
  std::atomic<std::int64_t>* heard_at = nullptr;     ///< when the server was last heard of, by our clock
  /// A request in the log to read something again, by the LSN of its commit; its mark is on its way when this returns.
  std::function<void(const std::string& id, std::string_view json)> requested;
};

class PgStream final : private PgTransactionSink {
 public:
  PgStream(PgStreamWorld world, PgProgress& progress);
  ~PgStream();

  /// Until stopped (ok) or an error. `progress` then says what was handed out.
  Result<void> run();

 private:
  /// A table of a contract, or one that nobody reads.
  struct Table {
    std::string name;
    int feed = -1;
    PostgresRows* rows = nullptr;
  };
  Result<void> begin(const PgTransaction& transaction) override;
  Result<void> change(PgMessage& message) override;
  Result<void> message(const PgMessage& message) override;
  Result<void> commit(Lsn end) override;
  Result<void> define(const PgRelation& relation);
  Result<void> check_binary(const PgRelation& relation, const Contract& contract) const;
  Result<void> truncate(const PgMessage& message);

  Result<void> start();
  Result<void> receive(std::string_view data);
  Result<void> flush();
  Result<void> send_status(bool wants_reply);
  Result<void> keep_alive();
  void drain_wake();
  bool has_pending() const { return pending_records_ > 0 || is_dirty_; }

  PgStreamWorld world_;
  PgProgress& progress_;  ///< what was handed out
  PgPosition next_;       ///< what the batch being made will say
  PgPosition skip_;       ///< what was handed out when this connection began
  std::optional<PgConnection> connection_;
  PgTransactions transactions_;
  std::unordered_map<std::uint32_t, Table> tables_;                      ///< by the server's OID
  std::unordered_map<std::string, std::unique_ptr<PostgresRows>> rows_;  ///< by schema.table
  PgTransaction transaction_;
  std::int64_t index_ = 0, position_ = 0;
  std::size_t pending_records_ = 0, pending_bytes_ = 0;
  std::uint32_t last_feed_ = 0;
  bool is_dirty_ = false;       ///< a transaction ended, and no batch has said so yet
  bool told_anything_ = false;  ///< of the transaction that is open
  Lsn received_, flushed_;
  std::chrono::steady_clock::time_point last_heard_, last_sent_;
};

}  // namespace ff
