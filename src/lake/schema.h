/// Makes the lake's tables and fills the small ones that models read: the clock, the calendar, the reference data.
#pragma once

#include <string>

#include "base/result.h"
#include "domain/fact.h"
#include "lake/lake.h"

namespace ff {

/// Creates what is missing of src/lake/schema.sql, and the functions.
Result<void> create_tables(Lake& lake);

/// The two functions of the portable SQL subset, unix_micros and timestamp_micros. In a file they stay, so that whoever opens it can
/// read every view; a catalog has no place for them, and they are this connection's.
Result<void> create_functions(Lake& lake);

/// Replaces ops.statuses, ops.sla_policy, ops.exceptions and ops.calendar. `reporting_zone` is an IANA name; an unknown
/// one is refused with cause 'unknown_zone'.
Result<void> load_reference(Lake& lake, const std::string& reference_directory, const std::string& reporting_zone);

/// Replaces the one row of ops.clock.
Result<void> set_clock(Lake& lake, Micros as_of, const std::string& reporting_zone);

/// `text` as an SQL literal.
std::string sql_literal(std::string_view text);

/// A time as an SQL literal; `none` is NULL.
std::string timestamp_literal(Micros at);

}  // namespace ff
