#include "source/postgres_snapshot.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "decode/postgres_rows.h"
#include "source/postgres_source.h"

namespace ff {
namespace {

constexpr const char* stopped = "source_stopped";

/// A row of COPY's text format, cells in place: `\N` is null, a backslash escapes. False: it is no such row.
bool split_copy_row(std::string& row, std::vector<PgCell>& cells) {
  cells.clear();
  if (row.empty() || row.back() != '\n') return false;
  char* write = row.data();
  const char* read = row.data();
  const char* const end = row.data() + row.size();
  const char* begin = write;
  bool is_null = false;
  for (; read < end; ++read) {
    if (*read == '\t' || *read == '\n') {
      const std::string_view bytes(begin, static_cast<std::size_t>(write - begin));
      cells.push_back(is_null ? PgCell{} : PgCell{PgCell::text, bytes});
      begin = ++write;
      is_null = false;
      continue;
    }
    if (*read != '\\') {
      *write++ = *read;
      continue;
    }
    switch (*++read) {
      case 'N':
        is_null = true;
        break;
      case 'b':
        *write++ = '\b';
        break;
      case 'f':
        *write++ = '\f';
        break;
      case 'n':
        *write++ = '\n';
        break;
      case 'r':
        *write++ = '\r';
        break;
      case 't':
        *write++ = '\t';
        break;
      case 'v':
        *write++ = '\v';
        break;
      default:
        *write++ = *read;
    }
  }
  return true;
}

std::string copy_command(const PgConnection& sql, const PgRange& range, const std::string& condition) {
  std::string columns;
  for (const PgColumn& c : range.table->columns) columns += (columns.empty() ? "" : ", ") + sql.identifier(c.name);
  std::string command = "copy (select " + columns + " from only " + sql.identifier(range.leaf->schema) + "." +
                        sql.identifier(range.leaf->table) + " where ctid >= '(" + std::to_string(range.first_page) +
                        ",0)' and ctid < '(" + std::to_string(range.next_page) + ",0)'";
  if (!range.table->row_filter.empty()) command += " and (" + range.table->row_filter + ")";
  if (!condition.empty()) command += " and (" + condition + ")";
  return command + ") to stdout";
}

class RangeReader {
 public:
  RangeReader(const PgSnapshotJob& job, const PgExportedSnapshot& snapshot, std::atomic<bool>& stop)
      : job_(job), snapshot_(snapshot), stop_(stop) {}

  Result<void> open() {
    connection_.emplace(FF_TRY(PgConnection::open(job_.conninfo, PgMode::sql)));
    FF_TRY(connection_->query("begin isolation level repeatable read read only"));
    const auto taken = connection_->query("set transaction snapshot " + connection_->literal(snapshot_.name));
    if (!taken.ok())
      return Error{Recourse::retry, "source_away",
                   "the connection that exported the snapshot is gone: " + taken.error().message};
    return {};
  }

  Result<void> read(const PgRange& range) {
    const Contract& contract = job_.contracts[range.table->feed];
    if (!rows_ || feed_ != range.table->feed) rows_ = FF_TRY(PostgresRows::make(contract, range.table->feed, job_.key));
    feed_ = range.table->feed;
    partition_ = job_.partitions.id_of(job_.partition_prefix + range.name);
    position_ = 0;
    pending_ = pending_bytes_ = 0;
    rows_->begin(partition_);
    rows_->bind({0, range.table->schema, range.table->table, 'd', range.table->columns}, 1);
    FF_TRY(connection_->start_copy(copy_command(*connection_, range, job_.condition)));
    PgCopyData data;
    std::string row;
    auto heard = std::chrono::steady_clock::now();
    for (;;) {
      if (stop_) return Error{Recourse::retry, stopped, "stopped"};
      const PgCopyState state = FF_TRY(connection_->next(data, std::chrono::milliseconds(500)));
      if (state == PgCopyState::nothing_yet) {
        if (std::chrono::steady_clock::now() - heard < job_.silence_max) continue;
        return Error{Recourse::retry, "source_away",
                     "COPY of " + range.name + " from " + connection_->where() + " has been silent for " +
                         std::to_string(job_.silence_max.count()) + " s (silence_max_s)"};
      }
      if (state == PgCopyState::ended) break;
      row.assign(data.view());
      if (!split_copy_row(row, cells_))
        return Error{Recourse::halt, "replication_protocol", "COPY of " + range.name + " sent half a row"};
      ++position_;
      const PgRecordPlace place{position_, snapshot_.lsn, 0, 0, snapshot_.started_at};
      FF_TRY(rows_->add({'r', cells_, false}, place));
      pending_bytes_ += row.size();
      if (++pending_ >= job_.batch_records || pending_bytes_ >= batch_payload_bytes_max) FF_TRY(flush(false));
      heard = std::chrono::steady_clock::now();  // Waiting for room is not the server's silence.
    }
    FF_TRY(flush(true));
    if (job_.range_done) job_.range_done(range);
    return {};
  }

