/// The lake: whatever DuckDB has attached, a file or an Iceberg catalog, spoken to in SQL that both understand.
///
/// One Lake is one connection and belongs to one thread. `begin` … `commit` make everything between visible at once or
/// not at all. A commit that fails with Recourse::reconcile may have happened: look for its publish_seq in ops.commits
/// before doing anything else. Appends go through `insert`/`run_with`, which hand a batch of columns to a statement.
/// Source: architecture, "One SQL code path, two attach strings"; DuckDB C API 1.5.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "lake/rows.h"

namespace ff {

struct LakeOptions {
  std::string path;    ///< a DuckDB file (made if absent), or empty for memory
  std::string attach;  ///< instead of `path`: a full ATTACH statement that names the database `lake` (Iceberg)
  std::vector<std::string> prepare;  ///< statements before the attach: LOAD, CREATE SECRET
  std::string memory_limit = "512MB";
  std::string temp_directory;  ///< where DuckDB may spill; empty: beside the file
  /// DuckDB's. The engine decodes and folds on threads of its own beside them.
  int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency() / 2));
  bool read_only = false;
  /// Rows in a row group of a file. DuckDB keeps some 2 KB for each column of each group in memory, whatever its limit says,
  /// and never gives them back: a lake that grows for years wants large groups. Small ones are filled by one commit and go to
  /// the file compressed, past the write-ahead log, for a tenth to a quarter less CPU.
  int row_group_rows = 30'720;
};

/// One result as text: NULL is nullopt.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
};

class Lake {
 public:
  static Result<std::unique_ptr<Lake>> open(const LakeOptions& options);
  /// To read only: the file itself, or, while an engine owns it or the lake is a catalog, that engine's socket (`sql.sock` in
  /// the folder); then only `query` and `value` work.
  static Result<std::unique_ptr<Lake>> open_to_read(const std::string& directory);
  ~Lake();
  Lake(const Lake&) = delete;
  Lake& operator=(const Lake&) = delete;

  /// A second connection to the same lake, for another thread; it must not outlive this one.
  Result<std::unique_ptr<Lake>> connect();

  Result<void> run(const std::string& sql);
  Result<Table> query(const std::string& sql);
  /// As query(), and refuses anything but one statement (halt 'not_one_statement').
  Result<Table> query_one(const std::string& sql);
  /// The single value of a query with one row and one column; nullopt for NULL or no row.
  Result<std::optional<std::string>> value(const std::string& sql);
  /// The same as a number; `otherwise` for NULL or no row.
  Result<std::int64_t> integer(const std::string& sql, std::int64_t otherwise = 0);

  /// Runs `sql`, in which `batch` is a table with these columns and rows, read in place.
  /// `sql` is an INSERT, UPDATE or DELETE; without rows nothing is run.
  Result<void> run_with(const std::string& sql, const Rows& rows, const std::vector<std::string>& columns);
  /// Appends rows to `table`, all of its columns in order.
  Result<void> insert(const std::string& table, const Rows& rows);

  Result<void> begin() { return run("begin transaction"); }
  Result<void> commit();
  void rollback();
  /// Whatever statement is running fails (halt 'lake_interrupted'); of one that begins at this moment nobody knows. Any thread.
  void interrupt();

 private:
  struct Impl;
  explicit Lake(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff
