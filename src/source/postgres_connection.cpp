#include "source/postgres_connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ff {
namespace {
using namespace std::chrono_literals;

constexpr auto stop_check = 100ms;
constexpr const char* session =
    "set datestyle = 'ISO'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set extra_float_digits = 3; "
    "set bytea_output = 'hex'; set statement_timeout = 0; set lock_timeout = 0; "
    "set idle_in_transaction_session_timeout = 0";

/// Classes and codes after which the same call may work: connection, resources, shutdown, crash; an object in use.
bool may_work_later(std::string_view state) {
  return state.empty() || state.substr(0, 2) == "08" || state.substr(0, 2) == "53" || state == "55006" ||
         state.substr(0, 3) == "57P" || state == "40001" || state == "40P01";
}

std::string trimmed(const char* text) {
  std::string out = text ? text : "";
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

}  // namespace

std::string_view sqlstate_of(const Error& error) {
  const std::size_t at = error.message.rfind(" [");
  if (at == std::string::npos || error.message.size() != at + 8) return {};
  return std::string_view(error.message).substr(at + 2, 5);
}

Error PgConnection::error(const PGresult* result, std::string_view asked) const {
  const char* state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  const char* said = result ? PQresultErrorMessage(result) : nullptr;
  const bool is_gone = PQstatus(connection_.get()) != CONNECTION_OK;
  std::string message = "Postgres at " + where() + ": " +
                        trimmed(said && *said ? said : PQerrorMessage(connection_.get())) +
                        " (asked: " + std::string(asked.substr(0, 200)) + ")";
  if (state) message.append(" [").append(state).append("]");
  if (is_gone || may_work_later(state ? state : "")) return {Recourse::retry, "source_away", std::move(message)};
  return {Recourse::halt, "postgres_refused", std::move(message)};
}

std::string PgConnection::where() const {
  const auto text = [](const char* t) { return std::string(t ? t : ""); };
  return text(PQhost(connection_.get())) + ":" + text(PQport(connection_.get())) + "/" + text(PQdb(connection_.get()));
}

Result<PgConnection> PgConnection::open(const std::string& conninfo, PgMode mode) {
  // What stands before dbname is a default: conninfo goes over it.
  std::vector<const char*> keys = {
      "keepalives_idle", "keepalives_interval",       "keepalives_count", "tcp_user_timeout",
      "dbname",          "fallback_application_name", "client_encoding",  "connect_timeout"};
  std::vector<const char*> values = {"15", "5", "3", "30000", conninfo.c_str(), "fleetflow", "UTF8", "10"};
  if (mode == PgMode::replication) keys.push_back("replication"), values.push_back("database");
  keys.push_back(nullptr);
  values.push_back(nullptr);
  PgConnection out(PQconnectdbParams(keys.data(), values.data(), 1));
  if (PQstatus(out.connection_.get()) != CONNECTION_OK) {
    const std::string said = trimmed(PQerrorMessage(out.connection_.get()));
    // Before there is a session libpq gives no SQLSTATE; what a person must mend is told by the server's words.
    for (const char* word : {"authentication failed", "no pg_hba.conf entry", "does not exist", "permission denied",
                             "invalid connection option", "missing \"=\"", "invalid URI"})
      if (said.find(word) != std::string::npos)
        return Error{Recourse::halt, "postgres_refused", "Postgres cannot be used: " + said + "; see its conninfo"};
    return Error{Recourse::retry, "source_away", "Postgres cannot be reached: " + said};
  }
  FF_TRY(out.query(session));
  return out;
}

/// The last result of the statements, as PQexec has it; a COPY or an error ends them.
Result<PgConnection::Outcome> PgConnection::ask(const std::string& sql, std::chrono::milliseconds at_most,
                                                const std::function<bool()>& is_stopped) {
  PGconn* const connection = connection_.get();
  if (PQsendQuery(connection, sql.c_str()) == 0) return error(nullptr, sql);
  const auto until = std::chrono::steady_clock::now() + at_most;
  Outcome last;
  for (;;) {
    while (PQisBusy(connection) != 0) {
      if (is_stopped && is_stopped()) {
        cancel();
        return Error{Recourse::retry, "source_stopped", "stopped"};
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd file{PQsocket(connection), POLLIN, 0};
      const int ready =
          ::poll(&file, 1, static_cast<int>(is_stopped ? stop_check.count() : std::max(0ms, left).count()));
      if (ready == 0 && !is_stopped)
        return Error{Recourse::retry, "source_away",
                     "Postgres at " + where() + " did not answer within " + std::to_string(at_most.count() / 1000) +
                         " s (asked: " + sql.substr(0, 200) + ")"};
      if (ready > 0 && PQconsumeInput(connection) == 0) return error(nullptr, sql);
    }
    Outcome next(PQgetResult(connection));
    if (!next) return last;
    last = std::move(next);
    const ExecStatusType status = PQresultStatus(last.get());
    if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) return last;
  }
}

/// What the server would go on with after we are gone: it does not look whether anybody waits.
void PgConnection::cancel() const {
  PGcancel* const request = PQgetCancel(connection_.get());
  char said[256];
  if (request) PQcancel(request, said, sizeof said);
  PQfreeCancel(request);
}

Result<PgRows> PgConnection::query(const std::string& sql, std::chrono::milliseconds at_most) {
  const Outcome result = FF_TRY(ask(sql, at_most));
  return rows_of(result.get(), sql);
}

Result<PgRows> PgConnection::query_until(const std::string& sql, const std::function<bool()>& is_stopped) {
  const Outcome result = FF_TRY(ask(sql, 0ms, is_stopped));
  return rows_of(result.get(), sql);
}

Result<PgRows> PgConnection::rows_of(const PGresult* result, const std::string& asked) const {
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return error(result, asked);
  PgRows rows(static_cast<std::size_t>(PQntuples(result)));
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (int c = 0; c < PQnfields(result); ++c) {
      const int row = static_cast<int>(r);
      if (PQgetisnull(result, row, c))
        rows[r].emplace_back();
      else
        rows[r].emplace_back(std::in_place, PQgetvalue(result, row, c),
                             static_cast<std::size_t>(PQgetlength(result, row, c)));
    }
  return rows;
}

Result<void> PgConnection::start_copy(const std::string& command) {
  const Outcome result = FF_TRY(ask(command, answer_wait));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) return {};
  return error(result.get(), command);
}

