#include "source/postgres_catalog.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "base/integer.h"
#include "decode/pg_binary.h"
#include "decode/postgres_rows.h"

namespace ff {
namespace {

Error halt(const char* cause, std::string message) { return {Recourse::halt, cause, std::move(message)}; }

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, '\x1f');) out.push_back(part);
  return out;
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string qualified(const Contract& contract) { return contract.table_schema + "." + contract.table; }

/// The columns whose old values the server sends, by the replica identity of one table.
constexpr const char* identity_columns =
    "array_to_string(array(select a.attname from pg_index i cross join unnest(i.indkey) k join pg_attribute a on "
    "a.attrelid = i.indrelid and a.attnum = k where i.indrelid = c.oid and case c.relreplident when 'd' then "
    "i.indisprimary when 'i' then i.indisreplident else false end), E'\\x1f')";

struct Publication {
  bool updates_or_deletes = false, via_root = false;
};

Result<Publication> find_publication(PgConnection& sql, const ContractSet& contracts, const std::string& name,
                                     const std::string& server) {
  const PgRows rows = FF_TRY(
      sql.query("select pubupdate or pubdelete, pubviaroot from pg_publication where pubname = " + sql.literal(name)));
  if (!rows.empty()) return Publication{*rows[0][0] == "t", *rows[0][1] == "t"};
  std::string tables;
  for (const Contract& c : contracts)
    if (is_of_server(c, server))
      tables += (tables.empty() ? "" : ", ") + sql.identifier(c.table_schema) + "." + sql.identifier(c.table);
  return halt("publication_missing", "the publication '" + name + "' is not in " + sql.where() +
                                         "; as the tables' owner: CREATE PUBLICATION " + sql.identifier(name) +
                                         " FOR TABLE " + tables + " WITH (publish_via_partition_root = true)");
}

Result<void> read_leaves(PgConnection& sql, const std::string& oid, PgTable& table) {
  const PgRows rows = FF_TRY(
      sql.query("select n.nspname, c.relname, pg_relation_size(c.oid) / current_setting('block_size')::bigint, "
                "case when c.reltoastrelid = 0 then 0 else pg_relation_size(c.reltoastrelid) end, "
                "(pg_relation_size(c.oid) / current_setting('block_size')::bigint * case when c.reltuples > 0 and "
                "c.relpages > 0 then c.reltuples / c.relpages else 50 end)::bigint from pg_class c join "
                "pg_namespace n on "
                "n.oid = c.relnamespace where c.relkind = 'r' and (c.oid = " +
                oid + " or c.oid in (select relid from pg_partition_tree(" + oid + ") where isleaf)) order by c.oid"));
  for (const auto& row : rows)
    table.leaves.push_back({*row[0], *row[1], to_integer(row[2]), to_integer(row[4]), to_integer(row[3]) > 0});
  return {};
}

/// The replica identity of the table, and of every partition: the server decides by the partition what it logs.
Result<void> check_identities(PgConnection& sql, const std::string& oid, const Contract& contract) {
  const PgRows rows =
      FF_TRY(sql.query(std::string("select n.nspname, c.relname, c.relreplident, ") + identity_columns +
                       " from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = " + oid +
                       " or c.oid in (select relid from pg_partition_tree(" + oid + "))"));
  for (const auto& row : rows)
    if (*row[2] != "f") {
      if (auto checked = check_identity(contract, split(*row[3])); !checked.ok())
        return halt("replica_identity", *row[0] + "." + *row[1] + ": " + checked.error().message);
    }
  return {};
}

Result<void> read_columns(PgConnection& sql, const std::string& oid, const std::string& publication,
                          const Contract& contract, PgTable& table) {
  const PgRows columns =
      FF_TRY(sql.query("select a.attname, a.atttypid, a.attgenerated <> '', t.typtype = 'e' from pg_attribute a join "
                       "pg_type t on t.oid = "
                       "a.atttypid where a.attrelid = " +
                       oid + " and a.attnum > 0 and not a.attisdropped order by a.attnum"));
  std::vector<std::string> published;
  for (const auto& c : columns)
    if (*c[2] != "t") published.push_back(*c[0]);
  if (sql.server_version() >= 150000) {
    const PgRows limits = FF_TRY(
        sql.query("select array_to_string(attnames, E'\\x1f'), rowfilter from pg_publication_tables where pubname = " +
                  sql.literal(publication) + " and schemaname = " + sql.literal(table.schema) +
                  " and tablename = " + sql.literal(table.table)));
    if (!limits.empty() && limits[0][0]) published = split(*limits[0][0]);
    if (!limits.empty() && limits[0][1]) table.row_filter = *limits[0][1];
  }
  table.all_types_binary = true;
  for (const auto& c : columns) {
    if (!holds(published, *c[0])) continue;
    const auto type = static_cast<std::uint32_t>(to_integer(c[1]));
    table.all_types_binary &= *c[3] == "t" || is_binary_known(type);
    for (const Column& known : contract.columns)
      if (known.name == *c[0] && known.role != ColumnRole::pii) table.columns.push_back({*c[0], type, false});
  }
  for (const Column& known : contract.columns)
    if (known.role != ColumnRole::pii && !holds(published, known.name))
      return halt("table_mismatch",
                  contract.file + " reads the column '" + known.name + "', which " + qualified(contract) +
                      " does not publish: there is none, it is generated, or the publication's column "
                      "list leaves it out; mend the contract or ALTER PUBLICATION");
  return {};
}

}  // namespace

