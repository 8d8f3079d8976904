/// Answers for a person's terminal, or for a program.
#pragma once

#include <string>

#include "base/result.h"
#include "lake/lake.h"

namespace ff::cli {

/// `format`: table, csv or json (one array of objects).
Result<void> print_query(Lake& lake, const std::string& sql, const std::string& format);
/// A table with aligned columns; NULL is shown as a dash.
void print_table(const Table& table, const std::string& indent = "");

}  // namespace ff::cli
