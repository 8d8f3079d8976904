#include "source/postgres_monitor.h"

#include "base/integer.h"
#include "base/time.h"
#include "decode/lsn.h"
#include "source/postgres_connection.h"

namespace ff {
namespace {

Result<PgSlotStats> ask(PgConnection& sql, const std::string& slot) {
  // The log's end on a primary, what is replayed on a standby that was not promoted yet.
  const PgRows rows = FF_TRY(sql.query(
      "with log as (select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end "
      "as "
      "at) select active, coalesce(wal_status, ''), confirmed_flush_lsn, pg_wal_lsn_diff(log.at, restart_lsn)::bigint, "
      "pg_wal_lsn_diff(log.at, confirmed_flush_lsn)::bigint, safe_wal_size, (select coalesce(max(extract(epoch from "
      "clock_timestamp() - xact_start)), 0) * 1000000 from pg_stat_activity where backend_type = 'client backend' and "
      "pid <> pg_backend_pid())::bigint from log, pg_replication_slots where slot_name = " +
      sql.literal(slot)));
  PgSlotStats out;
  out.slot = slot;
  out.taken_at = now_micros();
  if (rows.empty()) return out;
  const auto& row = rows[0];
  out.is_active = row[0].value_or("") == "t";
  out.wal_status = row[1].value_or("");
  out.confirmed_lsn = parse_lsn(row[2].value_or("")).value_or(Lsn{}).bytes;
  out.retained_bytes = to_integer(row[3]);
  out.unconfirmed_bytes = to_integer(row[4]);
  out.safe_bytes = to_integer(row[5], none);
  out.oldest_transaction_us = to_integer(row[6]);
  return out;
}

}  // namespace

PgMonitor::PgMonitor(std::string conninfo, std::string slot, std::chrono::seconds interval)
    : conninfo_(std::move(conninfo)), slot_(std::move(slot)), interval_(interval), thread_([this] { run(); }) {}

PgMonitor::~PgMonitor() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    stopped_.notify_all();
  }
  thread_.join();
}

PgSlotStats PgMonitor::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void PgMonitor::run() {
  std::optional<PgConnection> sql;
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    if (!sql)
      if (auto opened = PgConnection::open(conninfo_, PgMode::sql); opened.ok()) sql = std::move(opened).value();
    std::optional<PgSlotStats> found;
    if (sql) {
      if (auto asked = ask(*sql, slot_); asked.ok())
        found = std::move(asked).value();
      else
        sql.reset();
    }
    lock.lock();
    if (found) stats_ = std::move(*found);
    stopped_.wait_for(lock, interval_, [this] { return is_stopping_; });
  }
}

}  // namespace ff