Result<PgSystem> identify(PgConnection& replication) {
  const PgRows rows = FF_TRY(replication.query("IDENTIFY_SYSTEM"));
  return PgSystem{*rows.at(0)[0], to_integer(rows[0][1])};
}

Result<PgSlot> find_slot(PgConnection& sql, const std::string& slot) {
  // Columns of later versions are read through a JSON object, so that one statement serves all.
  const PgRows rows =
      FF_TRY(sql.query("select confirmed_flush_lsn, plugin, database = current_database(), coalesce(wal_status, ''), "
                       "coalesce(to_jsonb(s) ->> 'invalidation_reason', ''), (to_jsonb(s) ->> 'conflicting')::boolean, "
                       "database from pg_replication_slots s where slot_name = " +
                       sql.literal(slot)));
  if (rows.empty()) return PgSlot{};
  const auto& row = rows[0];
  if (!row[1] || *row[1] != "pgoutput" || !row[2] || *row[2] != "t")
    return halt("slot_foreign", "the replication slot '" + slot + "' is not ours: its plugin is '" +
                                    row[1].value_or("") + "', its database '" + row[6].value_or("") +
                                    "'; it has to be 'pgoutput' of this database: choose another slot name");
  PgSlot out{true, {}, {}};
  if (row[0]) out.confirmed = parse_lsn(*row[0]).value_or(Lsn{});
  if (*row[3] == "lost") out.lost = "wal_status is 'lost'";
  if (row[5] && *row[5] == "t") out.lost = "it conflicts with recovery";
  if (!row[4]->empty()) out.lost = "invalidation_reason is '" + *row[4] + "'";
  return out;
}

namespace {

/// A higher timeline is a failover. It is ours as long as it left the old one behind the mark.
Result<void> check_timeline(PgConnection& replication, const PgSystem& system, const PgPosition& mark) {
  if (mark.timeline == system.timeline) return {};
  std::string what =
      "timeline " + std::to_string(system.timeline) + " is older than the lake's " + std::to_string(mark.timeline);
  if (system.timeline > mark.timeline) {
    const PgRows rows = FF_TRY(replication.query("TIMELINE_HISTORY " + std::to_string(system.timeline)));
    std::istringstream lines(rows.at(0)[1].value_or(""));
    what = "timeline " + std::to_string(system.timeline) + " does not come from the lake's " +
           std::to_string(mark.timeline);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::int64_t timeline = 0;
      std::string left_at;
      words >> timeline >> left_at;
      const auto lsn = parse_lsn(left_at);
      if (timeline != mark.timeline || !lsn) continue;
      if (mark.lsn <= *lsn) return {};
      what = "timeline " + std::to_string(system.timeline) + " left the lake's " + std::to_string(mark.timeline) +
             " at " + to_text(*lsn);
    }
  }
  return halt("timeline_diverged", replication.where() + ": " + what + ", and the lake has read up to " +
                                       to_text(mark.lsn) +
                                       ": it holds changes that this server never had. Raise authority.epoch in the "
                                       "contracts and read into a new lake");
}

}  // namespace

