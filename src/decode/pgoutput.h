/// The messages of Postgres' own logical decoding plugin, `pgoutput`, protocol 1 and 2: bytes to structs, nothing else.
///
/// Pure: no connection, no memory of relations or transactions; whoever reads a stream keeps those
/// (source/postgres_transactions.h). Every string_view points into the bytes given to parse(), which must outlive the
/// message. Any bytes are read or refused, never a crash (pgoutput_fuzz.cpp).
/// Source: PostgreSQL documentation, "Logical Replication Message Formats".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "decode/lsn.h"
#include "domain/fact.h"

namespace ff {

struct PgColumn {
  std::string name;
  std::uint32_t type = 0;  ///< OID in pg_type
  bool is_key = false;     ///< part of the replica identity
  bool operator==(const PgColumn&) const = default;
};

/// A table as it was when the changes that follow were made.
struct PgRelation {
  std::uint32_t oid = 0;
  std::string schema, table;
  char replica_identity = 'd';  ///< d default, n nothing, f full, i index
  std::vector<PgColumn> columns;
};

struct PgCell {
  enum Kind : std::uint8_t {
    null,
    unchanged,  ///< a stored-out-of-line (TOAST) value that this update did not touch: not sent
    text,
    binary,
  };
  Kind kind = null;
  std::string_view bytes;
};

enum class PgMessageKind : char {
  begin = 'B',
  commit = 'C',
  origin = 'O',
  relation = 'R',
  type = 'Y',
  insert = 'I',
  update = 'U',
  remove = 'D',
  truncate = 'T',
  logical = 'M',
  stream_start = 'S',
  stream_stop = 'E',
  stream_commit = 'c',
  stream_abort = 'A',
};

/// Which old row came with an update or delete.
enum class PgOldRow : char { absent = 0, key = 'K', full = 'O' };

/// One message; which members count follows from the kind. Made to be reused: vectors keep their capacity.
struct PgMessage {
  PgMessageKind kind = PgMessageKind::begin;
  std::uint32_t xid = 0;  ///< begin, stream_*: the transaction; in a streamed chunk: the (sub)transaction of the change
  std::uint32_t sub_xid = 0;             ///< stream_abort: what was rolled back; equal to xid: all of it
  Lsn commit_lsn;                        ///< begin, commit, stream_commit: where the commit record starts
  Lsn end_lsn;                           ///< commit, stream_commit: where it ends
  Micros commit_time = 0;                ///< begin, commit, stream_commit
  std::uint32_t relation_oid = 0;        ///< insert, update, remove
  PgOldRow old_kind = PgOldRow::absent;  ///< update, remove
  std::vector<PgCell> old_row, new_row;
  PgRelation relation;
  std::vector<std::uint32_t> truncated;  ///< relations
  std::string_view prefix, content;      ///< logical
};

/// Whether the message stands inside a chunk of a transaction that has not ended yet (protocol 2); then changes carry the
/// transaction they belong to.
enum class PgStreaming : bool { no, yes };

/// Error: halt `replication_protocol`: what is wrong with the bytes, and where.
Result<void> parse_pgoutput(std::string_view bytes, PgStreaming streaming, PgMessage& out);

/// 2000-01-01 in microseconds of 1970: the epoch of Postgres' binary times.
inline constexpr Micros pg_epoch = 946'684'800LL * 1'000'000;

}  // namespace ff
