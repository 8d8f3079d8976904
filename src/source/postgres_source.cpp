#include "source/postgres_source.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "base/time.h"
#include "decode/pg_binary.h"
#include "source/batch_queue.h"
#include "source/postgres_catalog.h"
#include "source/postgres_requests.h"
#include "source/postgres_snapshot.h"
#include "source/postgres_stream.h"

namespace ff {
namespace {
using namespace std::chrono_literals;

constexpr std::size_t queued_batches_max = 4;
constexpr auto reconnect_wait = 1s;
constexpr const char* snapshot_complete = "complete";

/// A name that no other temporary slot of the server has: one of another process or thread, or one that is about to go.
std::string temporary_slot() {
  static std::atomic<int> count = 0;
  return "fleetflow_snapshot_" + std::to_string(::getpid()) + "_" + std::to_string(now_micros()) + "_" +
         std::to_string(++count);
}

}  // namespace

struct PostgresSource::Impl {
  Impl(const ContractSet& c, const PseudonymKey& k, PostgresOptions o, MarkOf m, Partitions& p)
      : contracts(c), key(k), options(std::move(o)), mark_of(std::move(m)), partitions(p) {}
  ~Impl();

  const ContractSet& contracts;
  const PseudonymKey& key;
  PostgresOptions options;
  MarkOf mark_of;
  Partitions& partitions;

  BatchQueue queue{queued_batches_max};
  int wake = -1;  ///< an eventfd: the stream's thread has something to look at
  std::atomic<bool> stopping = false;
  std::atomic<std::uint64_t> flush = 0;
  std::atomic<std::int64_t> heard_until = none, heard_at = none, rows_remaining = 0, connections = 0;
  std::int64_t requests_position = 0;  ///< of their mark; PgRequests keeps its callers apart
  std::unique_ptr<PgMonitor> monitor;
  std::unique_ptr<PgRequests> requests;
  std::thread reader;

  // Of the reader's thread, once it runs.
  PgSystem system;
  std::vector<PgTable> tables;
  std::string open_requests;           ///< as the lake's mark has them
  std::optional<PgProgress> progress;  ///< of the slot; null: neither the lake nor we have read any of it
  std::vector<std::string> snapshots;  ///< LSNs of the snapshots begun, the first first
  bool is_snapshot_complete = false;
  std::mutex ranges_mutex;
  std::set<std::string> ranges_done;  ///< handed out to the end

  std::string slot_partition() const { return "postgres:" + options.name; }
  std::string snapshot_partition() const { return slot_partition() + "/snapshot"; }
  std::string requests_partition() const { return slot_partition() + "/requests"; }
  std::string range_prefix(const std::string& snapshot) const { return snapshot_partition() + "/" + snapshot + "/"; }

