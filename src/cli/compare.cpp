#include "cli/compare.h"

#include <fmt/format.h>

#include <iostream>

#include "cli/query.h"
#include "lake/schema.h"

namespace ff::cli {
namespace {

constexpr const char* audit_columns = "'source', 'partition', 'position', 'contract', 'contract_version', 'publish_seq'";
// pipeline_freshness speaks of files, not of facts; data_quality_daily counts ops.findings, which are compared themselves.
constexpr const char* outside_the_law = "'pipeline_freshness', 'data_quality_daily'";
constexpr const char* found_at_arrival = "'contract_violation', 'unmapped_status', 'coordinate_out_of_range', 'schema_drift'";
constexpr int rows_shown = 5;

}  // namespace

Result<bool> compare(Lake& lake, const std::string& other_directory) {
  FF_TRY(lake.run("attach " + sql_literal(other_directory + "/lake.duckdb") + " as other (read_only)"));
  const Table tables = FF_TRY(lake.query(fmt::format(
      "select table_schema || '.' || table_name, string_agg(case when table_name = 'findings' and column_name in ('opened_at', 'resolved_at') "
      "then 'case when check_name not in ({}) then ' || column_name || ' end as ' || column_name else '\"' || column_name || '\"' end, ', ' order by ordinal_position) "
      "from information_schema.columns where table_catalog = current_database() and column_name not in ({}) and table_name not in ({}) "
      "and (table_schema in ('core', 'curated') or table_schema = 'ops' and table_name = 'findings') group by all order by 1",
      found_at_arrival, audit_columns, outside_the_law)));
  const std::string here = FF_TRY(lake.value("select current_database()")).value_or("");
  long long rows = 0, different = 0;
  for (const auto& row : tables.rows) {
    const std::string mine = fmt::format("(select {} from \"{}\".{})", *row[1], here, *row[0]), theirs = fmt::format("(select {} from other.{})", *row[1], *row[0]);
    const std::string only_here = mine + " except all " + theirs, only_there = theirs + " except all " + mine;
    const Table counts = FF_TRY(lake.query(fmt::format("select (select count(*) from {}), (select count(*) from ({})), (select count(*) from ({}))", mine, only_here, only_there)));
    const auto count = [&](std::size_t c) { return std::stoll(counts.rows[0][c].value_or("0")); };
    rows += count(0);
    different += count(1) + count(2);
    fmt::print("  {:34} {:>10} rows  {}\n", *row[0], count(0), count(1) + count(2) == 0 ? "the same" : fmt::format("{} only in the first, {} only in the second", count(1), count(2)));
    std::fflush(stdout);
    for (const auto& [title, sql] : {std::pair{"only in the first:", &only_here}, std::pair{"only in the second:", &only_there}}) {
      const Table shown = FF_TRY(lake.query(fmt::format("select * from ({}) order by all limit {}", *sql, count(1) + count(2) == 0 ? 0 : rows_shown)));
      if (shown.rows.empty()) continue;
      std::cout << "    " << title << "\n";
      print_table(shown, "      ");
    }
  }
  fmt::print("{} tables, {} rows: {}\n", tables.rows.size(), rows, different == 0 ? "the same" : fmt::format("{} rows differ", different));
  return different == 0;
}

}  // namespace ff::cli