 private:
  Result<void> flush(bool is_last) {
    pending_ = pending_bytes_ = 0;
    SourceBatch batch{FF_TRY(rows_->finish_batch()), feed_, partition_, position_, is_last ? range_done : "", is_last};
    if (!job_.push(std::move(batch))) return Error{Recourse::retry, stopped, "stopped"};
    return {};
  }

  const PgSnapshotJob& job_;
  const PgExportedSnapshot& snapshot_;
  std::atomic<bool>& stop_;
  std::optional<PgConnection> connection_;
  std::unique_ptr<PostgresRows> rows_;
  std::uint32_t feed_ = 0, partition_ = 0;
  std::int64_t position_ = 0;
  std::size_t pending_ = 0, pending_bytes_ = 0;
  std::vector<PgCell> cells_;
};

}  // namespace

Result<PgExportedSnapshot> create_slot(const std::string& conninfo, const PgSlotRequest& request,
                                       const std::function<bool()>& is_stopped) {
  PgConnection keeper = FF_TRY(PgConnection::open(conninfo, PgMode::replication));
  const bool failover = request.failover && !request.temporary && keeper.server_version() >= 170000;
  const PgRows clock = FF_TRY(keeper.query("select (extract(epoch from clock_timestamp()) * 1000000)::bigint"));
  const PgRows made = FF_TRY(keeper.query_until(
      "CREATE_REPLICATION_SLOT " + keeper.identifier(request.name) + (request.temporary ? " TEMPORARY" : "") +
          " LOGICAL pgoutput " + (failover ? "(SNAPSHOT 'export', FAILOVER true)" : "EXPORT_SNAPSHOT"),
      is_stopped));
  const auto lsn = parse_lsn(made.at(0)[1].value_or(""));
  FF_CHECK(lsn && made[0][2]);
  return PgExportedSnapshot{std::move(keeper), *made[0][2], *lsn, std::stoll(*clock.at(0)[0])};
}

std::vector<PgRange> ranges_of(const PgTable& table, std::int64_t pages) {
  std::vector<PgRange> out;
  for (const PgLeaf& leaf : table.leaves)
    for (std::int64_t first = 0; first < leaf.pages; first += pages)
      out.push_back(
          {&table, &leaf, first, first + pages, leaf.rows * std::min(pages, leaf.pages - first) / leaf.pages,
           leaf.schema + "." + leaf.table + "/" + std::to_string(first) + "-" + std::to_string(first + pages)});
  return out;
}

Result<void> read_ranges(const PgSnapshotJob& job, const PgExportedSnapshot& snapshot,
                         const std::vector<PgRange>& ranges) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::optional<Error> error;
  const auto work = [&] {
    RangeReader reader(job, snapshot, stop);
    auto done = reader.open();
    for (std::size_t at = next++; done.ok() && at < ranges.size(); at = next++) done = reader.read(ranges[at]);
    if (done.ok()) return;
    stop = true;
    const std::lock_guard lock(mutex);
    if (!error || error->cause == stopped) error = done.error();
  };
  std::vector<std::thread> threads;
  const std::size_t count = std::min(ranges.size(), static_cast<std::size_t>(std::max(1, job.connections)));
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  if (error) return *error;
  return {};
}

}  // namespace ff
