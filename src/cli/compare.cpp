#include "cli/compare.h"

#include <fmt/format.h>

#include <iostream>
#include <map>

#include "cli/query.h"
#include "lake/schema.h"

namespace ff::cli {
namespace {

constexpr const char* audit_columns =
    "'source', 'partition', 'position', 'contract', 'contract_version', 'publish_seq'";
// pipeline_freshness speaks of files, not of facts; data_quality_daily counts ops.findings, which are compared themselves.
constexpr const char* outside_the_law = "'pipeline_freshness', 'data_quality_daily'";
constexpr const char* found_at_arrival =
    "'contract_violation', 'unmapped_status', 'coordinate_out_of_range', 'schema_drift'";
constexpr int rows_shown = 5;

}  // namespace

Result<bool> compare(Lake& lake, const std::string& other_directory) {
  FF_TRY(lake.run("attach " + sql_literal(other_directory + "/lake.duckdb") + " as other (read_only)"));
  const Table columns = FF_TRY(lake.query(
      fmt::format("select table_schema || '.' || table_name, column_name from information_schema.columns "
                  "where table_catalog = current_database() and column_name not in ({}) and table_name not in ({}) "
                  "and (table_schema in ('core', 'curated') or table_schema = 'ops' and table_name = 'findings') order "
                  "by 1, ordinal_position",
                  audit_columns, outside_the_law)));
  std::map<std::string, std::string> tables;  // name -> what of it is compared
  for (const auto& row : columns.rows) {
    std::string& compared = tables[*row[0]];
    if (!compared.empty()) compared += ", ";
    if (*row[0] == "ops.findings" && row[1]->ends_with("_at"))
      compared += fmt::format("case when check_name not in ({}) then {} end as {}", found_at_arrival, *row[1], *row[1]);
    else
      compared += '"' + *row[1] + '"';
  }
  const std::string here = FF_TRY(lake.value("select current_database()")).value_or("");
  const auto as_of = FF_TRY(lake.value("select as_of from ops.clock")),
             other_as_of = FF_TRY(lake.value("select as_of from other.ops.clock"));
  if (as_of != other_as_of)
    fmt::print("The first stands as of {}, the second as of {}: what a deadline turns will differ.\n",
               as_of.value_or("-"), other_as_of.value_or("-"));
  long long rows = 0, different = 0;
  for (const auto& [table, compared] : tables) {
    const std::string mine = fmt::format("(select {} from \"{}\".{})", compared, here, table),
                      theirs = fmt::format("(select {} from other.{})", compared, table);
    const std::string only_here = mine + " except all " + theirs, only_there = theirs + " except all " + mine;
    const Table counts = FF_TRY(lake.query(
        fmt::format("select (select count(*) from {}), (select count(*) from ({})), (select count(*) from ({}))", mine,
                    only_here, only_there)));
    const auto count = [&](std::size_t c) { return std::stoll(counts.rows[0][c].value_or("0")); };
    rows += count(0);
    different += count(1) + count(2);
    fmt::print("  {:34} {:>10} rows  {}\n", table, count(0),
               count(1) + count(2) == 0
                   ? "the same"
                   : fmt::format("{} only in the first, {} only in the second", count(1), count(2)));
    std::fflush(stdout);
    for (const auto& [title, sql] :
         {std::pair{"only in the first:", &only_here}, std::pair{"only in the second:", &only_there}}) {
      const Table shown = FF_TRY(lake.query(
          fmt::format("select * from ({}) order by all limit {}", *sql, count(1) + count(2) == 0 ? 0 : rows_shown)));
      if (shown.rows.empty()) continue;
      std::cout << "    " << title << "\n";
      print_table(shown, "      ");
    }
  }
  fmt::print("{} tables, {} rows: {}\n", tables.size(), rows,
             different == 0 ? "the same" : fmt::format("{} rows differ", different));
  return different == 0;
}

}  // namespace ff::cli
