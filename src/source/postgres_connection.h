/// One connection to a Postgres server, by libpq: SQL, replication commands, COPY out. A world of its own: one thread.
///
/// A peer that is gone without a word is noticed by TCP itself in half a minute (keepalives_*, tcp_user_timeout; conninfo may
/// say otherwise).
///
/// Errors are named by recourse: `retry` `source_away` (connection, server start or stop, a resource that frees itself),
/// `halt` `postgres_refused` (everything that asking again will not change). Messages name the server, what was asked and
/// the server's own words; never the password.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ff {

enum class PgMode { sql, replication };

using PgRows = std::vector<std::vector<std::optional<std::string>>>;

/// One CopyData of a COPY out or a replication stream; frees itself.
class PgCopyData {
 public:
  PgCopyData() = default;
  PgCopyData(char* bytes, int size) : bytes_(bytes), size_(static_cast<std::size_t>(size)) {}
  explicit operator bool() const { return bytes_ != nullptr; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* bytes) const { PQfreemem(bytes); }
  };
  std::unique_ptr<char, Free> bytes_;
  std::size_t size_ = 0;
};

enum class PgCopyState { data, nothing_yet, ended };

/// How long a server may take for a question about itself.
inline constexpr std::chrono::milliseconds answer_wait{60'000};

class PgConnection {
 public:
  /// `conninfo` as libpq takes it (keywords or URI). Sessions print times as ISO in UTC, bytea in hex, floats shortest, text
  /// as UTF-8, and are never cut by a timeout of the server's.
  static Result<PgConnection> open(const std::string& conninfo, PgMode mode);

  /// Rows of a query; of a command none. Without an answer `at_most` long it is `source_away`, and the connection of no more
  /// use.
  Result<PgRows> query(const std::string& sql, std::chrono::milliseconds at_most = answer_wait);
  /// The same of a query that takes however long. When `is_stopped`, the server is told to give it up: `source_stopped`.
  Result<PgRows> query_until(const std::string& sql, const std::function<bool()>& is_stopped);
  /// Starts COPY … TO STDOUT or START_REPLICATION, likewise.
  Result<void> start_copy(const std::string& command);
  /// The next CopyData; waits at most `wait` (or until `wake`, a file descriptor, is readable) for one.
  Result<PgCopyState> next(PgCopyData& out, std::chrono::milliseconds wait, int wake = -1);
  /// Sends bytes into a replication stream.
  Result<void> send(std::string_view bytes);

  int server_version() const { return PQserverVersion(connection_.get()); }  ///< 150004 is 15.4
  std::string literal(std::string_view text) const;
  std::string identifier(std::string_view name) const;
  /// host:port/database, for messages.
  std::string where() const;

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Outcome = std::unique_ptr<PGresult, Clear>;
  explicit PgConnection(PGconn* connection) : connection_(connection) {}
  Error error(const PGresult* result, std::string_view asked) const;
  /// `at_most` 0: until `is_stopped`.
  Result<Outcome> ask(const std::string& sql, std::chrono::milliseconds at_most,
                      const std::function<bool()>& is_stopped = {});
  Result<PgRows> rows_of(const PGresult* result, const std::string& asked) const;
  void cancel() const;

  std::unique_ptr<PGconn, Finish> connection_;
};

/// The SQLSTATE that the server gave with this error ("" if none): kept in front of the message.
std::string_view sqlstate_of(const Error& error);

}  // namespace ff
