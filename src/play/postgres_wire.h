/// Rows into Postgres tables, on a thread of their own: a row that is new is inserted, one whose key is there is updated.
///
/// What was put within `interval` is one transaction, in the order of put(). A transaction that failed is tried again until it
/// is done, for a minute: as its rows are whole, doing it twice changes nothing. Call from one thread; the counts may be read from any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "play/retelling.h"

struct pg_conn;

namespace ff::play {

class PostgresWire {
 public:
  /// Errors: retry `postgres_unreachable`.
  static Result<std::unique_ptr<PostgresWire>> open(const std::string& dsn, std::chrono::milliseconds interval);
  ~PostgresWire();  ///< as finish()

  void put(Feed feed, Retelling::Row row);
  /// Deletes the row whose key is the row's first value.
  void remove(Feed feed, Retelling::Row row);
  /// Waits until all is committed, or the server was away for too long; nothing may be put after it.
  void finish();
  /// After finish(): why not everything is committed; empty: everything is.
  const std::string& failure() const { return failure_; }

  std::uint64_t committed() const { return committed_; }
  std::uint64_t transactions() const { return transactions_; }
  std::uint64_t retries() const { return retries_; }

 private:
  struct Change {
    Feed feed;
    bool is_delete;
    Retelling::Row row;
  };
  struct Statement {
    std::vector<const Retelling::Row*> rows;
    std::unordered_set<std::string_view> keys;
  };
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  PostgresWire(std::string dsn, std::chrono::milliseconds interval) : dsn_(std::move(dsn)), interval_(interval) {}
  Result<void> connect();
  void run();
  Result<void> commit(const std::vector<Change>& changes);
  Result<void> execute(const std::string& statement, const std::vector<std::string>& parameters = {});
  Result<void> upsert(Feed feed, Statement& statement);

  const std::string dsn_;
  const std::chrono::milliseconds interval_;
  std::unique_ptr<pg_conn, Close> connection_;
  std::mutex mutex_;  ///< guards waiting_ and ends_
  std::condition_variable changed_;
  std::vector<Change> waiting_;
  bool ends_ = false;
  std::atomic<std::uint64_t> committed_ = 0, transactions_ = 0, retries_ = 0;
  std::string failure_;  ///< set by the thread at its end
  std::thread thread_;
};

}  // namespace ff::play
