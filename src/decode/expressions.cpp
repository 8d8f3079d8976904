#include "decode/expressions.h"

#include <duckdb.h>

#include <cstring>

namespace ff {
namespace {

std::string identifier(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

class DuckDbExpressions final : public Expressions {
 public:
  explicit DuckDbExpressions(const Contract& contract) : contract_(contract), columns_(contract.columns.size()) {}
  ~DuckDbExpressions() override {
    drop_results();
    if (chunk_) duckdb_destroy_data_chunk(&chunk_);
    if (appender_) duckdb_appender_destroy(&appender_);
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }

  Result<void> open() {
    duckdb_config config = nullptr;
    FF_CHECK(duckdb_create_config(&config) == DuckDBSuccess);
    // Expressions are pure functions of the record: no files, no network, one thread so that rows keep their order.
    for (const auto& [name, value] : {std::pair{"threads", "1"}, {"enable_external_access", "false"}})
      FF_CHECK(duckdb_set_config(config, name, value) == DuckDBSuccess);
    const auto opened = duckdb_open_ext(nullptr, &database_, config, nullptr);
    duckdb_destroy_config(&config);
    if (opened != DuckDBSuccess || duckdb_connect(database_, &connection_) != DuckDBSuccess)
      return Error{Recourse::halt, "duckdb_failed", "DuckDB does not start in memory"};
    std::string create = "create temp table record (";
    for (std::size_t i = 0; i < columns_; ++i) create += identifier(contract_.columns[i].name) + " varchar, ";
    if (duckdb_query(connection_, "set timezone = 'UTC'", nullptr) != DuckDBSuccess ||
        duckdb_query(connection_, (create + "ff_row integer)").c_str(), nullptr) != DuckDBSuccess)
      return Error{Recourse::halt, "contract_bad_value",
                   contract_.file + ": two columns have names that SQL cannot tell apart (case does not count)"};
    // One by one first, so that a mistake is said with its line.
    std::string all;
    for (const Expression& expression : contract_.expressions) {
      const std::string text = "try(cast((" + expression.sql + "\n) as varchar))";
      duckdb_prepared_statement prepared = nullptr;
      const bool good =
          duckdb_prepare(connection_, ("select " + text + " from record").c_str(), &prepared) == DuckDBSuccess;
      const std::string said = good ? "" : duckdb_prepare_error(prepared);
      duckdb_destroy_prepare(&prepared);
      if (!good)
        return Error{
            Recourse::halt, "contract_bad_expression",
            contract_.file + ":" + std::to_string(expression.line) +
                ": the expression does not compile (it sees the mapped columns and those in otherColumns, all text): " +
                said};
      all += ", " + text;
    }
    select_ = "select * exclude (ff_row)" + all + " from record order by ff_row";
    if (duckdb_appender_create_ext(connection_, "temp", "main", "record", &appender_) != DuckDBSuccess)
      return failed("appender");
    std::vector<duckdb_logical_type> types(columns_ + 1);
    for (std::size_t i = 0; i < columns_; ++i) types[i] = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    types[columns_] = duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
    chunk_ = duckdb_create_data_chunk(types.data(), types.size());
    for (auto& type : types) duckdb_destroy_logical_type(&type);
    rows_.assign(rows_max, std::vector<Value>(columns_ + contract_.expressions.size()));
    return {};
  }

  void add(Row row) override {
    FF_CHECK(size_ < rows_max);
    for (std::size_t i = 0; i < columns_; ++i) {
      const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk_, i);
      if (row[i].is_null() || row[i].kind == Value::unchanged) {
        duckdb_vector_ensure_validity_writable(vector);
        duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), size_);
      } else {
        duckdb_vector_assign_string_element_len(vector, size_, row[i].bytes.data(), row[i].bytes.size());
      }
    }
    static_cast<std::int32_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk_, columns_)))[size_] =
        static_cast<std::int32_t>(size_);
    ++size_;
  }

  std::size_t size() const override { return size_; }

  Result<const std::vector<std::vector<Value>>*> evaluate() override {
    drop_results();
    if (duckdb_query(connection_, "delete from record", nullptr) != DuckDBSuccess) return failed("delete");
    duckdb_data_chunk_set_size(chunk_, size_);
    if (duckdb_append_data_chunk(appender_, chunk_) != DuckDBSuccess ||
        duckdb_appender_flush(appender_) != DuckDBSuccess)
      return failed("append");
    duckdb_data_chunk_reset(chunk_);
    has_result_ = true;
    // Planned anew each time: a prepared plan keeps the table's statistics of its first day (1.5.5: `x is not null` stays
    // true for ever if x had no null then).
    if (duckdb_query(connection_, select_.c_str(), &result_) != DuckDBSuccess)
      return failed(duckdb_result_error(&result_));
    std::size_t row = 0;
    while (duckdb_data_chunk out = duckdb_fetch_chunk(result_)) {
      results_.push_back(out);
      const std::size_t count = duckdb_data_chunk_get_size(out);
      for (std::size_t c = 0; c < columns_ + contract_.expressions.size(); ++c) {
        const duckdb_vector vector = duckdb_data_chunk_get_vector(out, c);
        auto* strings = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
        std::uint64_t* validity = duckdb_vector_get_validity(vector);
        for (std::size_t i = 0; i < count; ++i) {
          Value& value = rows_[row + i][c];
          if (validity && !duckdb_validity_row_is_valid(validity, i))
            value = {Value::null, {}};
          else
            value = {Value::cell, {duckdb_string_t_data(&strings[i]), duckdb_string_t_length(strings[i])}};
        }
      }
      row += count;
    }
    FF_CHECK(row == size_);
    size_ = 0;
    return &rows_;
  }

 private:
  Error failed(const std::string& what) const {
    return {Recourse::halt, "contract_bad_expression",
            contract_.file + ": evaluating the contract's expressions failed: " + what};
  }
  void drop_results() {
    for (auto& chunk : results_) duckdb_destroy_data_chunk(&chunk);
    results_.clear();
    if (has_result_) duckdb_destroy_result(&result_);
    has_result_ = false;
  }

  const Contract& contract_;
  std::size_t columns_, size_ = 0;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  std::string select_;
  duckdb_appender appender_ = nullptr;
  duckdb_data_chunk chunk_ = nullptr;
  duckdb_result result_{};
  bool has_result_ = false;
  std::vector<duckdb_data_chunk> results_;  ///< the strings of rows_ lie in these
  std::vector<std::vector<Value>> rows_;
};

}  // namespace

Result<std::unique_ptr<Expressions>> Expressions::make(const Contract& contract) {
  auto expressions = std::make_unique<DuckDbExpressions>(contract);
  FF_TRY(expressions->open());
  return std::unique_ptr<Expressions>(std::move(expressions));
}

}  // namespace ff
