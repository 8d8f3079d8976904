/// From replication messages to committed transactions, one after the other, in the order of their commits.
///
/// Protocol 1 sends a transaction after its commit: it passes straight through. Protocol 2 may send chunks of a large
/// transaction while it runs: they wait in a temporary file, one per transaction, until its commit (then they pass through
/// in order, without what was rolled back to a savepoint) or its rollback. Memory is bounded by one message, disk by
/// `spill_bytes_max`. Table definitions inside a chunk wait as well: they are true for others only if it commits.
///
/// One thread. Whatever is spilled is gone with the object; the server sends it again.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/result.h"
#include "decode/pgoutput.h"

namespace ff {

struct PgTransaction {
  std::uint32_t xid = 0;
  Lsn commit_lsn;  ///< where the commit record starts: the order of transactions
  Micros commit_time = 0;
};

/// What comes out. An error stops the reading and comes back from accept().
class PgTransactionSink {
 public:
  virtual ~PgTransactionSink() = default;
  virtual Result<void> begin(const PgTransaction& transaction) = 0;
  /// relation, insert, update, remove or truncate; valid until this returns.
  virtual Result<void> change(PgMessage& message) = 0;
  /// A logical message of a transaction that was not streamed; valid until this returns.
  virtual Result<void> message(const PgMessage&) { return {}; }
  /// `end`: nothing at or behind it belongs to this transaction or one before it.
  virtual Result<void> commit(Lsn end) = 0;
};

class PgTransactions {
 public:
  PgTransactions(PgTransactionSink& sink, std::string spill_directory, std::int64_t spill_bytes_max)
      : sink_(sink), spill_directory_(std::move(spill_directory)), spill_bytes_max_(spill_bytes_max) {}

  /// Errors: halt `replication_protocol`; retry `disk_full`; halt `spill_full` (more unfinished work than spill_bytes_max);
  /// those of the sink.
  Result<void> accept(std::string_view message);

  /// What was read so far ends inside a transaction, or a chunk of one.
  bool is_inside() const { return inside_ || chunk_of_ != 0; }
  std::int64_t spilled_bytes() const { return spilled_bytes_; }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct Spill {
    std::unique_ptr<std::FILE, CloseFile> file;
    std::unordered_set<std::uint32_t> rolled_back;  ///< subtransactions
    std::int64_t bytes = 0;
  };
  Result<void> spill(std::string_view message);
  Result<void> replay(const PgMessage& commit);
  void drop(std::uint32_t xid);

  PgTransactionSink& sink_;
  std::string spill_directory_;
  std::int64_t spill_bytes_max_, spilled_bytes_ = 0;
  std::unordered_map<std::uint32_t, Spill> spills_;  ///< by top transaction
  std::uint32_t chunk_of_ = 0;                       ///< the transaction whose chunk is being read; 0: none
  bool inside_ = false;
  PgMessage message_;
};

}  // namespace ff
