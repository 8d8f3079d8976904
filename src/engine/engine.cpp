#include "engine/engine.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <limits>
#include <set>

#include "base/crash_point.h"
#include "base/hash.h"
#include "base/time.h"
#include "lake/schema.h"
#include "lake/sql_socket.h"

namespace ff {
namespace {
namespace fs = std::filesystem;

std::int64_t to_integer(const std::optional<std::string>& text, std::int64_t otherwise) {
  if (!text) return otherwise;
  std::int64_t value = otherwise;
  std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::int64_t process_cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * us_per_second + t.tv_nsec / 1000;
}

/// Adds the time until its end to a stage of the profile.
class Stage {
 public:
  Stage(RunStats& stats, const char* name) : stats_(stats), name_(name) {}
  ~Stage() { stats_.stage_us[name_] += process_cpu_us() - start_; }

 private:
  RunStats& stats_;
  const char* name_;
  std::int64_t start_ = process_cpu_us();
};

constexpr std::chrono::milliseconds poll_wait{100};
constexpr const char* mark_prefix = "!mark/";
constexpr const char* partition_prefix = "!partition/";
constexpr const char* generation_key = "!generation";

}  // namespace

struct Engine::Impl {
  explicit Impl(EngineOptions o, ContractSet c, PseudonymKey k, Curator m)
      : options(std::move(o)),
        contracts(std::move(c)),
        key(std::move(k)),
        curator(std::move(m)),
        names{contracts, {}} {}

  EngineOptions options;
  ContractSet contracts;
  PseudonymKey key;
  Curator curator;
  std::unique_ptr<Lake> lake;
  std::unique_ptr<SqlSocket> socket;  ///< after the lake it speaks for, so that it goes first
  std::unique_ptr<Store> store;
  std::shared_ptr<const Zone> zone;
  std::string zone_name, generation;
  Names names;  ///< as of the commit under way

  Partitions partitions;                                        ///< ids are given once and kept in the state
  std::map<std::string, std::int64_t> lake_marks, state_marks;  ///< partition -> last position that is in
  std::set<std::string> files_done;
  std::map<std::string, Micros> drifts;  ///< contract \x1f field -> first ingest_time, as in ops.schema_drift
  std::int64_t publish_seq = 0, epoch = 0;
  Micros as_of = none;
  Micros curated_as_of = none;  ///< where ops.clock stands: the as_of of the last cycle
  bool is_curated = true;       ///< nothing was touched since
  std::chrono::steady_clock::time_point cycle_at = std::chrono::steady_clock::now();
  std::size_t commits_since_flush = 0;
  RunStats stats;

  /// Batches on their way into one commit.
  struct Pending {
    std::vector<SourceBatch> batches;
    std::size_t records = 0;
  };
  /// The furthest batch of each partition.
  static std::map<std::uint32_t, const SourceBatch*> last_of_partitions(const Pending& pending) {
    std::map<std::uint32_t, const SourceBatch*> last;
    for (const SourceBatch& b : pending.batches) {
      const SourceBatch*& so_far = last[b.partition];
      if (!so_far || b.last_position >= so_far->last_position) so_far = &b;
    }
    return last;
  }

  Result<void> open_lake();
  Result<void> load_history();
  Result<std::vector<FilePart>> plan_files();
  Result<void> catch_up_state(const std::vector<FilePart>& parts);
  Result<void> commit(Pending& pending);
  Result<void> commit_cycle();
  bool is_cycle_due(const Pending& pending) const;
  Result<void> curate(const Staging& staging, bool cycle);
  void note_cycle(bool cycle) {
    is_curated = cycle;
    if (!cycle) return;
    curated_as_of = as_of;
    cycle_at = std::chrono::steady_clock::now();
  }
  Result<void> stage_records(Pending& pending, bool silent, Staging& staging);
  Result<void> write_marks(const Pending& pending, const Staging& staging);
  Result<void> write_state(const Pending& pending, Staging& staging);
  Result<void> confirm(const Pending& pending);
  Result<void> fence();

