// Real replication bytes of a Postgres server (three captures of one workload: protocol 1, the same in binary, protocol 2
// with streaming), replayed, against what the server itself said happened: its tables at the end, and two independent
// decodings of the same log (test_decoding, wal2json), row for row.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <sstream>

#include "decode/decode_testing.h"
#include "decode/pg_binary.h"
#include "source/postgres_transactions.h"

namespace ff {
namespace {
namespace sj = simdjson;

constexpr std::uint32_t enum_type = 16433;  ///< `st` of the captured server
const std::map<std::uint32_t, std::string> type_names = {{16, "boolean"},
                                                         {17, "bytea"},
                                                         {20, "bigint"},
                                                         {23, "integer"},
                                                         {25, "text"},
                                                         {700, "real"},
                                                         {701, "double precision"},
                                                         {1009, "text[]"},
                                                         {1082, "date"},
                                                         {1114, "timestamp without time zone"},
                                                         {1184, "timestamp with time zone"},
                                                         {1186, "interval"},
                                                         {1700, "numeric"},
                                                         {2950, "uuid"},
                                                         {3802, "jsonb"},
                                                         {enum_type, "st"}};

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return out;
}

struct Cell {
  PgCell::Kind kind = PgCell::null;
  std::string text;
};

/// One change as a value of its own, all cells as text.
struct Change {
  PgMessageKind kind;
  PgRelation relation;
  PgOldRow old_kind;
  std::vector<Cell> old_row, new_row;
  std::uint32_t xid;
};

/// Keeps every change, and the tables as they are after it.
class Replica : public PgTransactionSink {
 public:
  Result<void> begin(const PgTransaction& t) override {
    transaction = t;
    EXPECT_LT(last_commit.bytes, t.commit_lsn.bytes) << "transactions come in the order of their commits";
    last_commit = t.commit_lsn;
    begins.push_back(t.xid);
    return {};
  }
  Result<void> commit(Lsn end) override {
    EXPECT_GT(end.bytes, last_commit.bytes);
    return {};
  }
  Result<void> change(PgMessage& m) override {
    if (m.kind == PgMessageKind::relation) {
      alter(tables[m.relation.table], m.relation);
      relations[m.relation.oid] = m.relation;
      return {};
    }
    Change c{m.kind, {}, m.old_kind, {}, {}, transaction.xid};
    if (m.kind == PgMessageKind::truncate) {
      for (const std::uint32_t oid : m.truncated) {
        c.relation = relations.at(oid);
        tables[c.relation.table].clear();
        changes.push_back(c);
      }
      return {};
    }
    c.relation = relations.at(m.relation_oid);
    c.old_row = texts(c.relation, m.old_row);
    c.new_row = texts(c.relation, m.new_row);
    apply(c);
    changes.push_back(std::move(c));
    return {};
  }

  PgTransaction transaction;
  Lsn last_commit;
  std::map<std::uint32_t, PgRelation> relations;
  std::vector<Change> changes;
  std::vector<std::uint32_t> begins;
  /// table -> key -> column -> value
  std::map<std::string, std::map<std::string, std::map<std::string, Cell>>> tables;

 private:
  using Table = std::map<std::string, std::map<std::string, Cell>>;

  /// What the workload's ALTER TABLEs did to rows that no later change touches. A stream does not tell it: it tells the new
  /// layout with the next change only.
  static void alter(Table& table, const PgRelation& now) {
    for (auto& [key, row] : table)
      for (const PgColumn& column : now.columns) {
        if (column.name == "vehicle" && !row.contains("vehicle")) row["vehicle"] = row.at("asset");
        if (column.name == "service_level" && !row.contains("service_level"))
          row["service_level"] = {PgCell::text, "std"};  // ADD COLUMN … DEFAULT 'std'
        if (column.name == "amount" && column.type == 701 && row.at("amount").kind == PgCell::text) {
          char shortest[32];
          const double value = std::stod(row.at("amount").text);
          row["amount"].text.assign(shortest, std::to_chars(shortest, shortest + sizeof shortest, value).ptr);
        }
      }
  }

