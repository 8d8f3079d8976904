#include "lake/lake.h"

#include <duckdb.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "base/integer.h"
#include "lake/lent.h"
#include "lake/schema.h"
#include "lake/sql_socket.h"
#include "lake/staged.h"

namespace ff {
namespace {

/// What the caller can do about a DuckDB message. Its C API gives text only; the words below are asserted by tests.
Error classify(std::string_view message, std::string_view sql) {
  const auto has = [&](std::string_view word) { return message.find(word) != std::string_view::npos; };
  std::string text(message);
  if (!sql.empty()) text += "\n  in: " + std::string(sql.substr(0, 400));
  if (has("No space left") || has("ENOSPC") || has("disk space") || has("Disk quota") || has("Could not write") ||
      has("failed to write"))
    return {Recourse::retry, "disk_full",
            "the lake's disk is full; free space and the same step is tried again: " + text};
  if (has("Conflicting lock") || has("Could not set lock"))
    return {
        Recourse::halt, "lake_locked",
        "another process owns the lake file; one engine owns it (ask it with `fleetflow query`, or stop it): " + text};
  // The last: of a table that another process has made since this transaction began.
  if (has("Conflict") || has("conflict") || has("does not have a reachable state in this transaction"))
    return {Recourse::retry, "commit_conflict", text};
  // The second: what a commit or a checkpoint says, which lacks the words with which all others begin.
  if (has("Out of Memory") || has("Increasing the memory limit"))
    return {Recourse::retry, "out_of_memory",
            "a lake opened anew may go through; if not, raise --memory-limit (memory_limit of a service) or lower "
            "--batch-records: " +
                text};
  if (has("INTERRUPT Error")) return {Recourse::halt, "lake_interrupted", text};
  return {Recourse::halt, "lake_error", text};
}

/// The newest storage format of the DuckDB we are built with: its dictionaries take a quarter less CPU to write than those
/// of the format that DuckDB makes by itself, which programs before 1.2 can read. An existing file is brought up to it.
constexpr const char* storage_version = "v1.5.0";

std::string attach_file(const std::string& path, int row_group_rows) {
  return "attach " + sql_literal(path.empty() ? ":memory:" : path) + " as lake (row_group_size " +
         std::to_string(row_group_rows) + (path.empty() ? "" : ", storage_version " + sql_literal(storage_version)) +
         ")";
}

/// A new file gets its name when it is whole: a process that is killed while DuckDB makes one would leave a file that nothing
/// opens.
Result<void> make_file(Lake& lake, const std::string& path, int row_group_rows) {
  if (path.empty() || std::filesystem::exists(path)) return {};
  const std::string unborn = path + ".new";
  std::error_code failed;
  for (const char* file : {"", ".wal"}) std::filesystem::remove(unborn + file, failed);
  FF_TRY(lake.run(attach_file(unborn, row_group_rows)));
  FF_TRY(lake.run("checkpoint lake"));
  FF_TRY(lake.run("detach lake"));
  std::filesystem::rename(unborn, path, failed);
  if (failed) return Error{Recourse::halt, "lake_error", "cannot make the lake " + path + ": " + failed.message()};
  return {};
}

struct Database {
  duckdb_database handle = nullptr;
  ~Database() { duckdb_close(&handle); }
};

}  // namespace

struct Lake::Impl {
  std::shared_ptr<Database> database;
  duckdb_connection connection = nullptr;
  std::unique_ptr<SqlClient> remote;  ///< instead of a connection: the engine that owns the lake
  std::string used;                   ///< what two-part names are looked up in
  ~Impl() { duckdb_disconnect(&connection); }
};

Lake::Lake(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Lake::~Lake() = default;

Result<std::unique_ptr<Lake>> Lake::open(const LakeOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->database = std::make_shared<Database>();
  duckdb_config config;
  duckdb_create_config(&config);
  duckdb_set_config(config, "memory_limit", options.memory_limit.c_str());
  duckdb_set_config(config, "threads", std::to_string(options.threads).c_str());
  duckdb_set_config(config, "preserve_insertion_order", "false");
  duckdb_set_config(config, "checkpoint_threshold", "256MB");
  duckdb_set_config(config, "autoinstall_known_extensions", "false");
  if (options.read_only) duckdb_set_config(config, "access_mode", "READ_ONLY");
  if (!options.temp_directory.empty()) duckdb_set_config(config, "temp_directory", options.temp_directory.c_str());
  char* message = nullptr;
  const auto opened =
      duckdb_open_ext(options.read_only ? options.path.c_str() : ":memory:", &impl->database->handle, config, &message);
  duckdb_destroy_config(&config);
  if (opened != DuckDBSuccess) {
    Error error = classify(message ? message : "cannot open", "");
    duckdb_free(message);
    error.message = "lake " + options.path + ": " + error.message;
    return error;
  }
  if (duckdb_connect(impl->database->handle, &impl->connection) != DuckDBSuccess)
    return Error{Recourse::halt, "lake_error", "cannot connect to the lake " + options.path};
  if (!options.read_only && !register_staged(impl->connection))
    return Error{Recourse::halt, "lake_error", "DuckDB does not take the table function staged()"};
  std::unique_ptr<Lake> lake(new Lake(std::move(impl)));
  FF_TRY(lake->run("set timezone = 'UTC'"));
  for (const std::string& sql : options.prepare) FF_TRY(lake->run(sql));
  if (options.read_only) return lake;
  if (options.attach.empty()) FF_TRY(make_file(*lake, options.path, options.row_group_rows));
  FF_TRY(lake->run(!options.attach.empty() ? options.attach : attach_file(options.path, options.row_group_rows)));
  for (const char* schema : {"raw", "core", "curated", "ops"})
    FF_TRY(lake->run(std::string("create schema if not exists lake.") + schema));
  // An Iceberg catalog has no schema 'main'; in a file it is where macros live.
  lake->impl_->used = options.attach.empty() ? "lake" : "lake.core";
  FF_TRY(lake->run("use " + lake->impl_->used));
  return lake;
}

Result<std::unique_ptr<Lake>> Lake::open_to_read(const std::string& directory) {
  LakeOptions options;
  options.path = directory + "/lake.duckdb";
  options.read_only = true;
  auto opened = open(options);
  if (opened.ok()) return opened;
  auto remote = SqlClient::connect(directory + "/sql.sock");
  if (!remote.ok()) return opened.error();
  auto impl = std::make_unique<Impl>();
  impl->remote = std::move(remote).value();
  return std::unique_ptr<Lake>(new Lake(std::move(impl)));
}

Result<std::unique_ptr<Lake>> Lake::connect() {
  auto impl = std::make_unique<Impl>();
  impl->database = impl_->database;
  impl->used = impl_->used;
  if (duckdb_connect(impl->database->handle, &impl->connection) != DuckDBSuccess)
    return Error{Recourse::halt, "lake_error", "cannot open a second connection to the lake"};
  std::unique_ptr<Lake> lake(new Lake(std::move(impl)));
  FF_TRY(lake->run("set timezone = 'UTC'"));
  if (!lake->impl_->used.empty()) FF_TRY(lake->run("use " + lake->impl_->used));
  return lake;
}

Result<void> Lake::run(const std::string& sql) {
  if (impl_->remote)
    return Error{Recourse::retry, "lake_locked",
                 "a running engine owns this lake and lets others only ask; stop it first"};
  duckdb_result result;
  const auto state = duckdb_query(impl_->connection, sql.c_str(), &result);
  std::optional<Error> error;
  if (state != DuckDBSuccess) error = classify(duckdb_result_error(&result), sql);
  duckdb_destroy_result(&result);
  if (error) return *error;
  return {};
}

Result<Table> Lake::query(const std::string& sql) {
  if (impl_->remote) return impl_->remote->query(sql);
  duckdb_result result;
  if (duckdb_query(impl_->connection, sql.c_str(), &result) != DuckDBSuccess) {
    Error error = classify(duckdb_result_error(&result), sql);
    duckdb_destroy_result(&result);
    return error;
  }
  Table table;
  const idx_t columns = duckdb_column_count(&result);
  for (idx_t c = 0; c < columns; ++c) table.columns.emplace_back(duckdb_column_name(&result, c));
  const idx_t rows = duckdb_row_count(&result);
  for (idx_t r = 0; r < rows; ++r) {
    auto& row = table.rows.emplace_back();
    for (idx_t c = 0; c < columns; ++c) {
      char* text = duckdb_value_is_null(&result, c, r) ? nullptr : duckdb_value_varchar(&result, c, r);
      row.push_back(text ? std::optional<std::string>(text) : std::nullopt);
      duckdb_free(text);
    }
  }
  duckdb_destroy_result(&result);
  return table;
}

Result<Table> Lake::query_one(const std::string& sql) {
  duckdb_extracted_statements statements = nullptr;
  const idx_t count = duckdb_extract_statements(impl_->connection, sql.c_str(), &statements);
  duckdb_destroy_extracted(&statements);
  if (count > 1)
    return Error{Recourse::halt, "not_one_statement",
                 "one statement at a time, please; this has " + std::to_string(count)};
  return query(sql);
}

Result<std::optional<std::string>> Lake::value(const std::string& sql) {
  Table table = FF_TRY(query(sql));
  if (table.rows.empty() || table.rows.front().empty()) return std::optional<std::string>();
  return table.rows.front().front();
}

Result<std::int64_t> Lake::integer(const std::string& sql, std::int64_t otherwise) {
  return to_integer(FF_TRY(value(sql)), otherwise);
}

Result<void> Lake::run_with(const std::string& sql, const Rows& rows, const std::vector<std::string>& columns) {
  if (rows.empty()) return {};
  const Lent lent(rows, columns);
  return run("with batch as not materialized (select * from staged(" + std::to_string(lent.id()) + ")) " + sql);
}

Result<void> Lake::insert(const std::string& table, const Rows& rows) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < rows.shape().size(); ++c) names.push_back("c" + std::to_string(c));
  return run_with("insert into " + table + " select * from batch", rows, names);
}

Result<void> Lake::commit() {
  auto done = run("commit");
  if (!done.ok() && done.error().cause == "lake_error") done.error().recourse = Recourse::reconcile;
  return done;
}

void Lake::interrupt() { duckdb_interrupt(impl_->connection); }

void Lake::rollback() { (void)run("rollback").ok(); }

}  // namespace ff
