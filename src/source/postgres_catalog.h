/// What a server says about itself, a slot, a publication and the tables of our contracts; and whether that will do.
///
/// Every refusal is a `halt` that names the thing and the statement that mends it. Threads: those of the connection given.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "contract/contract.h"
#include "decode/pgoutput.h"
#include "source/postgres_connection.h"
#include "source/postgres_position.h"

namespace ff {

struct PgSystem {
  std::string system_id;  ///< of the cluster, since initdb
  std::int64_t timeline = 0;
};
/// On a replication connection.
Result<PgSystem> identify(PgConnection& replication);

struct PgSlot {
  bool exists = false;
  Lsn confirmed;     ///< the server sends nothing that committed before
  std::string lost;  ///< why the server has invalidated it; empty: it has not
};
Result<PgSlot> find_slot(PgConnection& sql, const std::string& slot);

/// Whether reading may go on at `mark`. `replication` is asked for the history of timelines where they differ.
/// Errors: halt `other_cluster`, `timeline_diverged`, `slot_missing`, `slot_lost`, `slot_gap`.
Result<void> check_mark(PgConnection& replication, const PgSystem& system, const PgSlot& slot,
                        const std::string& slot_name, const PgPosition& mark);

/// Whether a contract describes a table of this server (`servers[].server`); empty: of any.
inline bool is_of_server(const Contract& contract, const std::string& server) {
  return contract.format == Format::postgres && (server.empty() || contract.server == server);
}

/// A table, or a leaf of a partitioned one: where rows lie.
struct PgLeaf {
  std::string schema, table;
  std::int64_t pages = 0;
  std::int64_t rows = 0;   ///< about, by the server's statistics; where it has none: 50 a page
  bool has_toast = false;  ///< values are stored out of line, so that updates may leave them out
};

struct PgTable {
  std::uint32_t feed = 0;
  std::string schema, table;
  std::vector<PgColumn> columns;  ///< that the contract knows, are published and are not pii
  std::string row_filter;         ///< of the publication, SQL; empty: none
  std::vector<PgLeaf> leaves;
  bool all_types_binary = false;  ///< pg_binary.h can read every published column
};

/// The tables of the set's contracts of this server (empty: of all).
/// Errors: halt `wal_level`, `publication_missing`, `table_missing`, `table_not_published`, `table_mismatch` (a column),
/// `replica_identity`.
Result<std::vector<PgTable>> find_tables(PgConnection& sql, const ContractSet& contracts,
                                         const std::string& publication, const std::string& server);

/// Whether what the server sends of a changed or deleted row tells what it was about. Error: halt `replica_identity`.
Result<void> check_identity(const Contract& contract, const std::vector<std::string>& sent);

}  // namespace ff