  static std::vector<Cell> texts(const PgRelation& relation, const std::vector<PgCell>& row) {
    std::vector<Cell> out;
    EXPECT_TRUE(row.empty() || row.size() == relation.columns.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      Cell cell{row[i].kind, std::string(row[i].bytes)};
      if (row[i].kind == PgCell::binary && relation.columns[i].type != enum_type) {
        cell.text.clear();
        EXPECT_TRUE(append_binary_as_text(relation.columns[i].type, row[i].bytes, cell.text))
            << relation.columns[i].name << " type " << relation.columns[i].type;
      }
      if (cell.kind == PgCell::binary) cell.kind = PgCell::text;
      out.push_back(std::move(cell));
    }
    return out;
  }

  /// What identifies a row: the columns of the replica identity, or where it is FULL the primary key of `events`.
  static std::string key_of(const PgRelation& relation, const std::vector<Cell>& row) {
    static const std::set<std::string> events_key = {"shipment_id", "seq"};
    std::string key;
    for (std::size_t i = 0; i < row.size(); ++i)
      if (relation.replica_identity == 'f' ? events_key.contains(relation.columns[i].name) : relation.columns[i].is_key)
        key += row[i].text + '\x1f';
    return key;
  }

  void apply(const Change& c) {
    auto& table = tables[c.relation.table];
    std::map<std::string, Cell> before;
    if (c.kind != PgMessageKind::insert) {
      const std::string key = key_of(c.relation, c.old_row.empty() ? c.new_row : c.old_row);
      const auto at = table.find(key);
      ASSERT_TRUE(at != table.end()) << c.relation.table << ": no row " << key;
      before = at->second;
      table.erase(at);
    }
    if (c.kind == PgMessageKind::remove) return;
    auto& after = table[key_of(c.relation, c.new_row)];
    for (std::size_t i = 0; i < c.new_row.size(); ++i) {
      const std::string& column = c.relation.columns[i].name;
      after[column] = c.new_row[i].kind == PgCell::unchanged ? before[column] : c.new_row[i];
    }
  }
};

struct Capture {
  std::map<std::string, std::int64_t> by_type;
  std::int64_t bytes = 0;
};

Capture replay(const std::string& name, Replica& replica) {
  Capture capture;
  PgTransactions transactions(replica, std::filesystem::temp_directory_path(), 1 << 30);
  std::istringstream lines(testing::read_file(testing::samples() / "cdc" / (name + ".jsonl")));
  for (std::string line; std::getline(lines, line);) {
    const std::string message = from_hex(
        std::string_view(line).substr(line.find("\"hex\": \"") + 8, line.rfind('"') - line.find("\"hex\": \"") - 8));
    ++capture.by_type[message.substr(0, 1)];
    capture.bytes += static_cast<std::int64_t>(message.size());
    const auto accepted = transactions.accept(message);
    EXPECT_TRUE(accepted.ok()) << accepted.error().message;
  }
  EXPECT_FALSE(transactions.is_inside());
  EXPECT_EQ(transactions.spilled_bytes(), 0);
  return capture;
}

/// A table as the server's COPY ... CSV HEADER would print it.
std::vector<std::string> csv_of(const Replica& replica, const std::string& table, const std::string& header) {
  std::vector<std::string> columns, out;
  std::istringstream names(header);
  for (std::string name; std::getline(names, name, ',');) columns.push_back(name);
  for (const auto& [key, row] : replica.tables.at(table)) {
    EXPECT_GE(row.size(), columns.size());
    std::string line;
    for (const std::string& column : columns) {
      const Cell& cell = row.at(column);
      EXPECT_NE(cell.kind, PgCell::unchanged);
      if (&column != &columns.front()) line += ',';
      const bool quoted =
          cell.kind != PgCell::null && (cell.text.empty() || cell.text.find_first_of(",\"\n\r") != std::string::npos);
      std::string text = cell.text;
      for (std::size_t at = 0; quoted && (at = text.find('"', at)) != std::string::npos; at += 2)
        text.insert(at, 1, '"');
      line += quoted ? '"' + text + '"' : text;
    }
    out.push_back(line);
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// A change as test_decoding prints it.
std::string test_decoding_line(const Change& c) {
  std::string line = "table " + c.relation.schema + "." + c.relation.table + ": ";
  const auto row = [&](const std::vector<Cell>& cells, bool only_key) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (only_key && cells[i].kind == PgCell::null) continue;
      const std::uint32_t type = c.relation.columns[i].type;
      line += " " + c.relation.columns[i].name + "[" + type_names.at(type) + "]:";
      const bool bare = type == 20 || type == 23 || type == 700 || type == 701 || type == 1700;
      std::string text = cells[i].text;
      if (cells[i].kind == PgCell::null)
        line += "null";
      else if (cells[i].kind == PgCell::unchanged)
        line += "unchanged-toast-datum";
      else if (type == 16)
        line += text == "t" ? "true" : "false";
      else if (bare)
        line += text;
      else {
        for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2) text.insert(at, 1, '\'');
        for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\n");
        line += "'" + text + "'";
      }
    }
  };
  switch (c.kind) {
    case PgMessageKind::insert:
      line += "INSERT:";
      row(c.new_row, false);
      break;
    case PgMessageKind::update:
      line += "UPDATE:";
      if (!c.old_row.empty()) {
        line += " old-key:";
        row(c.old_row, true);
        line += " new-tuple:";
      }
      row(c.new_row, false);
      break;
    case PgMessageKind::remove:
      line += "DELETE:";
      row(c.old_row, true);
      break;
    default:
      line += "TRUNCATE: (no-flags)";
  }
  return std::to_string(c.xid) + "\t" + line;
}

