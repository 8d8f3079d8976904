/// What a lake's curated tables say, gathered once and told twice: as text for a terminal and as one page for a browser.
///
/// The questions are report.sql, a block per table; the two tellings only lay tables out. A chart is a table whose first
/// column is the category and whose other columns are the parts, so a new chart is a block of SQL and one line.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lake/lake.h"

namespace ff {

/// The answers, by the names in report.sql; each has its columns even where it has no rows.
using Report = std::map<std::string, Table, std::less<>>;

/// Reads curated.* only.
Result<Report> ask_report(Lake& lake);

/// At most 120 characters wide.
std::string report_text(const Report& report);

/// One self-contained page: no script, no network; light or dark as the reader's system is.
std::string report_html(const Report& report);

}  // namespace ff
