#include "source/postgres_requests.h"

#include <simdjson.h>

#include <algorithm>
#include <sstream>

#include "decode/json_text.h"

namespace ff {
namespace {
using namespace std::chrono_literals;

constexpr auto again_wait = 1s;

}  // namespace

std::string PgSnapshotRequest::to_json() const {
  std::string out;
  const auto add = [&](const char* name, const std::optional<std::string>& value) {
    if (!value || value->empty()) return;
    out += out.empty() ? "{" : ",";
    append_json_string(out, name);
    out += ':';
    append_json_string(out, *value);
  };
  add("slot", slot), add("schema", schema), add("table", table), add("column", column), add("from", from),
      add("to", to);
  return out + "}";
}

std::optional<PgSnapshotRequest> PgSnapshotRequest::from_json(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(json.data(), json.size()).get(members) != simdjson::SUCCESS) return std::nullopt;
  PgSnapshotRequest out;
  for (const auto& [name, value] : members) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
    if (name == "slot") out.slot = text;
    if (name == "schema") out.schema = text;
    if (name == "table") out.table = text;
    if (name == "column") out.column = text;
    if (name == "from") out.from = text;
    if (name == "to") out.to = text;
  }
  return out;
}

std::string PgSnapshotRequest::condition(const PgConnection& sql) const {
  std::string out;
  if (column.empty()) return out;
  if (from) out = sql.identifier(column) + " >= " + sql.literal(*from);
  if (to) out += (out.empty() ? "" : " and ") + sql.identifier(column) + " < " + sql.literal(*to);
  return out;
}

Result<std::string> emit_request(const std::string& conninfo, const ContractSet& contracts,
                                 const std::string& publication, const std::string& server,
                                 const PgSnapshotRequest& request) {
  PgConnection sql = FF_TRY(PgConnection::open(conninfo, PgMode::sql));
  const std::string name = request.schema + "." + request.table;
  const std::vector<PgTable> tables = FF_TRY(find_tables(sql, contracts, publication, server));
  if (std::none_of(tables.begin(), tables.end(),
                   [&](const PgTable& t) { return t.schema == request.schema && t.table == request.table; }))
    return Error{Recourse::halt, "table_missing", "no contract of this source reads the table " + name};
  // The server judges the column and the values: the query that will be made, for no row.
  const std::string condition = request.condition(sql);
  FF_TRY(sql.query("select 1 from " + sql.identifier(request.schema) + "." + sql.identifier(request.table) +
                   (condition.empty() ? "" : " where " + condition) + " limit 0"));
  const PgRows lsn = FF_TRY(sql.query("select pg_logical_emit_message(true, " + sql.literal(snapshot_message) + ", " +
                                      sql.literal(request.to_json()) + ")"));
  return lsn.at(0)[0].value_or("");
}

void PgRequests::start(const std::string& open) {
  std::istringstream lines(open);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.find(' ');
    if (space == std::string::npos) continue;
    if (auto request = PgSnapshotRequest::from_json(std::string_view(line).substr(space + 1)))
      open_.emplace_back(line.substr(0, space), std::move(*request));
  }
  thread_ = std::thread([this] { run(); });
}

void PgRequests::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void PgRequests::add(const std::string& id, const PgSnapshotRequest& request) {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, unused] : open_)
    if (known == id) return;
  open_.emplace_back(id, request);
  tell();
  changed_.notify_all();
}

/// In the order of the changes: under the lock.
bool PgRequests::tell() const {
  std::string open;
  for (const auto& [id, request] : open_) open += id + " " + request.to_json() + "\n";
  return still_open_(open);
}

void PgRequests::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (open_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const PgSnapshotRequest request = open_.front().second;
    lock.unlock();
    const auto done = read_(request);
    lock.lock();
    if (!done.ok() && done.error().cause != "request_refused") {
      changed_.wait_for(lock, again_wait, [this] { return stopping_; });
      continue;
    }
    open_.pop_front();
    if (!tell()) return;
  }
}

}  // namespace ff
