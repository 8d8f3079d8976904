#include "source/postgres_stream.h"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "base/time.h"
#include "decode/pg_binary.h"
#include "decode/pg_bytes.h"
#include "source/postgres_catalog.h"
#include "source/postgres_requests.h"

namespace ff {
namespace {
using namespace std::chrono_literals;

constexpr auto status_interval = 1s;

void put64(std::uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

/// What the server says when it won't send, as words of ours.
Error as_refusal(Error error, const PostgresOptions& options) {
  const std::string_view state = sqlstate_of(error);
  const bool of_slot = error.message.find("replication slot") != std::string::npos;
  if (state == "42704" && of_slot)
    error.cause = "slot_missing";
  else if (state == "55000" && of_slot)
    error.cause = "slot_lost";
  else if (state == "42704")
    error.cause = "publication_missing";
  else
    return error;
  error.recourse = Recourse::halt;
  error.message += "; the slot is '" + options.slot + "', the publication '" + options.publication + "'";
  return error;
}

}  // namespace

PgStream::PgStream(PgStreamWorld world, PgProgress& progress)
    : world_(std::move(world)),
      progress_(progress),
      next_(progress.at),
      skip_(progress.at),
      transactions_(*this, world_.options.spill_directory, world_.options.spill_bytes_max),
      position_(progress.position) {
  // A batch without records still has to say whose it is.
  while (last_feed_ + 1 < world_.contracts.size() && !is_of_server(world_.contracts[last_feed_], world_.options.server))
    ++last_feed_;
}
PgStream::~PgStream() = default;

Result<void> PgStream::start() {
  connection_.emplace(FF_TRY(PgConnection::open(world_.options.conninfo, PgMode::replication)));
  const std::string messages = connection_->server_version() >= 140000 ? ", messages 'true'" : "";
  const std::string command = "START_REPLICATION SLOT " + connection_->identifier(world_.options.slot) +
                              " LOGICAL 0/0 (proto_version '" + (world_.options.streaming ? "2', streaming 'on" : "1") +
                              "', publication_names " +
                              connection_->literal(connection_->identifier(world_.options.publication)) + messages +
                              (world_.binary ? ", binary 'true')" : ")");
  if (auto started = connection_->start_copy(command); !started.ok())
    return as_refusal(started.error(), world_.options);
  last_heard_ = last_sent_ = std::chrono::steady_clock::now();
  world_.heard_at->store(now_micros());
  return {};
}

Result<void> PgStream::run() {
  FF_TRY(start());
  PgCopyData data;
  while (!world_.is_stopped()) {
    // While something is pending, ask without waiting: what the server has sent goes into the same batch.
    auto state = connection_->next(data, has_pending() ? 0ms : 1000ms, world_.wake);
    if (!state.ok()) return as_refusal(state.error(), world_.options);
    if (state.value() == PgCopyState::data)
      FF_TRY(receive(data.view()));
    else if (state.value() == PgCopyState::ended)
      return Error{Recourse::retry, "source_away", "Postgres at " + connection_->where() + " ended the replication"};
    else
      drain_wake();
    if (state.value() == PgCopyState::nothing_yet && has_pending()) FF_TRY(flush());
    FF_TRY(keep_alive());
  }
  return {};
}

Result<void> PgStream::receive(std::string_view data) {
  last_heard_ = std::chrono::steady_clock::now();
  world_.heard_at->store(now_micros());
  PgBytes in(data);
  const char kind = in.byte();
  if (kind == 'w') {
    const Lsn at{static_cast<std::uint64_t>(in.int64())};
    in.int64();  // the end of the server's log
    in.int64();  // its clock
    if (!in.good()) return Error{Recourse::halt, "replication_protocol", "a replication message is cut"};
    received_ = std::max(received_, at);
    return transactions_.accept(data.substr(in.offset()));
  }
  if (kind != 'k') return {};
  const Lsn end{static_cast<std::uint64_t>(in.int64())};
  const Micros clock = in.time();
  const bool wants_reply = in.byte() != 0;
  received_ = std::max(received_, end);
  if (!transactions_.is_inside() && !has_pending()) {
    // Whatever committed before `end` was sent before this message; nothing of it is ours or waits here.
    world_.heard_until->store(clock);
    if (end > next_.lsn && next_.index == 0) next_.lsn = end;
    if (next_.lsn.bytes - std::min(next_.lsn, progress_.at.lsn).bytes >=
        static_cast<std::uint64_t>(world_.options.idle_bytes))
      is_dirty_ = true;
  }
  return wants_reply ? send_status(false) : Result<void>{};
}

Result<void> PgStream::begin(const PgTransaction& transaction) {
  transaction_ = transaction;
  index_ = 0;
  told_anything_ = false;
  return {};
}

Result<void> PgStream::define(const PgRelation& relation) {
  Table& table = tables_[relation.oid];
  table = {relation.schema + "." + relation.table, -1, nullptr};
  for (std::uint32_t feed = 0; feed < world_.contracts.size(); ++feed) {
    const Contract& contract = world_.contracts[feed];
    if (!is_of_server(contract, world_.options.server) || contract.table_schema != relation.schema ||
        contract.table != relation.table)
      continue;
    std::vector<std::string> sent;
    for (const PgColumn& column : relation.columns)
      if (column.is_key) sent.push_back(column.name);
    // An insert-only publication needs none, and then the server marks none; find_tables() has seen to that at the start.
    if (!sent.empty()) FF_TRY(check_identity(contract, sent));
    if (world_.binary) FF_TRY(check_binary(relation, contract));
    auto& rows = rows_[table.name];
    if (!rows) {
      rows = FF_TRY(PostgresRows::make(contract, feed, world_.key));
      rows->begin(world_.partition);
    }
    rows->bind(relation, position_ + 1);
    table.feed = static_cast<int>(feed);
    table.rows = rows.get();
  }
  return {};
}

/// The table has changed since find_tables() looked at it. Bytes of a type that nobody here knows look like a label.
Result<void> PgStream::check_binary(const PgRelation& relation, const Contract& contract) const {
  for (const PgColumn& column : relation.columns) {
    const bool is_read = std::any_of(contract.columns.begin(), contract.columns.end(), [&](const Column& c) {
      return c.name == column.name && c.role != ColumnRole::pii;
    });
    if (is_read && !is_binary_known(column.type) && !world_.enums.contains(column.type))
      return Error{Recourse::retry, binary_unknown,
                   "the column '" + column.name + "' of " + relation.schema + "." + relation.table +
                       " has a type now (OID " + std::to_string(column.type) +
                       ") that is not read in binary: values come as text from here on"};
  }
  return {};
}

Result<void> PgStream::truncate(const PgMessage& message) {
  if (transaction_.commit_lsn < skip_.lsn) return {};
  const auto& past = world_.options.past_truncates;
  const std::string lsn = to_text(transaction_.commit_lsn);
  for (const std::uint32_t oid : message.truncated) {
    const auto table = tables_.find(oid);
    if (table == tables_.end() || !table->second.rows || std::find(past.begin(), past.end(), lsn) != past.end())
      continue;
    FF_TRY(flush());
    return Error{
        Recourse::halt, "table_truncated",
        "TRUNCATE of " + table->second.name + " in the transaction that committed at " + lsn +
            ". FleetFlow takes back no history in one stroke. Either delete the rows' facts at their source one by "
            "one, or go past it with past_truncates: [" +
            lsn + "]: all that was told before then stays true"};
  }
  return {};
}

Result<void> PgStream::change(PgMessage& message) {
  if (message.kind == PgMessageKind::relation) return define(message.relation);
  if (message.kind == PgMessageKind::truncate) return truncate(message);
  const auto known = tables_.find(message.relation_oid);
  if (known == tables_.end())
    return Error{Recourse::halt, "replication_protocol",
                 "a change of table " + std::to_string(message.relation_oid) + ", which was not announced"};
  PostgresRows* const rows = known->second.rows;
  if (!rows || transaction_.commit_lsn < skip_.lsn) return {};
  for (const PgRecord& record : rows->records_of(message)) {
    ++index_;
    if (index_ > std::numeric_limits<std::int32_t>::max())
      return Error{Recourse::halt, "transaction_too_large",
                   "the transaction " + std::to_string(transaction_.xid) + " has more than 2,147,483,647 changes"};
    if (transaction_.commit_lsn == skip_.lsn && index_ <= skip_.index) continue;
    FF_TRY(rows->add(record,
                     {position_ + 1, transaction_.commit_lsn, index_, transaction_.xid, transaction_.commit_time}));
    ++position_;
    told_anything_ = true;
    next_.lsn = transaction_.commit_lsn;
    next_.index = index_;
    last_feed_ = static_cast<std::uint32_t>(known->second.feed);
    // A record of two facts, or a change of two records, is never split: both have been added or the next is a new one.
    for (const PgCell& cell : record.cells) pending_bytes_ += cell.bytes.size();
    if (++pending_records_ >= world_.options.batch_records || pending_bytes_ >= batch_payload_bytes_max)
      FF_TRY(flush());
  }
  return {};
}

Result<void> PgStream::message(const PgMessage& message) {
  if (message.prefix != snapshot_message || transaction_.commit_lsn < skip_.lsn) return {};
  world_.requested(to_text(transaction_.commit_lsn), message.content);
  told_anything_ = true;  // The slot moves on behind it, and its mark behind the request's.
  return {};
}

Result<void> PgStream::commit(Lsn end) {
  if (transaction_.commit_lsn < skip_.lsn) return {};
  is_dirty_ |= told_anything_ || next_.index > 0;
  next_.lsn = std::max(next_.lsn, end);
  next_.index = 0;
  return {};
}

void PgStream::drain_wake() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto drained = ::read(world_.wake, &count, sizeof count);
}

/// Hands out what is pending, and waits for room as long as it takes; the server hears from us meanwhile.
Result<void> PgStream::flush() {
  SourceBatch out;
  bool is_first = true;
  for (auto& [name, rows] : rows_) {
    if (rows->has_nothing() && pending_records_ == 0) continue;
    Batch batch = FF_TRY(rows->finish_batch());
    if (batch.records.empty() && batch.drifts.empty()) continue;
    if (is_first)
      out.batch = std::move(batch);
    else
      out.batch.absorb(std::move(batch));
    is_first = false;
  }
  out.feed = last_feed_;
  out.partition = world_.partition;
  out.last_position = position_;
  out.resume = to_text(next_);
  while (!world_.try_push(out, 200ms)) {
    if (world_.is_stopped()) return {};
    last_heard_ = std::chrono::steady_clock::now();  // It is us who do not read.
    FF_TRY(keep_alive());
  }
  pending_records_ = pending_bytes_ = 0;
  is_dirty_ = false;
  progress_ = {next_, position_};
  if (transaction_.commit_time > 0) world_.heard_until->store(transaction_.commit_time);
  return {};
}

Result<void> PgStream::keep_alive() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_heard_ > world_.options.silence_max)
    return Error{Recourse::retry, "source_away",
                 "Postgres at " + connection_->where() + " has been silent for " +
                     std::to_string(world_.options.silence_max.count()) + " s (silence_max_s)"};
  const Lsn flushed{world_.flush->load()};
  if (flushed == flushed_ && now - last_sent_ < status_interval) return {};
  return send_status(now - last_heard_ > status_interval);
}

/// What was received, and what is in the lake: the second is all that the server may forget.
Result<void> PgStream::send_status(bool wants_reply) {
  flushed_ = Lsn{world_.flush->load()};
  std::string message = "r";
  put64(std::max(received_, flushed_).bytes, message);
  put64(flushed_.bytes, message);
  put64(flushed_.bytes, message);
  put64(static_cast<std::uint64_t>(now_micros() - pg_epoch), message);
  message += static_cast<char>(wants_reply);
  last_sent_ = std::chrono::steady_clock::now();
  return connection_->send(message);
}

}  // namespace ff