Result<void> check_mark(PgConnection& replication, const PgSystem& system, const PgSlot& slot,
                        const std::string& slot_name, const PgPosition& mark) {
  const std::string anew =
      ". Changes may be missing between the lake and this server: drop the slot, raise authority.epoch in the "
      "contracts and "
      "read into a new lake";
  if (mark.system_id != system.system_id)
    return halt("other_cluster", "the server at " + replication.where() + " is cluster " + system.system_id +
                                     ", and the lake was read from " + mark.system_id +
                                     ": point conninfo to the right one, or" + anew.substr(1));
  FF_TRY(check_timeline(replication, system, mark));
  if (!slot.exists)
    return halt("slot_missing", "the replication slot '" + slot_name + "' is gone from " + replication.where() +
                                    ", and the lake has read it up to " + to_text(mark.lsn) + anew);
  if (!slot.lost.empty())
    return halt("slot_lost", "the server has invalidated the replication slot '" + slot_name + "': " + slot.lost +
                                 " (max_slot_wal_keep_size, idle_replication_slot_timeout)" + anew);
  if (slot.confirmed > mark.lsn)
    return halt("slot_gap", "the replication slot '" + slot_name + "' begins at " + to_text(slot.confirmed) +
                                ", behind the lake's " + to_text(mark.lsn) +
                                ": somebody advanced it, read it, or made it anew" + anew);
  return {};
}

Result<void> check_identity(const Contract& contract, const std::vector<std::string>& sent) {
  const KeyColumns keys = key_columns(contract);
  std::string missing;
  for (const std::string& key : keys.names)
    if (!holds(sent, key)) missing += (missing.empty() ? "'" : ", '") + key + "'";
  if (missing.empty() && !keys.by_expression) return {};
  return halt(
      "replica_identity",
      "its replica identity does not send " +
          (missing.empty() ? "all columns, and " + contract.file + " makes a key field by an expression" : missing) +
          " of a changed or deleted row, so that nobody could tell which one it was: ALTER TABLE " +
          qualified(contract) + " REPLICA IDENTITY FULL, or USING INDEX with a unique index on these columns");
}

Result<std::vector<PgTable>> find_tables(PgConnection& sql, const ContractSet& contracts,
                                         const std::string& publication, const std::string& server) {
  if (const PgRows level = FF_TRY(sql.query("show wal_level")); *level.at(0)[0] != "logical")
    return halt("wal_level", "wal_level of " + sql.where() + " is '" + *level[0][0] +
                                 "'; it has to be 'logical' (postgresql.conf, then restart the server)");
  const Publication published = FF_TRY(find_publication(sql, contracts, publication, server));
  std::vector<PgTable> tables;
  for (std::uint32_t feed = 0; feed < contracts.size(); ++feed) {
    const Contract& contract = contracts[feed];
    if (!is_of_server(contract, server)) continue;
    for (const PgTable& other : tables)
      if (other.schema == contract.table_schema && other.table == contract.table)
        return halt("table_mismatch", contract.file + " and " + contracts[other.feed].file + " both read the table " +
                                          qualified(contract) + ": let one contract map both facts");
    PgTable table{feed, contract.table_schema, contract.table, {}, {}, {}, false};
    const PgRows found = FF_TRY(sql.query(
        "select c.oid, c.relkind, c.relispartition from pg_class c join pg_namespace n on n.oid = "
        "c.relnamespace where n.nspname = " +
        sql.literal(table.schema) + " and c.relname = " + sql.literal(table.table) + " and c.relkind in ('r', 'p')"));
    if (found.empty())
      return halt("table_missing",
                  "the table " + qualified(contract) + " of " + contract.file + " is not in " + sql.where());
    const std::string oid = *found[0][0];
    if (*found[0][1] == "p" && !published.via_root)
      return halt("table_not_published", qualified(contract) + " is partitioned, and the publication '" + publication +
                                             "' names its partitions instead: ALTER PUBLICATION " +
                                             sql.identifier(publication) + " SET (publish_via_partition_root = true)");
    if (FF_TRY(sql.query("select 1 from pg_publication_tables where pubname = " + sql.literal(publication) +
                         " and schemaname = " + sql.literal(table.schema) +
                         " and tablename = " + sql.literal(table.table)))
            .empty())
      return halt("table_not_published", "the publication '" + publication + "' does not hold " + qualified(contract) +
                                             ": ALTER PUBLICATION " + sql.identifier(publication) + " ADD TABLE " +
                                             qualified(contract));
    FF_TRY(read_columns(sql, oid, publication, contract, table));
    if (published.updates_or_deletes) FF_TRY(check_identities(sql, oid, contract));
    FF_TRY(read_leaves(sql, oid, table));
    tables.push_back(std::move(table));
  }
  if (tables.empty())
    return halt("table_missing", "no contract has a server of type postgres" +
                                     (server.empty() ? "" : " named '" + server + "'") +
                                     ": there is nothing to read from " + sql.where());
  return tables;
}

}  // namespace ff