/// wal2json's value of a cell: JSON null for what JSON has no number for, bytea without its prefix.
std::string wal2json_value(const PgColumn& column, const Cell& cell) {
  const bool is_float = column.type == 700 || column.type == 701 || column.type == 1700;
  if (cell.kind == PgCell::null ||
      (is_float && (cell.text == "NaN" || cell.text == "Infinity" || cell.text == "-Infinity")))
    return "null";
  if (column.type == 16) return cell.text == "t" ? "true" : "false";
  if (column.type == 17) return cell.text.substr(2);
  return cell.text;
}

/// The 'columns' or 'identity' of a wal2json line as name=value, numbers as written.
std::vector<std::string> pairs_of(const std::string& line, const char* key) {
  std::vector<std::string> out;
  const sj::padded_string padded(line);
  sj::ondemand::parser parser;
  sj::ondemand::document document;
  sj::ondemand::array columns;
  if (parser.iterate(padded).get(document) || document[key].get(columns)) return out;
  for (sj::ondemand::value column : columns) {
    std::string pair = std::string(column["name"].get_string().value()) + "=";
    sj::ondemand::value value = column["value"].value();
    std::string_view text;
    if (value.get_string().get(text)) {
      text = value.raw_json_token();
      text = text.substr(0, text.find_last_not_of(" \t") + 1);
    }
    out.push_back(pair.append(text));
  }
  return out;
}

class PostgresCapture : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (testing::samples().empty() || !std::filesystem::exists(testing::samples() / "cdc"))
      GTEST_SKIP() << "no sample data: set FLEETFLOW_SAMPLES to the folder that holds cdc/";
    capture_ = replay(GetParam(), replica_);
  }
  Replica replica_;
  Capture capture_;
};

TEST_P(PostgresCapture, HoldsTheMessagesThatWereCaptured) {
  sj::dom::parser parser;
  const sj::dom::element expected = parser.load(testing::samples() / "cdc" / "expected.json");
  const sj::dom::element mine = expected[GetParam()].value();
  EXPECT_EQ(capture_.bytes, mine["bytes"].get_int64().value());
  std::map<std::string, std::int64_t> by_type;
  const sj::dom::object counts = mine["by_type_byte"].get_object().value();
  for (const auto [type, count] : counts) by_type[std::string(type)] = count.get_int64().value();
  EXPECT_EQ(capture_.by_type, by_type);
}

