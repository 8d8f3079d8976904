/// Read-only SQL on a Unix socket, for everybody who wants to look while one process owns the lake (DuckDB lets no second
/// one open the file, not even to read).
///
/// One request, one answer, over and over on a connection. Request: length (4 bytes, little-endian), SQL. Answer: one
/// byte, 0 or 1; then for 0 the table: column count, names, row count, cells row by row, each count 4 bytes, each text
/// its length and bytes, a NULL cell the length 0xffffffff; for 1 the message. Who may read the lake's folder may ask;
/// the socket has mode 0600. Every request runs in a transaction that DuckDB itself holds to be read-only.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "lake/lake.h"

namespace ff {

class SqlSocket {
 public:
  /// Listens at `path` (a stale socket there is replaced) and answers on a thread and connection of its own until
  /// destroyed. `lake` must outlive it. Error: halt 'socket_unusable'.
  static Result<std::unique_ptr<SqlSocket>> serve(Lake& lake, const std::string& path);
  ~SqlSocket();

 private:
  struct Impl;
  explicit SqlSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The other end. Not for two threads at once.
class SqlClient {
 public:
  /// Error: retry 'engine_absent' if nobody listens.
  static Result<std::unique_ptr<SqlClient>> connect(const std::string& path);
  ~SqlClient();
  /// Errors: what the engine's DuckDB says (halt 'lake_error'); retry 'engine_absent' if it went away.
  Result<Table> query(const std::string& sql);

 private:
  explicit SqlClient(int socket) : socket_(socket) {}
  int socket_;
};

}  // namespace ff
