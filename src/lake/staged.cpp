#include "lake/staged.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "lake/lent.h"

namespace ff {
namespace {

struct Loan {
  const Rows* rows;
  std::vector<std::string> columns;
};

std::mutex loans_mutex;
std::map<std::int64_t, Loan>& loans() {
  static std::map<std::int64_t, Loan> all;
  return all;
}

std::optional<Loan> find_loan(std::int64_t id) {
  const std::lock_guard lock(loans_mutex);
  const auto it = loans().find(id);
  return it == loans().end() ? std::nullopt : std::optional(it->second);
}

duckdb_type type_of(char letter) {
  switch (letter) {
    case 's':
      return DUCKDB_TYPE_VARCHAR;
    case 'i':
      return DUCKDB_TYPE_BIGINT;
    case 'b':
      return DUCKDB_TYPE_BOOLEAN;
    case 't':
      return DUCKDB_TYPE_TIMESTAMP;
    case 'd':
      return DUCKDB_TYPE_DATE;
  }
  check_failed("a shape has the letters s i b t d only", __FILE__, __LINE__);
}

/// A string that points at bytes of ours: DuckDB copies what it keeps.
duckdb_string_t borrowed(std::string_view bytes) {
  duckdb_string_t text{};
  text.value.inlined.length = static_cast<std::uint32_t>(bytes.size());
  if (bytes.size() <= sizeof text.value.inlined.inlined) {
    std::memcpy(text.value.inlined.inlined, bytes.data(), bytes.size());
  } else {
    std::memcpy(text.value.pointer.prefix, bytes.data(), sizeof text.value.pointer.prefix);
    text.value.pointer.ptr = const_cast<char*>(bytes.data());
  }
  return text;
}

/// Shows rows [from, from + count) of one column in a DuckDB vector.
void fill(duckdb_vector vector, char letter, const Rows::Column& column, std::size_t from, std::size_t count) {
  void* data = duckdb_vector_get_data(vector);
  std::uint64_t* validity = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    if (column.is_null(from + i)) {
      if (!validity) {
        duckdb_vector_ensure_validity_writable(vector);
        validity = duckdb_vector_get_validity(vector);
      }
      duckdb_validity_set_row_invalid(validity, i);
      continue;
    }
    switch (letter) {
      case 's':
        static_cast<duckdb_string_t*>(data)[i] = borrowed(column.text(from + i));
        break;
      case 'b':
        static_cast<bool*>(data)[i] = column.number(from + i) != 0;
        break;
      case 'd':
        static_cast<std::int32_t*>(data)[i] = static_cast<std::int32_t>(column.number(from + i));
        break;
      default:
        static_cast<std::int64_t*>(data)[i] = column.number(from + i);
    }
  }
}

void bind(duckdb_bind_info info) {
  duckdb_value value = duckdb_bind_get_parameter(info, 0);
  const auto loan = find_loan(duckdb_get_int64(value));
  duckdb_destroy_value(&value);
  if (!loan) return duckdb_bind_set_error(info, "staged() knows no such rows; it is for the engine itself");
  const std::string& shape = loan->rows->shape();
  for (std::size_t c = 0; c < shape.size(); ++c) {
    duckdb_logical_type type = duckdb_create_logical_type(type_of(shape[c]));
    duckdb_bind_add_result_column(info, loan->columns[c].c_str(), type);
    duckdb_destroy_logical_type(&type);
  }
  duckdb_bind_set_cardinality(info, loan->rows->size(), true);
  duckdb_bind_set_bind_data(info, new Loan(*loan), [](void* p) { delete static_cast<Loan*>(p); });
}

/// The columns that a query asks for, and the next row to show; one thread reads, so that rows keep their order.
struct Reading {
  std::vector<idx_t> columns;
  std::size_t next = 0;
};

void begin(duckdb_init_info info) {
  auto reading = std::make_unique<Reading>();
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i)
    reading->columns.push_back(duckdb_init_get_column_index(info, i));
  duckdb_init_set_max_threads(info, 1);
  duckdb_init_set_init_data(info, reading.release(), [](void* p) { delete static_cast<Reading*>(p); });
}

void show(duckdb_function_info info, duckdb_data_chunk chunk) {
  const Loan& loan = *static_cast<Loan*>(duckdb_function_get_bind_data(info));
  Reading& reading = *static_cast<Reading*>(duckdb_function_get_init_data(info));
  const std::size_t count = std::min<std::size_t>(duckdb_vector_size(), loan.rows->size() - reading.next);
  const std::string& shape = loan.rows->shape();
  for (std::size_t i = 0; i < reading.columns.size(); ++i)
    if (const idx_t c = reading.columns[i]; c < shape.size())  // One that only counts rows asks for none of ours.
      fill(duckdb_data_chunk_get_vector(chunk, i), shape[c], loan.rows->column(c), reading.next, count);
  duckdb_data_chunk_set_size(chunk, count);
  reading.next += count;
}

}  // namespace

bool register_staged(duckdb_connection connection) {
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_table_function_set_name(function, "staged");
  duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
  duckdb_table_function_add_parameter(function, number);
  duckdb_destroy_logical_type(&number);
  duckdb_table_function_set_bind(function, bind);
  duckdb_table_function_set_init(function, begin);
  duckdb_table_function_set_function(function, show);
  duckdb_table_function_supports_projection_pushdown(function, true);
  const bool done = duckdb_register_table_function(connection, function) == DuckDBSuccess;
  duckdb_destroy_table_function(&function);
  return done;
}

Lent::Lent(const Rows& rows, const std::vector<std::string>& columns) {
  static std::int64_t last_id = 0;
  FF_CHECK(columns.size() == rows.shape().size());
  const std::lock_guard lock(loans_mutex);
  id_ = ++last_id;
  loans().emplace(id_, Loan{&rows, columns});
}

Lent::~Lent() {
  const std::lock_guard lock(loans_mutex);
  loans().erase(id_);
}

}  // namespace ff
