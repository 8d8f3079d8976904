/// Rows of ours as a table of DuckDB's: `select * from staged(ID)`, read in place, without a copy on the way.
///
/// Known to a database since `register_staged`; an ID that is not being lent gives an error, so nobody else's SQL can
/// reach into our memory. Any thread.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <string>
#include <vector>

#include "lake/rows.h"

namespace ff {

/// Makes staged() known to the database of this connection. False if DuckDB refuses.
bool register_staged(duckdb_connection connection);

/// Lends `rows` under a number, until destroyed. Rows and the statement's result must not outlive it.
class Lent {
 public:
  Lent(const Rows& rows, const std::vector<std::string>& columns);
  ~Lent();
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  std::int64_t id() const { return id_; }

 private:
  std::int64_t id_;
};

}  // namespace ff
