#include "lake/schema.h"

#include "base/time.h"
#include "embedded/schema_sql.h"

namespace ff {

std::string sql_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

std::string timestamp_literal(Micros at) {
  if (at == none) return "cast(null as timestamp)";
  std::string text = format_rfc3339(at);
  text.pop_back();
  text[10] = ' ';
  return "timestamp '" + text + "'";
}

namespace {

/// A file's tables with the compression that pays: a payload's texts repeat their keys, not themselves, so a dictionary
/// is tried in vain and zstd makes them a third smaller at the same cost. A catalog compresses its Parquet itself.
std::string compressed(std::string sql) {
  constexpr std::string_view column = "payload varchar", compression = " using compression zstd";
  for (auto at = sql.find(column); at != std::string::npos; at = sql.find(column, at + column.size()))
    sql.insert(at + column.size(), compression);
  return sql;
}

}  // namespace

Result<void> create_tables(Lake& lake) {
  const bool is_file =
      FF_TRY(lake.value("select type from duckdb_databases() where database_name = current_database()")) == "duckdb";
  const std::string tables(embedded::schema_sql);
  FF_TRY(lake.run(is_file ? compressed(tables) : tables));
  // In a file the functions stay, so that whoever opens it can read every view; a catalog has no place for them.
  const std::string create = is_file ? "create macro if not exists " : "create or replace temp macro ";
  FF_TRY(lake.run(create + "unix_micros(t) as epoch_us(t)"));
  return lake.run(create + "timestamp_micros(u) as make_timestamp(u)");
}

Result<void> load_reference(Lake& lake, const std::string& directory, const std::string& zone) {
  const auto known = FF_TRY(lake.value("select count(*) from pg_timezone_names() where name = " + sql_literal(zone)));
  if (known != "1")
    return Error{Recourse::halt, "unknown_zone",
                 "the reporting zone '" + zone + "' is no IANA time zone; set --reporting-zone, e.g. America/New_York"};
  const auto csv = [&](const char* file) {
    return "read_csv(" + sql_literal(directory + "/" + file) + ", header = true)";
  };
  FF_TRY(lake.run("delete from ops.statuses; insert into ops.statuses select * from " + csv("statuses.csv")));
  FF_TRY(lake.run("delete from ops.sla_policy; insert into ops.sla_policy select * from " + csv("sla_policy.csv")));
  FF_TRY(lake.run("delete from ops.exceptions; insert into ops.exceptions select e.*, o.owner_hint from " +
                  csv("exceptions.csv") + " e left join " + csv("exception_owners.csv") + " o using (type)"));
  // A local day may touch three UTC dates in no zone, two in most; the join key is the UTC date of the moment asked about.
  return lake.run(
      "delete from ops.calendar; insert into ops.calendar with days as (select cast(d as date) as date, "
      "timezone('UTC', timezone(" +
      sql_literal(zone) +
      ", cast(d as timestamp))) as start_at, "
      "timezone('UTC', timezone(" +
      sql_literal(zone) +
      ", cast(cast(d + interval 1 day as date) as timestamp))) as end_at "
      "from range(timestamp '1999-12-31', timestamp '2050-01-02', interval 1 day) r(d)) "
      "select distinct unnest([cast(start_at as date), cast(end_at - interval 1 microsecond as date)]) as utc_date, "
      "start_at, end_at, date from days");
}

Result<void> set_clock(Lake& lake, Micros as_of, const std::string& zone) {
  return lake.run("delete from ops.clock; insert into ops.clock values (" + timestamp_literal(as_of) + ", " +
                  sql_literal(zone) + ")");
}

}  // namespace ff
