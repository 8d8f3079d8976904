#include "play/postgres_wire.h"

#include <libpq-fe.h>

#include <array>
#include <cstdio>

namespace ff::play {
namespace {

/// How long a server may be away.
constexpr std::chrono::seconds patience(60);

/// A text[] literal with one column of the rows.
std::string array_of(const std::vector<const Retelling::Row*>& rows, std::size_t column) {
  std::string text = "{";
  for (const Retelling::Row* row : rows) {
    if (text.size() > 1) text += ',';
    const auto& value = (*row)[column];
    if (!value) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (const char c : *value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

bool is_time(const std::string& column) { return column.ends_with("_at") || column.ends_with("_by"); }

std::string upsert_statement(Feed feed) {
  const auto& names = columns(feed);
  std::string list, values, updates;
  for (std::size_t i = 0; i < names.size(); ++i) {
    list += (i ? ", " : "") + names[i];
    values += (i ? ", $" : "$") + std::to_string(i + 1) + "::text[]" + (is_time(names[i]) ? "::timestamptz[]" : "");
    if (i) updates += (i > 1 ? ", " : "") + names[i] + " = excluded." + names[i];
  }
  const std::string to(table(feed));
  return "insert into " + to + " (" + list + ") select * from unnest(" + values + ") on conflict (" + names[0] +
         ") do update set " + updates;
}

}  // namespace

void PostgresWire::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

Result<std::unique_ptr<PostgresWire>> PostgresWire::open(const std::string& dsn, std::chrono::milliseconds interval) {
  std::unique_ptr<PostgresWire> wire(new PostgresWire(dsn, interval));
  FF_TRY(wire->connect());
  wire->thread_ = std::thread([raw = wire.get()] { raw->run(); });
  return wire;
}

PostgresWire::~PostgresWire() { finish(); }

Result<void> PostgresWire::connect() {
  connection_.reset(PQconnectdb(dsn_.c_str()));
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    return Error{Recourse::retry, "postgres_unreachable", PQerrorMessage(connection_.get())};
  return {};
}

void PostgresWire::put(Feed feed, Retelling::Row row) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back({feed, false, std::move(row)});
}

void PostgresWire::remove(Feed feed, Retelling::Row row) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back({feed, true, std::move(row)});
}

void PostgresWire::finish() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void PostgresWire::run() {
  while (true) {
    std::vector<Change> changes;
    bool ends = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, interval_, [&] { return ends_; });
      changes.swap(waiting_);
      ends = ends_;
    }
    const auto give_up_at = std::chrono::steady_clock::now() + patience;
    for (auto done = commit(changes); !done.ok(); done = commit(changes)) {
      if (std::chrono::steady_clock::now() > give_up_at) {
        failure_ = done.error().message;
        return;
      }
      if (retries_++ == 0)
        std::fprintf(stderr, "live_player: postgres: %s; trying again\n", done.error().message.c_str());
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      (void)connect();
    }
    committed_ += changes.size();
    transactions_ += !changes.empty();
    if (ends) return;
  }
}

Result<void> PostgresWire::commit(const std::vector<Change>& changes) {
  if (changes.empty()) return {};
  FF_TRY(execute("begin"));
  // Per table a key stands in one statement once: what else is told of it goes into the next. Tables know nothing of each other.
  std::array<Statement, 3> statements;
  for (const Change& change : changes) {
    Statement& statement = statements[static_cast<std::size_t>(change.feed)];
    const std::string& key = *change.row[0];
    if (change.is_delete || statement.keys.contains(key)) FF_TRY(upsert(change.feed, statement));
    if (change.is_delete) {
      FF_TRY(execute("delete from " + std::string(table(change.feed)) + " where " + columns(change.feed)[0] + " = $1",
                     {key}));
      continue;
    }
    statement.rows.push_back(&change.row);
    statement.keys.insert(key);
  }
  for (const Feed feed : {Feed::drivers, Feed::orders, Feed::assignments})
    FF_TRY(upsert(feed, statements[static_cast<std::size_t>(feed)]));
  return execute("commit");
}

Result<void> PostgresWire::upsert(Feed feed, Statement& statement) {
  if (statement.rows.empty()) return {};
  std::vector<std::string> parameters;
  for (std::size_t column = 0; column < columns(feed).size(); ++column)
    parameters.push_back(array_of(statement.rows, column));
  statement = {};
  return execute(upsert_statement(feed), parameters);
}

Result<void> PostgresWire::execute(const std::string& statement, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  const std::unique_ptr<PGresult, decltype(&PQclear)> done(
      PQexecParams(connection_.get(), statement.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                   nullptr, nullptr, 0),
      PQclear);
  if (PQresultStatus(done.get()) != PGRES_COMMAND_OK)
    return Error{Recourse::retry, "postgres_failed", PQerrorMessage(connection_.get())};
  return {};
}

}  // namespace ff::play
