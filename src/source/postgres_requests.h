/// A table, or a range of its keys, to be read once more beside the running stream: to repair, to fill in, after a quarantine was
/// mended.
///
/// Asked for by a message in the server's own log (pg_logical_emit_message), in a transaction of its own: it comes with the
/// stream, in order, to whoever reads the slot that it names, and needs no table and no other door. What it may say is a
/// column and two values, never SQL: everybody may emit messages, and the reader has rights of its own.
/// Whether it was done is kept in the marks; a restart takes it up again, from the table's first page.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "source/postgres_catalog.h"

namespace ff {

inline constexpr const char* snapshot_message = "fleetflow.snapshot";  ///< the message's prefix

struct PgSnapshotRequest {
  std::string slot, schema, table;
  std::string column;                   ///< of the range; empty: the whole table
  std::optional<std::string> from, to;  ///< [from, to), as the column's type reads them; null: no bound

  std::string to_json() const;
  static std::optional<PgSnapshotRequest> from_json(std::string_view json);
  /// SQL; empty: all rows.
  std::string condition(const PgConnection& sql) const;
};

/// Looks whether it can be done, and emits the message; returns its LSN.
/// Errors: halt `table_missing` (no contract of `server` reads the table, or the table has no such column); those of find_tables.
Result<std::string> emit_request(const std::string& conninfo, const ContractSet& contracts,
                                 const std::string& publication, const std::string& server,
                                 const PgSnapshotRequest& request);

/// Requests one after the other, on a thread of its own.
class PgRequests {
 public:
  /// `read`: after `request_refused` the request is given up, after any other error tried again in a while. `still_open`: what
  /// is not done, for the mark, told by one thread at a time whenever it changes; may wait; false: stopped.
  using Read = std::function<Result<void>(const PgSnapshotRequest&)>;
  using StillOpen = std::function<bool(const std::string&)>;
  PgRequests(Read read, StillOpen still_open) : read_(std::move(read)), still_open_(std::move(still_open)) {}
  ~PgRequests() { stop(); }

  /// What a mark says; then the thread begins.
  void start(const std::string& open);
  void stop();
  /// `id`: the LSN of its commit; one that is there already is the same.
  void add(const std::string& id, const PgSnapshotRequest& request);

 private:
  void run();
  bool tell() const;

  const Read read_;
  const StillOpen still_open_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::string, PgSnapshotRequest>> open_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ff