Result<PgCopyState> PgConnection::next(PgCopyData& out, std::chrono::milliseconds wait, int wake) {
  const auto until = std::chrono::steady_clock::now() + wait;
  for (;;) {
    char* bytes = nullptr;
    const int size = PQgetCopyData(connection_.get(), &bytes, 1);
    if (size > 0) {
      out = PgCopyData(bytes, size);
      return PgCopyState::data;
    }
    if (size < 0) {
      const Outcome result(PQgetResult(connection_.get()));
      if (size == -2 || PQresultStatus(result.get()) == PGRES_FATAL_ERROR) return error(result.get(), "reading");
      while (const Outcome rest{PQgetResult(connection_.get())})
        if (PQresultStatus(rest.get()) == PGRES_FATAL_ERROR) return error(rest.get(), "reading");
      return PgCopyState::ended;
    }
    const auto left =
        std::max(std::chrono::milliseconds(0),
                 std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()));
    pollfd files[2] = {{PQsocket(connection_.get()), POLLIN, 0}, {wake, POLLIN, 0}};
    const int ready = ::poll(files, wake < 0 ? 1 : 2, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR)
      return Error{Recourse::retry, "source_away", std::string("waiting for Postgres: ") + std::strerror(errno)};
    const bool is_readable = ready > 0 && files[0].revents != 0;
    if (!is_readable && (left.count() == 0 || ready > 0)) return PgCopyState::nothing_yet;
    if (is_readable && PQconsumeInput(connection_.get()) == 0) return error(nullptr, "reading");
  }
}

Result<void> PgConnection::send(std::string_view bytes) {
  if (PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) == 1 &&
      PQflush(connection_.get()) == 0)
    return {};
  return error(nullptr, "a status update");
}

std::string PgConnection::literal(std::string_view text) const {
  char* const quoted = PQescapeLiteral(connection_.get(), text.data(), text.size());
  const std::string out = quoted ? quoted : "''";
  PQfreemem(quoted);
  return out;
}

std::string PgConnection::identifier(std::string_view name) const {
  char* const quoted = PQescapeIdentifier(connection_.get(), name.data(), name.size());
  const std::string out = quoted ? quoted : "\"\"";
  PQfreemem(quoted);
  return out;
}

}  // namespace ff
