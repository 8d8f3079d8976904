/// Rows of ours as a table of DuckDB's: `select * from staged(ID)`, read in place, without a copy on the way.
///
/// Known to a database since `register_staged`; an ID that is not being lent gives an error, so nobody else's SQL can
/// reach into our memory. Any thread.
#pragma once

#include <duckdb.h>

namespace ff {

/// Makes staged() known to the database of this connection. False if DuckDB refuses.
bool register_staged(duckdb_connection connection);

}  // namespace ff
