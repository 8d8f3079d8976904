#include "lake/export.h"

#include <filesystem>

#include "lake/schema.h"

namespace ff {
namespace fs = std::filesystem;

Result<void> export_parquet(Lake& lake, const std::string& folder) {
  const fs::path target = fs::absolute(folder).lexically_normal(), beside = target.string() + ".next",
                 old = target.string() + ".old";
  std::error_code error;
  fs::remove_all(beside, error);
  const Table tables =
      FF_TRY(lake.query("select table_schema, table_name from information_schema.tables where table_schema in ('core', "
                        "'curated', 'ops') order by all"));
  for (const auto& row : tables.rows) {
    fs::create_directories(beside / *row[0], error);
    if (error)
      return Error{Recourse::retry, "export_unwritable",
                   "cannot write " + beside.string() + ": " + error.message() + "; set --out"};
    FF_TRY(lake.run("copy (select * from " + *row[0] + "." + *row[1] + ") to " +
                    sql_literal((beside / *row[0] / (*row[1] + ".parquet")).string()) +
                    " (format parquet, compression zstd)"));
  }
  fs::remove_all(old, error);
  if (fs::exists(target)) fs::rename(target, old, error);
  fs::rename(beside, target, error);
  if (error)
    return Error{Recourse::retry, "export_unwritable",
                 "cannot put the export in place at " + target.string() + ": " + error.message()};
  fs::remove_all(old, error);
  return {};
}

}  // namespace ff
