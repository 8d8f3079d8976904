/// Do two lakes say the same? The law made visible: the same facts in another order, another number of copies or after a
/// crash must give the same tables.
#pragma once

#include <string>

#include "base/result.h"
#include "lake/lake.h"

namespace ff::cli {

/// Compares every table of core and curated, and ops.findings, row for row with those of the lake in `other_directory`,
/// and prints a line per table and the first rows that only one of them has. True if there are none.
///
/// Left out is what the law leaves out: audit columns (where a fact was read, which commit wrote a row), and when a record
/// that could not be read arrived, for it has no other time.
Result<bool> compare(Lake& lake, const std::string& other_directory);

}  // namespace ff::cli