  const std::string& path_of(std::uint32_t partition) const { return names.partitions[partition]; }
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;
Lake& Engine::lake() { return *impl_->lake; }

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions options) {
  if (options.contracts.empty())
    options.contracts =
        fs::is_directory(options.input + "/contracts") ? options.input + "/contracts" : options.home + "/contracts";
  ContractSet contracts = FF_TRY(ContractSet::load(options.contracts));
  PseudonymKey key = FF_TRY(PseudonymKey::from_environment());
  Curator curator = FF_TRY(Curator::load(options.home + "/models"));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(contracts), std::move(key), std::move(curator));
  FF_TRY(impl->open_lake());
  FF_TRY(impl->load_history());
  impl->curator.on_step = [stats = &impl->stats](const std::string& model, std::int64_t us) {
    stats->stage_us["curate " + model] += us;
  };
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Result<void> Engine::Impl::open_lake() {
  std::error_code error;
  fs::create_directories(options.directory + "/tmp", error);
  if (error)
    return Error{Recourse::halt, "directory_unusable",
                 "cannot make the lake directory " + options.directory + ": " + error.message() + "; set --lake"};
  if (options.lake.attach.empty()) options.lake.path = options.directory + "/lake.duckdb";
  if (options.lake.temp_directory.empty()) options.lake.temp_directory = options.directory + "/tmp";
  lake = FF_TRY(Lake::open(options.lake));
  options.state.directory = options.directory + "/state";
  store = FF_TRY(Store::open(options.state));

  zone_name = options.reporting_zone;
  for (const Contract& c : contracts)
    if (zone_name.empty()) zone_name = c.reporting_zone;
  if (zone_name.empty()) zone_name = "UTC";
  zone = FF_TRY(Zone::load(zone_name));

  FF_TRY(lake->begin());
  FF_TRY(create_tables(*lake));
  generation = hex(hash128(contracts.content_hash() + '\x1f' + zone_name + '\x1f' + key.key_id()));
  const auto made_with = FF_TRY(lake->value("select max(generation) from ops.commits"));
  if (made_with && *made_with != generation)
    return Error{Recourse::halt, "generation_changed",
                 "the lake " + options.directory +
                     " was made with other contracts, another reporting zone or another pseudonym key; use a new "
                     "--lake and read the sources again"};
  FF_TRY(load_reference(*lake, options.home + "/reference", zone_name));
  for (const Contract& c : contracts)
    for (const SlaPolicy& p : c.sla_policies) {
      Rows row("siiiiii");
      row.text(p.service_level)
          .integer(p.pickup_within_h)
          .integer(p.delivery_within_h)
          .integer(p.grace_min)
          .integer(p.early_window_min)
          .integer(p.risk_window_min)
          .integer(p.stalled_after_h);
      FF_TRY(lake->insert("ops.sla_policy", row));
    }
  Rows feeds("siii");
  for (const Contract& c : contracts)
    feeds.text(c.id).integer(c.silent_after_min).integer(c.records_per_day_min).integer(c.records_per_day_max);
  FF_TRY(lake->run("delete from ops.feeds"));
  FF_TRY(lake->insert("ops.feeds", feeds));
  FF_TRY(curator.create(*lake, options.lake.attach.empty() ? Curator::Views::yes : Curator::Views::as_tables));
  FF_TRY(lake->commit());
  socket = FF_TRY(SqlSocket::serve(*lake, options.directory + "/sql.sock"));
  return {};
}

Result<void> Engine::Impl::load_history() {
  publish_seq = to_integer(FF_TRY(lake->value("select max(publish_seq) from ops.commits")), 0);
  epoch = to_integer(FF_TRY(lake->value("select max(epoch) from ops.commits")), 0) + 1;
  as_of = to_integer(FF_TRY(lake->value("select epoch_us(max(as_of)) from ops.commits")), none);
  curated_as_of = to_integer(FF_TRY(lake->value("select epoch_us(as_of) from ops.clock")), none);
  is_curated = !FF_TRY(Curator::is_behind(*lake));
  const Table marks = FF_TRY(lake->query("select partition, position from ops.marks"));
  for (const auto& row : marks.rows) lake_marks[*row[0]] = to_integer(row[1], 0);
  const Table files = FF_TRY(lake->query("select path from ops.files where done"));
  for (const auto& row : files.rows) files_done.insert(*row[0]);
  const Table known_drifts =
      FF_TRY(lake->query("select contract || chr(31) || field, epoch_us(first_ingest_time) from ops.schema_drift"));
  for (const auto& row : known_drifts.rows) drifts[*row[0]] = to_integer(row[1], 0);
  if (options.as_of != none && as_of != none && options.as_of < as_of)
    return Error{Recourse::halt, "as_of_behind",
                 "--as-of " + format_rfc3339(options.as_of) + " lies before what this lake has seen, " +
                     format_rfc3339(as_of) + "; use a new --lake to look at the past"};

  const std::string state_generation = FF_TRY(store->get(generation_key));
  if (!state_generation.empty() && state_generation != generation)
    return Error{Recourse::halt, "generation_changed",
                 "the state in " + options.state.directory +
                     " belongs to other contracts; remove it, it is rebuilt from the sources"};
  for (const auto& [k, path] : FF_TRY(store->scan(partition_prefix))) {
    const auto id = static_cast<std::size_t>(std::stoul(k.substr(std::string_view(partition_prefix).size())));
    partitions.restore(static_cast<std::uint32_t>(id), path);
  }
  for (const auto& [k, position] : FF_TRY(store->scan(mark_prefix))) {
    const std::string path = k.substr(std::string_view(mark_prefix).size());
    state_marks[path] = to_integer(position, 0);
    if (const auto lake_mark = lake_marks.find(path);
        lake_mark == lake_marks.end() || lake_mark->second < state_marks[path])
      return Error{Recourse::halt, "state_ahead",
                   "the state in " + options.state.directory + " knows more of " + path +
                       " than the lake does: it belongs to another lake; remove it, it is rebuilt from the sources"};
  }
  return {};
}

/// Notes new files in ops.files, committed before any of them is read (S1.3), and lists what is to be read.
Result<std::vector<FilePart>> Engine::Impl::plan_files() {
  std::map<std::string, std::pair<Micros, std::int64_t>> known;
  const Table table = FF_TRY(lake->query("select path, epoch_us(ingest_time), bytes from ops.files"));
  for (const auto& row : table.rows) known[*row[0]] = {to_integer(row[1], 0), to_integer(row[2], 0)};
  Rows arrivals("sssistbii");
  std::vector<FilePart> parts;
  const Micros now = now_micros();
  for (const FoundFile& file : FF_TRY(find_files(options.input, contracts))) {
    const auto [it, is_new] = known.emplace(file.path, std::make_pair(now, file.bytes));
    if (is_new)
      arrivals.text(contracts[file.feed].id)
          .text(file.path)
          .text(file.path)
          .integer(file.bytes)
          .null()
          .integer(now)
          .boolean(false)
          .integer(0)
          .integer(0);
    else if (it->second.second != file.bytes)
      return Error{Recourse::halt, "file_changed",
                   "the file " + file.path + " had " + std::to_string(it->second.second) +
                       " bytes when it arrived and has " + std::to_string(file.bytes) +
                       " now; a landed file is immutable: give the new content a new name"};
    parts.push_back({file.feed,
                     {options.input + "/" + file.path, partitions.id_of(file.path), it->second.first},
                     lake_marks[file.path]});
  }
  FF_TRY(lake->insert("ops.files", arrivals));
  names.partitions = partitions.names();
  pass_crash_point("files_noted");
  return parts;
}

Result<void> Engine::Impl::stage_records(Pending& pending, bool silent, Staging& staging) {
  names.partitions = partitions.names();
  std::vector<Fact*> shipments, drivers, pings;
  for (SourceBatch& source : pending.batches) {
    for (Decoded& d : source.batch.records) {
      Fact* const fact = d.fact();
      if (silent) {
        // Replay: what the lake has already goes into the state only.
        if (fact && fact->from.position > lake_marks[path_of(fact->from.partition)]) continue;
      } else {
        const Provenance& from = fact ? fact->from : d.refusal()->from;
        const Contract& contract = contracts[from.feed];
        const Refusal* const refusal = d.refusal();
        const int type = fact                      ? static_cast<int>(fact->type())
                         : refusal->fact_type >= 0 ? refusal->fact_type
                                                   : static_cast<int>(contract.mappings.front().fact);
        Rows& raw = staging.raw[type].inserts;
        raw.text(contract.id)
            .text(path_of(from.partition))
            .integer(from.position)
            .integer(from.ingest_time)
            .text(contract.id)
            .text(contract.version);
        raw.text_or_null(fact ? std::visit(
                                    [](const auto& body) -> std::string_view {
                                      if constexpr (requires { body.shipment_id; })
                                        return body.shipment_id;
                                      else
                                        return body.driver_key;
                                    },
                                    fact->body)
                              : std::string_view(refusal->subject));
        raw.text_or_null(refusal ? refusal->reason : std::string_view()).text(d.payload);
        if (fact) as_of = std::max(as_of, from.ingest_time);
        if (refusal) {
          ++stats.refused;
          Rows& q = staging.quarantine.inserts;
          q.text(contract.id)
              .text(path_of(from.partition))
              .integer(from.position)
              .integer(from.ingest_time)
              .text(contract.id)
              .text(contract.version);
          if (refusal->fact_type >= 0)
            q.text(fact_name(static_cast<FactType>(refusal->fact_type)));
          else
            q.null();
          q.text_or_null(refusal->subject)
              .text(refusal->reason)
              .text_or_null(refusal->field)
              .text_or_null(refusal->detail)
              .text_or_null(refusal->raw)
              .text(refusal->content_hash);
        }
      }
      if (!fact) continue;
      switch (fact->type()) {
        case FactType::driver:
          drivers.push_back(fact);
          break;
        case FactType::gps_location:
          pings.push_back(fact);
          break;
        default:
          shipments.push_back(fact);
      }
    }
    if (!silent)
      for (const Drift& drift : source.batch.drifts) {
        const std::string& contract = contracts[source.feed].id;
        const auto [known, is_new] = drifts.emplace(contract + '\x1f' + drift.field, drift.from.ingest_time);
        if (!is_new && known->second <= drift.from.ingest_time) continue;
        known->second = drift.from.ingest_time;
        staging.drift.deletes.text(contract).text(drift.field);
        staging.drift.inserts.text(contract)
            .text(drift.field)
            .integer(drift.from.ingest_time)
            .text(contract)
            .text(path_of(drift.from.partition))
            .integer(drift.from.position);
      }
  }
  stats.facts += static_cast<std::int64_t>(shipments.size() + drivers.size() + pings.size());
  const FoldContext context{*store, names, *zone, publish_seq + 1, as_of};
  {
    Stage stage(stats, "fold shipments");
    FF_TRY(stage_shipments(context, shipments, staging));
  }
  Stage stage(stats, "fold drivers and pings");
  FF_TRY(stage_drivers(context, drivers, staging));
  return stage_pings(context, pings, staging);
}

/// Another engine with a greater epoch owns the lake: stop before writing.
Result<void> Engine::Impl::fence() {
  const auto owner = to_integer(FF_TRY(lake->value("select max(epoch) from ops.commits")), 0);
  if (owner > epoch)
    return Error{Recourse::halt, "fenced",
                 "an engine with epoch " + std::to_string(owner) + " has taken this lake over from epoch " +
                     std::to_string(epoch)};
  return {};
}

Result<void> Engine::Impl::write_marks(const Pending& pending, const Staging& staging) {
  Rows keys("s"), rows("sissiis");
  for (const auto& [partition, last] : last_of_partitions(pending)) {
    const std::string& path = path_of(partition);
    keys.text(path);
    rows.text("*")
        .integer(0)
        .text(contracts[last->feed].id)
        .text(path)
        .integer(std::max(last->last_position, lake_marks[path]))  // A mark never goes back.
        .integer(epoch)
        .text_or_null(last->resume);
  }
  FF_TRY(lake->run_with("delete from ops.marks t using batch b where t.partition = b.partition", keys, {"partition"}));
  FF_TRY(lake->insert("ops.marks", rows));
  Rows commit_row("iittiis");
  commit_row.integer(publish_seq + 1)
      .integer(epoch)
      .integer(as_of)
      .integer(now_micros())
      .integer(static_cast<std::int64_t>(pending.records))
      .integer(static_cast<std::int64_t>(staging.quarantine.inserts.size()))
      .text(generation);
  return lake->insert("ops.commits", commit_row);
}

Result<void> Engine::Impl::write_state(const Pending& pending, Staging& staging) {
  for (const SourceBatch& b : pending.batches) {
    const std::string& path = path_of(b.partition);
    staging.state.emplace_back(partition_prefix + std::to_string(b.partition), path);
    state_marks[path] = std::max(state_marks[path], b.last_position);
    staging.state.emplace_back(mark_prefix + path, std::to_string(state_marks[path]));
  }
  staging.state.emplace_back(generation_key, generation);
  FF_TRY(store->write(staging.state));
  pass_crash_point("state_written");
  if (++commits_since_flush < options.state_flush_commits) return {};
  commits_since_flush = 0;
  FF_TRY(store->flush());
  pass_crash_point("state_flushed");
  return {};
}

/// Tells the source that a file is done: nothing of it has to be kept for us.
Result<void> Engine::Impl::confirm(const Pending& pending) {
  Rows done("si");
  for (const SourceBatch& b : pending.batches)
    if (b.file_done) done.text(path_of(b.partition)).integer(lake_marks[path_of(b.partition)]);
  FF_TRY(
      lake->run_with("update ops.files t set done = true, records = b.records, refused = (select count(*) from "
                     "ops.quarantine q where q.partition = b.path) from batch b where t.path = b.path",
                     done, {"path", "records"}));
  if (!done.empty()) pass_crash_point("confirmed");
  return {};
}

/// While full batches wait, core goes ahead and curated follows now and then; with less to do, it follows at once.
bool Engine::Impl::is_cycle_due(const Pending& pending) const {
  return pending.records < options.batch_records ||
         std::chrono::steady_clock::now() - cycle_at >= std::chrono::seconds(options.curate_every_s);
}

/// Inside the transaction: a cycle brings curated to where core is; without one, what was touched is kept for the next.
Result<void> Engine::Impl::curate(const Staging& staging, bool cycle) {
  if (!cycle) return curator.note(*lake, staging.touched);
  FF_TRY(set_clock(*lake, as_of, zone_name));
  return curator.publish(*lake, staging.touched, curated_as_of, as_of, publish_seq + 1);
}

Result<void> Engine::Impl::commit(Pending& pending) {
  if (pending.batches.empty()) return {};
  pass_crash_point("batch_decoded");
  const bool cycle = is_cycle_due(pending);
  Staging staging;
  FF_TRY(stage_records(pending, false, staging));

  const auto write = [&]() -> Result<void> {
    FF_TRY(lake->begin());
    FF_TRY(fence());
    pass_crash_point("transaction_begun");
    {
      Stage stage(stats, "write raw");
      FF_TRY(write_deletes(*lake, {&staging.drift}));
      FF_TRY(write_inserts(*lake, staging.raw_tables()));
      pass_crash_point("raw_written");
    }
    {
      Stage stage(stats, "write core");
      FF_TRY(write_deletes(*lake, staging.core_tables()));
      pass_crash_point("core_deleted");
      FF_TRY(write_inserts(*lake, staging.core_tables()));
      pass_crash_point("core_written");
      FF_TRY(write_marks(pending, staging));
      pass_crash_point("marks_written");
    }
    {
      Stage stage(stats, "curate");
      FF_TRY(curate(staging, cycle));
      if (cycle) pass_crash_point("curated_written");
    }
    Stage stage(stats, "commit");
    return lake->commit();
  };
  if (auto written = write(); !written.ok()) {
    lake->rollback();
    return written.error();
  }
  pass_crash_point("lake_committed");
  ++publish_seq;
  ++stats.commits;
  note_cycle(cycle);
  for (const SourceBatch& b : pending.batches)
    lake_marks[path_of(b.partition)] = std::max(lake_marks[path_of(b.partition)], b.last_position);
  {
    Stage stage(stats, "write state");
    FF_TRY(write_state(pending, staging));
  }
  FF_TRY(confirm(pending));
  pending = Pending();
  stats.as_of = as_of;
  return {};
}

/// A commit without facts: the clock moves to as_of, and curated follows.
Result<void> Engine::Impl::commit_cycle() {
  const auto write = [&]() -> Result<void> {
    Stage stage(stats, "curate");
    FF_TRY(lake->begin());
    FF_TRY(fence());
    FF_TRY(write_marks(Pending(), Staging()));
    FF_TRY(curate(Staging(), true));
    return lake->commit();
  };
  if (auto written = write(); !written.ok()) {
    lake->rollback();
    return written.error();
  }
  ++publish_seq;
  ++stats.commits;
  note_cycle(true);
  stats.as_of = as_of;
  return {};
}

/// Brings keyed state that lags up to the lake's marks, writing nothing to the lake.
Result<void> Engine::Impl::catch_up_state(const std::vector<FilePart>& parts) {
  std::vector<FilePart> behind;
  for (const FilePart& part : parts) {
    const std::string& path = path_of(part.file.partition);
    if (state_marks[path] >= lake_marks[path]) continue;
    behind.push_back(part);
    behind.back().after = state_marks[path];
  }
  if (behind.empty()) return {};
  const auto source = FF_TRY(FileSource::start(contracts, key, std::move(behind), std::numeric_limits<Micros>::max()));
  Pending pending;
  const auto apply = [&]() -> Result<void> {
    Staging staging;
    FF_TRY(stage_records(pending, true, staging));
    for (SourceBatch& b : pending.batches)
      b.last_position = std::min(b.last_position, lake_marks[path_of(b.partition)]);
    stats.replayed += static_cast<std::int64_t>(pending.records);
    FF_TRY(write_state(pending, staging));
    pending = Pending();
    return {};
  };
  for (;;) {
    auto next = FF_TRY(source->poll(poll_wait));
    if (!next && source->is_finished()) break;
    if (!next) continue;
    pending.records += next->batch.records.size();
    pending.batches.push_back(std::move(*next));
    if (pending.records >= options.batch_records) FF_TRY(apply());
  }
  FF_TRY(apply());
  stats.facts = 0;
  return {};
}

Result<RunStats> Engine::run(const std::function<void(const RunStats&)>& progress) {
  Impl& e = *impl_;
  const std::vector<FilePart> parts = FF_TRY(e.plan_files());
  FF_TRY(e.catch_up_state(parts));
  std::vector<FilePart> unread;
  for (const FilePart& part : parts)
    if (!e.files_done.contains(e.path_of(part.file.partition))) unread.push_back(part);

  const auto source =
      FF_TRY(FileSource::start(e.contracts, e.key, std::move(unread),
                               e.options.as_of == none ? std::numeric_limits<Micros>::max() : e.options.as_of));
  Impl::Pending pending;
  for (;;) {
    std::optional<SourceBatch> next;
    {
      Stage stage(e.stats, "wait for decoder");
      next = FF_TRY(source->poll(poll_wait));
    }
    if (!next && source->is_finished()) break;
    if (!next) continue;
    pending.records += next->batch.records.size();
    pending.batches.push_back(std::move(*next));
    if (pending.records < e.options.batch_records) continue;
    FF_TRY(e.commit(pending));
    if (progress) progress(e.stats);
  }
  FF_TRY(e.commit(pending));
  e.as_of = std::max(e.as_of, e.options.as_of);
  if (!e.is_curated || e.as_of != e.curated_as_of) FF_TRY(e.commit_cycle());
  FF_TRY(e.store->flush());
  e.stats.as_of = e.as_of;
  if (progress) progress(e.stats);
  return e.stats;
}

}  // namespace ff
