/// How a cell reads: what a column is called, and its values in the units of people.
///
/// The unit is in the column's name, as everywhere in the lake: _rate and utilization are shares, _s seconds, _cm
/// centimetres, _at and the like times.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lake/lake.h"

namespace ff {

using Cell = std::optional<std::string>;

/// Zero if it is no number.
double number(const Cell& cell);
/// 1234567 as 1,234,567.
std::string grouped(std::string_view digits);
/// 'on_time_rate' as 'on time'.
std::string heading(std::string_view column);
/// The value for a reader; '–' for null.
std::string words(std::string_view column, const Cell& cell);
bool is_number(std::string_view column, const Cell& cell);

/// The named cell of a table with one row.
const Cell& cell_of(const Table& table, std::string_view column);

}  // namespace ff