TEST_P(PostgresCapture, EndsWithTheServersTables) {
  for (const std::string table : {"shipments", "events", "assignments"}) {
    std::istringstream file(testing::read_file(testing::samples() / "cdc" / ("final_" + table + ".csv")));
    std::string header;
    std::getline(file, header);
    std::vector<std::string> expected;
    for (std::string line; std::getline(file, line);) {
      const bool goes_on =
          !expected.empty() && std::count(expected.back().begin(), expected.back().end(), '"') % 2 == 1;
      if (goes_on)
        expected.back() += '\n' + line;  // a quoted line break
      else
        expected.push_back(line);
    }
    ASSERT_FALSE(expected.empty());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(csv_of(replica_, table, header), expected) << table;
  }
}

TEST_P(PostgresCapture, SaysWhatTestDecodingSays) {
  std::istringstream oracle(testing::read_file(testing::samples() / "cdc" / "oracle_test_decoding.txt"));
  std::size_t next = 0, compared = 0;
  for (std::string line; std::getline(oracle, line);) {
    const std::string rest = line.substr(line.find('\t') + 1);
    if (rest.find("\ttable ") == std::string::npos) continue;
    if (rest.find("\ttable public.untracked:") != std::string::npos) continue;  // no table of the publication
    ASSERT_LT(next, replica_.changes.size());
    ASSERT_EQ(test_decoding_line(replica_.changes[next]), rest) << "change " << next;
    ++next;
    ++compared;
  }
  EXPECT_EQ(next, replica_.changes.size());
  EXPECT_GT(compared, 5000U);
}

TEST_P(PostgresCapture, SaysWhatWal2jsonSays) {
  std::istringstream oracle(testing::read_file(testing::samples() / "cdc" / "oracle_wal2json_v2.jsonl"));
  sj::dom::parser parser;
  std::size_t next = 0;
  for (std::string text; std::getline(oracle, text);) {
    const sj::dom::element line = parser.parse(text);
    const auto action = std::string(line["action"].get_string().value());
    if (action != "I" && action != "U" && action != "D" && action != "T") continue;
    ASSERT_LT(next, replica_.changes.size());
    const Change& c = replica_.changes[next++];
    EXPECT_EQ(std::string(1, static_cast<char>(c.kind)), action);
    EXPECT_EQ(c.relation.table, line["table"].get_string().value());
    std::vector<std::string> columns, identity;
    for (std::size_t i = 0; i < c.new_row.size(); ++i)
      if (c.new_row[i].kind != PgCell::unchanged)  // wal2json leaves them out
        columns.push_back(c.relation.columns[i].name + "=" + wal2json_value(c.relation.columns[i], c.new_row[i]));
    ASSERT_EQ(columns, pairs_of(text, "columns")) << text;
    // Where the key did not change, wal2json repeats it from the new row and pgoutput sends none.
    const std::vector<Cell>& old = c.old_row.empty() && c.kind == PgMessageKind::update ? c.new_row : c.old_row;
    for (std::size_t i = 0; i < old.size(); ++i)
      if (c.relation.columns[i].is_key)
        identity.push_back(c.relation.columns[i].name + "=" + wal2json_value(c.relation.columns[i], old[i]));
    ASSERT_EQ(identity, pairs_of(text, "identity")) << text;
  }
  EXPECT_EQ(next, replica_.changes.size());
}

INSTANTIATE_TEST_SUITE_P(Captures, PostgresCapture,
                         ::testing::Values("pgoutput_v1", "pgoutput_v1_binary", "pgoutput_v2_streaming"),
                         [](const auto& capture) { return capture.param; });

}  // namespace
}  // namespace ff