  Result<void> ask_marks();
  Result<void> check();
  Result<void> take_snapshot();
  Result<std::vector<PgRange>> ranges_left();
  SourceBatch mark(const std::string& partition, std::int64_t position, std::string resume);
  Result<void> push_mark(const std::string& partition, std::int64_t position, std::string resume);
  bool push(SourceBatch&& batch);
  PgSnapshotJob job(const std::string& prefix);
  Result<void> read_ranges(PgSnapshotJob job, const PgExportedSnapshot& snapshot, const std::vector<PgRange>& ranges);
  Result<void> read_again(const PgSnapshotRequest& request);
  Result<void> read();
  void run();
  void say_trouble(const std::string& words);
  mutable std::mutex trouble_mutex;
  std::string trouble;  ///< empty: connected
};

PostgresSource::Impl::~Impl() {
  stopping = true;
  queue.stop();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto woken = ::write(wake, &one, sizeof one);
  if (requests) requests->stop();
  if (reader.joinable()) reader.join();
  if (wake >= 0) ::close(wake);
}

/// What the lake has of this source.
Result<void> PostgresSource::Impl::ask_marks() {
  const Mark snapshot = FF_TRY(mark_of(snapshot_partition()));
  std::istringstream words(snapshot.resume);
  for (std::string word; words >> word;)
    if (word == snapshot_complete)
      is_snapshot_complete = true;
    else
      snapshots.push_back(word);
  const Mark asked = FF_TRY(mark_of(requests_partition()));
  requests_position = asked.position;
  requests = std::make_unique<PgRequests>(
      [this](const PgSnapshotRequest& request) {
        auto done = read_again(request);
        if (done.ok() || stopping) return done;
        // A request that cannot be met must not stop what the stream tells.
        if (done.error().recourse == Recourse::halt)
          done = Error{Recourse::retry, "request_refused",
                       "the request to read " + request.schema + "." + request.table +
                           " again is given up: " + done.error().message};
        queue.fail(done.error());
        return done;
      },
      [this](const std::string& open) { return push(mark(requests_partition(), ++requests_position, open)); });
  open_requests = asked.resume;
  const Mark slot = FF_TRY(mark_of(slot_partition()));
  if (slot.resume.empty()) return {};
  const auto at = parse_position(slot.resume);
  if (!at)
    return Error{Recourse::halt, "mark_unreadable",
                 "the lake's mark of " + slot_partition() + " is '" + slot.resume +
                     "', not system/timeline/slot/LSN/index: was it written by another version?"};
  progress = PgProgress{*at, slot.position};
  if (at->index == 0) flush = at->lsn.bytes;
  return {};
}

/// Before anything is read, and again after each lost connection.
Result<void> PostgresSource::Impl::check() {
  PgConnection replication = FF_TRY(PgConnection::open(options.conninfo, PgMode::replication));
  system = FF_TRY(identify(replication));
  tables = FF_TRY(find_tables(replication, contracts, options.publication, options.server));
  const PgSlot slot = FF_TRY(find_slot(replication, options.slot));
  if (progress) return check_mark(replication, system, slot, options.slot, progress->at);
  if (!slot.lost.empty())
    return Error{Recourse::halt, "slot_lost",
                 "the server has invalidated the replication slot '" + options.slot + "': " + slot.lost +
                     "; nothing was read from it yet: drop it, it is made anew"};
  return {};
}

bool PostgresSource::Impl::push(SourceBatch&& batch) {
  while (!stopping)
    if (queue.push(batch, 500ms)) return true;
  return false;
}

SourceBatch PostgresSource::Impl::mark(const std::string& partition, std::int64_t position, std::string resume) {
  return {{}, tables.front().feed, partitions.id_of(partition), position, std::move(resume), false};
}

Result<void> PostgresSource::Impl::push_mark(const std::string& partition, std::int64_t position, std::string resume) {
  if (!push(mark(partition, position, std::move(resume)))) return Error{Recourse::retry, "source_stopped", "stopped"};
  return {};
}

PgSnapshotJob PostgresSource::Impl::job(const std::string& prefix) {
  return {contracts,
          key,
          partitions,
          options.conninfo,
          prefix,
          options.snapshot_connections,
          options.batch_records,
          options.silence_max,
          {},
          [this](SourceBatch&& batch) { return push(std::move(batch)); },
          {}};
}

/// The ranges that no snapshot so far has read to its end. Where updates may leave out values stored out of line, a row that
/// moved from a range not read into one that was read is in neither, and the stream does not tell it whole: such a table
/// is read again from its first page (docs/postgres.md).
Result<std::vector<PgRange>> PostgresSource::Impl::ranges_left() {
  std::vector<PgRange> left;
  for (const PgTable& table : tables) {
    std::vector<PgRange> all = ranges_of(table, options.snapshot_pages), missing;
    for (const PgRange& range : all) {
      bool is_done = ranges_done.contains(range.name);
      for (std::size_t i = 0; !is_done && i < snapshots.size(); ++i)
        is_done = FF_TRY(mark_of(range_prefix(snapshots[i]) + range.name)).resume == range_done;
      if (!is_done) missing.push_back(range);
    }
    const bool has_toast =
        std::any_of(table.leaves.begin(), table.leaves.end(), [](const PgLeaf& leaf) { return leaf.has_toast; });
    const std::vector<PgRange>& wanted = has_toast && !missing.empty() ? all : missing;
    left.insert(left.end(), wanted.begin(), wanted.end());
  }
  return left;
}

/// Counts down what is left, whatever becomes of it.
Result<void> PostgresSource::Impl::read_ranges(PgSnapshotJob job, const PgExportedSnapshot& snapshot,
                                               const std::vector<PgRange>& ranges) {
  std::atomic<std::int64_t> left = 0;
  for (const PgRange& range : ranges) left += range.rows;
  rows_remaining += left;
  job.range_done = [this, &left, then = std::move(job.range_done)](const PgRange& range) {
    left -= range.rows;
    rows_remaining -= range.rows;
    if (then) then(range);
  };
  const auto done = ff::read_ranges(job, snapshot, ranges);
  rows_remaining -= left;
  return done;
}

/// What an operator asked for, beside the stream.
Result<void> PostgresSource::Impl::read_again(const PgSnapshotRequest& request) {
  PgConnection sql = FF_TRY(PgConnection::open(options.conninfo, PgMode::sql));
  const std::vector<PgTable> all = FF_TRY(find_tables(sql, contracts, options.publication, options.server));
  const auto table = std::find_if(
      all.begin(), all.end(), [&](const PgTable& t) { return t.schema == request.schema && t.table == request.table; });
  if (table == all.end()) return {};  // It was there when it was asked for.
  const PgExportedSnapshot snapshot =
      FF_TRY(create_slot(options.conninfo, {temporary_slot(), true, false}, [this] { return stopping.load(); }));
  PgSnapshotJob again = job(range_prefix(to_text(snapshot.lsn)));
  again.condition = request.condition(sql);
  return read_ranges(std::move(again), snapshot, ranges_of(*table, options.snapshot_pages));
}

Result<void> PostgresSource::Impl::take_snapshot() {
  PgConnection sql = FF_TRY(PgConnection::open(options.conninfo, PgMode::sql));
  const bool is_first = !progress;
  const bool exists = FF_TRY(find_slot(sql, options.slot)).exists;
  // A slot that is there already exports nothing any more: a temporary one beside it does, and then the stream begins
  // where that one would.
  const PgSlotRequest request =
      exists ? PgSlotRequest{temporary_slot(), true, false} : PgSlotRequest{options.slot, false, options.failover};
  const PgExportedSnapshot snapshot =
      FF_TRY(create_slot(options.conninfo, request, [this] { return stopping.load(); }));
  snapshots.push_back(to_text(snapshot.lsn));
  std::string begun;
  for (const std::string& lsn : snapshots) begun += (begun.empty() ? "" : " ") + lsn;
  FF_TRY(push_mark(snapshot_partition(), static_cast<std::int64_t>(snapshots.size()), begun));
  if (is_first) {
    progress = PgProgress{{system.system_id, system.timeline, options.slot, snapshot.lsn, 0}, 0};
    FF_TRY(push_mark(slot_partition(), 0, to_text(progress->at)));
  }
  tables = FF_TRY(find_tables(sql, contracts, options.publication,
                              options.server));  // Sizes as of now: no row of the snapshot lies behind.
  PgSnapshotJob snapshot_job = job(range_prefix(snapshots.back()));
  snapshot_job.range_done = [this](const PgRange& range) {
    const std::lock_guard lock(ranges_mutex);
    ranges_done.insert(range.name);
  };
  const std::vector<PgRange> left = FF_TRY(ranges_left());
  FF_TRY(read_ranges(std::move(snapshot_job), snapshot, left));
  is_snapshot_complete = true;
  return push_mark(snapshot_partition(), static_cast<std::int64_t>(snapshots.size()) + 1,
                   begun + " " + snapshot_complete);
}

Result<void> PostgresSource::Impl::read() {
  FF_TRY(check());
  say_trouble({});
  if (!is_snapshot_complete) FF_TRY(take_snapshot());
  progress->at.system_id = system.system_id;
  progress->at.timeline = system.timeline;
  progress->at.slot = options.slot;
  const bool binary =
      options.binary && std::all_of(tables.begin(), tables.end(), [](const PgTable& t) { return t.all_types_binary; });
  std::set<std::uint32_t> enums;  // What is not known, then.
  for (const PgTable& table : tables)
    for (const PgColumn& column : table.columns)
      if (!is_binary_known(column.type)) enums.insert(column.type);
  ++connections;
  PgStream stream({contracts, key, options, partitions.id_of(slot_partition()), binary, std::move(enums), wake,
                   [this](SourceBatch& batch, std::chrono::milliseconds wait) { return queue.push(batch, wait); },
                   [this] { return stopping.load(); }, &flush, &heard_until, &heard_at,
                   [this](const std::string& id, std::string_view json) {
                     const auto request = PgSnapshotRequest::from_json(json);
                     if (request && request->slot == options.slot) requests->add(id, *request);
                   }},
                  *progress);
  const auto done = stream.run();
  if (!done.ok() && done.error().cause == binary_unknown) options.binary = false;
  return done;
}

void PostgresSource::Impl::say_trouble(const std::string& words) {
  const std::lock_guard lock(trouble_mutex);
  trouble = words;
}

void PostgresSource::Impl::run() {
  while (!stopping) {
    const auto done = read();
    if (done.ok() || stopping) return;
    say_trouble(done.error().message);
    queue.fail(done.error());
    if (done.error().recourse == Recourse::halt) return;
    for (auto slept = 0ms; slept < reconnect_wait && !stopping; slept += 50ms) std::this_thread::sleep_for(50ms);
  }
}

PostgresSource::PostgresSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PostgresSource::~PostgresSource() = default;

Result<std::unique_ptr<PostgresSource>> PostgresSource::start(const ContractSet& contracts, const PseudonymKey& key,
                                                              PostgresOptions options, MarkOf mark_of,
                                                              Partitions& partitions) {
  auto impl = std::make_unique<Impl>(contracts, key, std::move(options), std::move(mark_of), partitions);
  impl->wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  FF_CHECK(impl->wake >= 0);
  FF_TRY(impl->ask_marks());
  FF_TRY(impl->check());
  impl->monitor = std::make_unique<PgMonitor>(impl->options.conninfo, impl->options.slot, impl->options.stats_interval);
  impl->requests->start(impl->open_requests);
  impl->reader = std::thread([i = impl.get()] { i->run(); });
  return std::unique_ptr<PostgresSource>(new PostgresSource(std::move(impl)));
}

Result<std::optional<SourceBatch>> PostgresSource::poll(std::chrono::milliseconds wait) {
  return impl_->queue.pop(wait);
}

std::string PostgresSource::trouble() const {
  const std::lock_guard lock(impl_->trouble_mutex);
  return impl_->trouble;
}

Result<void> PostgresSource::confirm(const std::vector<Progress>& done) {
  const std::uint32_t mine = impl_->partitions.id_of(impl_->slot_partition());
  for (const Progress& p : done) {
    if (p.partition != mine) continue;
    const auto at = parse_position(p.mark.resume);
    // In the middle of a transaction the server must keep all of it, and then nothing new may be forgotten.
    if (!at || at->index != 0 || at->lsn.bytes <= impl_->flush) continue;
    impl_->flush = at->lsn.bytes;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto woken = ::write(impl_->wake, &one, sizeof one);
  }
  return {};
}

Micros PostgresSource::heard_until() const { return impl_->heard_until; }

PostgresStats PostgresSource::stats() const {
  const Impl& i = *impl_;
  return {i.monitor ? i.monitor->stats() : PgSlotStats{}, i.heard_at, i.heard_until, i.rows_remaining, i.connections};
}

}  // namespace ff
