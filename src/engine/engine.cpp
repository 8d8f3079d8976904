#include "engine/engine.h"

#include <algorithm>
#include <filesystem>
#include <future>
#include <limits>
#include <optional>
#include <thread>

#include "base/crash_point.h"
#include "base/time.h"
#include "engine/driver_curator.h"
#include "engine/folder.h"
#include "engine/history.h"
#include "engine/publisher.h"
#include "engine/raw_reader.h"
#include "engine/shards.h"
#include "engine/shared_curator.h"
#include "engine/stager.h"
#include "engine/turn_reporter.h"
#include "lake/schema.h"
#include "lake/sql_socket.h"

namespace ff {
namespace {
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds poll_wait{20};
constexpr int cycle_rest = 10;   // full batches leave a cycle a tenth of the time, and cycles the models of drivers
constexpr int rollup_rest = 30;  // within cycles: at most 3% of a busy engine's time, whatever the day holds

/// An idle engine curates drivers in the commit that moves its clock, unless they took longer: somebody may come.
constexpr std::chrono::seconds drivers_in_commit{1};
/// A service that is told to stop lets drivers wait for its next start if they took longer.
constexpr std::chrono::seconds drivers_at_stop{10};

/// Which curated tables follow in a commit; null: none.
using Cycle = std::optional<Curator::Follow>;
using Follow = Curator::Follow;

/// What models that read a whole day leave the others: after a time that they took, some times as much.
struct Rest {
  Clock::time_point since{};  ///< long ago: they are due at once
  Clock::duration took{};
  bool is_over(int times) const { return Clock::now() - since >= times * took; }
};

std::int64_t microseconds_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
}

}  // namespace

struct Engine::Impl {
  EngineOptions options;
  ContractSet contracts;
  PseudonymKey key;
  Curator curator;
  std::unique_ptr<Lake> lake;
  std::unique_ptr<Lake> mark_lake;  ///< a connection of its own, for sources that ask for marks on their threads
  std::mutex mark_mutex;
  std::unique_ptr<Lake> raw_lake;     ///< a connection of its own, to recall what the keyed state has let go
  std::unique_ptr<SqlSocket> socket;  ///< after the lake it speaks for, so that it goes first
  std::unique_ptr<Store> store;
  std::shared_ptr<const Zone> zone;
  Partitions partitions;
  History history;
  std::unique_ptr<RawReader> raw_reader;
  std::unique_ptr<Stager> stager;
  std::unique_ptr<Publisher> publisher;
  std::unique_ptr<DriverCurator> driver_curator;  ///< of a file; null: drivers are curated in commits
  bool drivers_wait = false;                      ///< since a cycle, and no round of theirs has begun
  Micros drivers_begun_at = none;                 ///< what curated showed when their round began was heard of by then
  std::unique_ptr<Shards> shards;                 ///< of a shared lake; null: all is ours
  std::map<std::string, std::int64_t> epochs;     ///< of the partitions that are ours, in a shared lake
  std::unique_ptr<SharedCurator> shared_curator;  ///< of a shared lake
  RunStats stats;

  struct OpenSource {
    std::string name;
    std::unique_ptr<Source> source;
    std::set<std::uint32_t> partitions;  ///< seen so far, so that each source hears of its own
    std::string trouble;                 ///< why it gives nothing, or not all, just now; empty: it is well
  };
  std::vector<OpenSource> sources;

  /// The commit that is being published; its thread has the lake to itself.
  struct Publishing {
    Commit commit;
    std::future<Result<void>> done;
    std::map<std::string, std::int64_t> stage_us;
    std::int64_t bytes = 0, transaction_us = 0, backpressure_us = 0;
    Micros caught_up_at = none;                   ///< everything heard of by then is in this commit or one before
    std::int64_t drivers_us = 0, rollups_us = 0;  ///< of the transaction
  };
  std::unique_ptr<Publishing> publishing;
  std::map<std::string, std::int64_t> gathered;   ///< of partitions that change hands: the last position gathered
  std::map<std::string, std::int64_t> staged_us;  ///< of the commit that is being staged
  std::int64_t inflight_bytes = 0;                ///< of the commit that is staged behind the one being published
  TurnReporter reporter;
  Clock::time_point last_cycle{};  ///< long ago: the first is due at once
  Clock::time_point publishing_since = Clock::now();
  Clock::duration last_fold{}, last_publishing{}, last_cycle_took{};
  Rest rollups_rest, drivers_rest;                   ///< drivers': since a cycle with them, or a part of their round
  Clock::duration round_took{};                      ///< the parts of this one
  Clock::duration drivers_take = drivers_in_commit;  ///< all of them, as far as we know
  Cycle last_cycle_follow;                           ///< of the last commit

  Impl(EngineOptions o, ContractSet c, PseudonymKey k, Curator m)
      : options(std::move(o)), contracts(std::move(c)), key(std::move(k)), curator(std::move(m)) {}
  ~Impl() {
    if (shards) shards->close();
    if (publishing) publishing->done.wait();
  }

  Result<void> open();
  Result<Mark> mark_of(const std::string& partition);
  Result<void> start_sources();
  Result<void> look_at_folder();
  Result<bool> gather(Pending& pending, bool is_serving);
  Result<bool> is_overtaken(const SourceBatch& batch);
  Curator::Views views() const { return options.lake.attach.empty() ? Curator::Views::yes : Curator::Views::as_tables; }
  Result<std::unique_ptr<Turn>> make_turn();
  Result<void> share(const std::string& zone_name);
  Result<void> keep_shards(Pending& pending);
  Result<void> let_go(Pending& pending);
  Result<void> take_up(const Shards::HeldByName& taken);
  Cycle cycle_due(const Pending& pending) const;
  bool are_rollups_due(bool is_idle) const { return rollups_rest.is_over(is_idle ? 1 : rollup_rest); }
  bool are_drivers_due(bool is_idle) const;
  bool is_rest_due() const;
  bool fit_drivers_a_commit() const;
  Result<void> hear_of_drivers();
  Result<void> let_drivers_follow(bool is_idle);
  Result<void> stage_and_publish(Pending& pending, Micros as_of, Cycle cycle, const Progress& progress);
  Result<void> finish_publishing(const Progress& progress);
  void report(Publishing& finished, const Error* error);
  bool is_time_to_fold() const;
  bool is_publishing() const {
    return publishing && publishing->done.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
  }
  bool all_finished() const {
    return std::all_of(sources.begin(), sources.end(), [](const auto& s) { return s.source->is_finished(); });
  }
  Result<void> drive(const std::stop_token* stop, const Progress& progress);
  Result<RunStats> end(Micros as_of, Cycle cycle, const Progress& progress);
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;
Lake& Engine::lake() { return *impl_->lake; }

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions options) {
  if (options.contracts.empty())
    options.contracts = !options.input.empty() && fs::is_directory(options.input + "/contracts")
                            ? options.input + "/contracts"
                            : options.home + "/contracts";
  ContractSet contracts = FF_TRY(ContractSet::load(options.contracts));
  PseudonymKey key = FF_TRY(PseudonymKey::from_environment());
  Curator curator = FF_TRY(Curator::load(options.home + "/models"));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(contracts), std::move(key), std::move(curator));
  FF_TRY(impl->open());
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Result<void> Engine::Impl::open() {
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

  const std::string zone_name = zone_of(options.reporting_zone, contracts);
  zone = FF_TRY(Zone::load(zone_name));
  const std::string generation = generation_of(contracts, zone_name, key);
  if (options.is_shared) FF_TRY(until_no_conflict(*lake, [&] { return create_tables(*lake); }));
  std::unique_ptr<Turn> turn = FF_TRY(make_turn());
  const auto make = [&]() -> Result<void> {
    FF_TRY(lake->begin());
    FF_TRY(prepare_lake(*lake, contracts, options.home, zone_name, generation, options.directory));
    FF_TRY(curator.create(*lake, views()));
    return lake->commit();
  };
  FF_TRY(turn ? turn->run(*lake, make) : make());
  curator.on_step = [this, from = curator.followed_from()](const std::string& model, std::int64_t us) {
    if (!publishing) return;
    publishing->stage_us["curate " + model] += us;
    const auto known = from.find(model);
    if (known == from.end() || known->second == Follow::shipments) return;
    (known->second == Follow::all ? publishing->drivers_us : publishing->rollups_us) += us;
  };
  socket = FF_TRY(SqlSocket::serve(*lake, options.directory + "/sql.sock"));
  mark_lake = FF_TRY(lake->connect());
  raw_lake = FF_TRY(lake->connect());
  raw_reader = std::make_unique<RawReader>(*raw_lake, contracts, key, partitions);

  constexpr HotFor usual;
  const Micros hot = options.state_days * us_per_day;
  stager = std::make_unique<Stager>(
      contracts, *zone, *store, partitions, [this](auto types, auto keys) { return raw_reader->about(types, keys); },
      HotFor{std::min(usual.ended, hot), hot});
  stager->on_stage = [this](const char* stage, std::int64_t us) { staged_us[stage] += us; };
  history = FF_TRY(load_history(*lake, *store, generation, partitions, *stager));
  if (options.as_of != none && history.as_of != none && options.as_of < history.as_of)
    return Error{Recourse::halt, "as_of_behind",
                 "--as-of " + format_rfc3339(options.as_of) + " lies before what this lake has seen, " +
                     format_rfc3339(history.as_of) + "; use a new --lake to look at the past"};
  publisher = std::make_unique<Publisher>(*lake, *store, curator, contracts, std::move(turn),
                                          Publisher::Options{zone_name, generation, options.state_flush_commits});
  publisher->on_stage = [this](const char* stage, std::int64_t us) {
    if (publishing) publishing->stage_us[stage] += us;
  };
  if (options.lake.attach.empty()) {
    auto drivers_lake = FF_TRY(lake->connect());
    driver_curator = FF_TRY(DriverCurator::open(std::move(drivers_lake), curator));
  }
  FF_TRY(reporter.start(options.observer, contracts, *lake, curator.followed_from(), options.is_shared));
  if (options.is_shared) return share(zone_name);
  stats.replayed = FF_TRY(catch_up_state(*lake, *store, contracts, key, partitions, *stager, history));
  return {};
}

/// Null: the lake is ours alone.
Result<std::unique_ptr<Turn>> Engine::Impl::make_turn() {
  if (!options.is_shared) return std::unique_ptr<Turn>();
  return std::make_unique<Turn>(FF_TRY(lake->connect()));
}

/// Nothing is ours until a source says so; its state is brought up then.
Result<void> Engine::Impl::share(const std::string& zone_name) {
  stager->marks.clear();
  history.publish_seq = history.epoch = 0;
  history.is_curated = true;
  auto shards_lake = FF_TRY(lake->connect());
  shards = std::make_unique<Shards>(std::move(shards_lake), FF_TRY(make_turn()), history.generation);
  auto curators_lake = FF_TRY(lake->connect());
  auto turn = FF_TRY(make_turn());
  const SharedCurator::Options how{zone_name, history.generation,
                                   std::chrono::seconds(std::max<std::int64_t>(1, options.curate_every_s)), views()};
  shared_curator = FF_TRY(SharedCurator::start(std::move(curators_lake), std::move(turn), curator, how));
  return {};
}

/// What the sources' threads were told by their group, done here, where nothing else is under way.
Result<void> Engine::Impl::keep_shards(Pending& pending) {
  if (!shards) return {};
  FF_TRY(shared_curator->state());
  if (shards->is_giving_up()) FF_TRY(let_go(pending));
  if (const auto taken = shards->taken(); !taken.empty()) FF_TRY(take_up(taken));
  return {};
}

/// Of what goes, the commit under way is made, and the rest is dropped: its next owner reads it again.
Result<void> Engine::Impl::let_go(Pending& pending) {
  FF_TRY(finish_publishing({}));
  shards->let_go();
  std::erase_if(pending.batches, [&](const SourceBatch& b) { return !shards->holds(partitions.name_of(b.partition)); });
  std::erase_if(epochs, [&](const auto& e) { return !shards->holds(e.first); });
  std::erase_if(stager->marks, [&](const auto& m) { return !shards->holds(m.first); });
  std::erase_if(gathered, [&](const auto& g) { return !shards->holds(g.first); });
  pending.records = 0;
  for (const SourceBatch& b : pending.batches) pending.records += b.batch.records.size();
  return {};
}

/// Goes on at the marks as they were at the takeover, which nobody else moves now, with the state of all that met there.
Result<void> Engine::Impl::take_up(const Shards::HeldByName& taken) {
  FF_TRY(finish_publishing({}));
  for (const auto& [name, held] : taken) {
    epochs[name] = held.epoch;
    stager->marks[name] = held.mark;
    gathered[name] = held.mark.position;
    history.epoch = std::max(history.epoch, held.epoch);
    history.publish_seq = std::max(history.publish_seq, first_publish_seq(held.epoch));
  }
  history.as_of = std::max(history.as_of, FF_TRY(lake->integer("select epoch_us(max(as_of)) from ops.commits", none)));
  stats.replayed += FF_TRY(catch_up_state(*lake, *store, contracts, key, partitions, *stager, history));
  return {};
}

Result<Mark> Engine::Impl::mark_of(const std::string& partition) {
  const std::lock_guard lock(mark_mutex);
  return read_mark(*mark_lake, partition);
}

Result<void> Engine::Impl::start_sources() {
  SourceContext context{contracts, key, partitions, [this](const std::string& p) { return mark_of(p); }, {}, {}};
  if (shards) {
    context.on_assigned = [this](const std::vector<std::string>& names) { return shards->take(names); };
    context.on_revoked = [this](const std::vector<std::string>& names) { shards->give_up(names); };
  }
  for (const LiveSource& live : options.sources) sources.push_back({live.name, FF_TRY(live.start(context)), {}});
  return {};
}

/// Starts reading what has landed since the last look. No commit is under way.
Result<void> Engine::Impl::look_at_folder() {
  if (options.input.empty()) return {};
  std::erase_if(sources, [](const OpenSource& s) { return s.name == folder_source && s.source->is_finished(); });
  if (std::any_of(sources.begin(), sources.end(), [](const OpenSource& s) { return s.name == folder_source; }))
    return {};
  auto unread = FF_TRY(unread_files(*lake, options.input, contracts, partitions, stager->marks));
  if (unread.empty()) return {};
  auto source = FF_TRY(FileSource::start(contracts, key, std::move(unread),
                                         options.as_of == none ? std::numeric_limits<Micros>::max() : options.as_of));
  sources.push_back({folder_source, std::move(source), {}});
  return {};
}

/// Takes one batch of each source that has one; whether there was any. A service waits for a source that is away: it
/// comes back by itself, and the others go on.
Result<bool> Engine::Impl::gather(Pending& pending, bool is_serving) {
  bool any = false;
  for (OpenSource& s : sources) {
    auto polled = s.source->poll(sources.size() == 1 ? poll_wait : std::chrono::milliseconds(0));
    FF_TRY(keep_shards(pending));
    if (!polled.ok() && !(is_serving && polled.error().recourse == Recourse::retry)) return polled.error();
    s.trouble = polled.ok() ? s.source->trouble() : polled.error().message;
    if (!polled.ok()) continue;
    auto next = std::move(polled).value();
    if (!next || FF_TRY(is_overtaken(*next))) continue;
    any = true;
    s.partitions.insert(next->partition);
    pending.records += next->batch.records.size();
    for (const Decoded& record : next->batch.records) pending.bytes += static_cast<std::int64_t>(record.payload.size());
    pending.batches.push_back(std::move(*next));
  }
  if (!any && sources.size() != 1) std::this_thread::sleep_for(poll_wait / 4);
  return any;
}

/// Whether a batch was on its way while its partition changed hands, so that what lies before it was never gathered. A
/// partition that comes back after another engine has read on is taken up at the lake's mark, its state from raw.
Result<bool> Engine::Impl::is_overtaken(const SourceBatch& batch) {
  if (batch.after == none) return false;
  const std::string name = partitions.name_of(batch.partition);
  if (shards && (!shards->holds(name) || batch.after > gathered[name])) return true;
  std::int64_t& last = gathered.try_emplace(name, stager->marks[name].position).first->second;
  if (batch.after > last) {
    Mark mark = FF_TRY(mark_of(name));
    if (mark.position != batch.after) return true;
    FF_TRY(finish_publishing({}));
    stager->marks[name] = std::move(mark);
    stats.replayed += FF_TRY(catch_up_state(*lake, *store, contracts, key, partitions, *stager, history));
  }
  last = batch.last_position;
  return false;
}

/// The fuller the commit, the rarer the cycles: a full one waits for `curate_every_s` to pass, and for ten times what the
/// last cycle took; one of next to nothing is followed at once. So who is behind catches up, and readers see as soon as can be.
Cycle Engine::Impl::cycle_due(const Pending& pending) const {
  if (shards) return {};
  const double fullness =
      std::min(1.0, static_cast<double>(pending.records) / static_cast<double>(options.batch_records));
  const Clock::duration every = std::chrono::seconds(options.curate_every_s);
  if (every != Clock::duration::zero() &&
      Clock::now() - last_cycle < fullness * std::max(every, cycle_rest * last_cycle_took))
    return {};
  const bool is_first = history.curated_as_of == none, is_idle = pending.empty();
  if (is_first || every == Clock::duration::zero()) return Follow::all;
  if (!are_rollups_due(is_idle)) return Follow::shipments;
  const bool in_commit = !driver_curator || (is_idle && fit_drivers_a_commit());
  return in_commit && are_drivers_due(is_idle) ? Follow::all : Follow::rollups;
}

bool Engine::Impl::fit_drivers_a_commit() const {
  return !driver_curator || (!driver_curator->is_in_round() && drivers_take < drivers_in_commit);
}

/// What the models of drivers cost grows with the day, so they follow the more rarely the later it is.
/// An idle engine leaves whoever comes meanwhile half of the time.
bool Engine::Impl::are_drivers_due(bool is_idle) const {
  const bool follow_now =
      (driver_curator && driver_curator->is_under_way()) || (publishing && publishing->commit.follow == Follow::all);
  return !follow_now && drivers_rest.is_over(is_idle ? 1 : cycle_rest);
}

/// Whether an idle engine has something to curate whose time has come.
bool Engine::Impl::is_rest_due() const {
  if (history.is_curated) return false;
  if (!last_cycle_follow) return true;
  return *last_cycle_follow == Follow::shipments ? are_rollups_due(true)
                                                 : fit_drivers_a_commit() && are_drivers_due(true);
}

Result<void> Engine::Impl::hear_of_drivers() {
  if (!driver_curator) return {};
  const auto done = FF_TRY(driver_curator->take());
  if (!done) return {};
  drivers_rest = {Clock::now(), done->took};
  round_took += done->took;
  for (const auto& [model, us] : done->step_us) staged_us["curate " + model] += us;  // reported with the next commit
  if (driver_curator->is_in_round()) return {};
  drivers_take = std::exchange(round_took, {});
  reporter.drivers_followed(drivers_begun_at);
  return {};
}

/// Beside the commits, if their time has come.
Result<void> Engine::Impl::let_drivers_follow(bool is_idle) {
  if (!driver_curator || !are_drivers_due(is_idle)) return {};
  if (!driver_curator->is_in_round()) {
    if (!drivers_wait) return {};
    drivers_wait = false;
    drivers_begun_at = reporter.curated_until();
  }
  return driver_curator->start();
}

/// So that the next commit is folded just when the one being written is done, as far as the last ones tell.
bool Engine::Impl::is_time_to_fold() const {
  return !publishing || Clock::now() - publishing_since >= last_publishing - last_fold;
}

/// Folds what is pending while the commit before is still being published, then hands it over.
Result<void> Engine::Impl::stage_and_publish(Pending& pending, Micros as_of, Cycle cycle, const Progress& progress) {
  auto next = std::make_unique<Publishing>();
  Commit& commit = next->commit;
  commit.publish_seq = history.publish_seq + 1;
  commit.epoch = history.epoch;
  commit.previous_as_of = history.as_of;
  commit.as_of = as_of;
  commit.follow = cycle;
  commit.curated_as_of = history.curated_as_of;
  const Clock::time_point start = Clock::now();
  next->caught_up_at = as_of;
  next->bytes = inflight_bytes = pending.bytes;
  if (!pending.empty()) pass_crash_point("batch_decoded");
  FF_TRY(stager->stage(pending, commit));
  for (Reached& r : commit.reached) r.epoch = shards ? epochs.at(r.name) : history.epoch;
  pending = Pending();
  next->stage_us = std::exchange(staged_us, {});
  last_fold = Clock::now() - start;
  commit.staging.state.emplace_back(generation_key, history.generation);
  FF_TRY(finish_publishing(progress));
  if (driver_curator) commit.drivers_begun = driver_curator->begun();
  history.publish_seq = commit.publish_seq;
  history.as_of = commit.as_of;
  history.is_curated = cycle == Follow::all || shards;
  last_cycle_follow = cycle;
  if (cycle) {
    history.curated_as_of = commit.as_of;
    last_cycle = Clock::now();
  }
  store->stage(std::move(commit.staging.state));
  next->backpressure_us = microseconds_since(start);
  inflight_bytes = 0;
  publishing = std::move(next);
  publishing_since = Clock::now();
  publishing->done = std::async(std::launch::async, [this, p = publishing.get()] {
    const Clock::time_point begin = Clock::now();
    auto done = publisher->publish(p->commit);
    p->transaction_us = microseconds_since(begin);
    return done;
  });
  return {};
}

/// Waits for the commit under way and tells the sources.
Result<void> Engine::Impl::finish_publishing(const Progress& progress) {
  if (!publishing) return {};
  publishing->done.wait();
  const auto finished = std::move(publishing);
  const auto published = finished->done.get();
  last_publishing = std::chrono::microseconds(finished->transaction_us);
  if (const Cycle cycle = finished->commit.follow) {
    const std::chrono::microseconds drivers_took(finished->drivers_us), rollups_took(finished->rollups_us);
    last_cycle_took = last_publishing - drivers_took - rollups_took;
    if (cycle != Follow::shipments) rollups_rest = {Clock::now(), rollups_took};
    drivers_wait = cycle != Follow::all;
    if (!drivers_wait) {
      drivers_rest = {Clock::now(), drivers_took};
      drivers_take = drivers_took;
    }
  }
  report(*finished, published.ok() ? nullptr : &published.error());
  FF_TRY(published);
  for (const auto& [stage, us] : finished->stage_us) stats.stage_us[stage] += us;
  const Commit& commit = finished->commit;
  ++stats.commits;
  stats.facts += commit.records - commit.refused;
  stats.refused += commit.refused;
  stats.as_of = commit.as_of;
  for (OpenSource& s : sources) {
    std::vector<ff::Progress> done;
    for (const Reached& r : commit.reached)
      if (s.partitions.contains(r.partition)) done.push_back({r.partition, r.mark});
    if (done.empty()) continue;
    // The lake is ahead of what the source knows; the next commit tells it again.
    if (const auto told = s.source->confirm(done); !told.ok() && told.error().recourse != Recourse::retry)
      return told.error();
  }
  if (progress) progress(stats);
  return {};
}

void Engine::Impl::report(Publishing& finished, const Error* error) {
  if (!options.observer) return;
  TurnReporter::Turn turn{finished.stage_us,
                          finished.transaction_us,
                          finished.backpressure_us,
                          inflight_bytes,
                          static_cast<std::int64_t>(store->bytes()),
                          finished.caught_up_at,
                          {}};
  for (const OpenSource& s : sources)
    turn.sources.push_back({s.name, s.trouble.empty(), s.trouble, s.source->heard_until()});
  reporter.tell(finished.commit, error, std::move(turn));
}

/// `stop`: serve until it says so; null: until everything is read.
Result<void> Engine::Impl::drive(const std::stop_token* stop, const Progress& progress) {
  FF_TRY(look_at_folder());
  FF_TRY(start_sources());
  Pending pending;
  auto last_commit = Clock::now(), last_look = last_commit;
  Micros caught_up_at = none;
  for (;;) {
    const bool stopping = stop && stop->stop_requested();
    const Micros asked_at = now_micros();
    const bool any = !stopping && FF_TRY(gather(pending, stop != nullptr));
    if (!any) caught_up_at = asked_at;
    if (publishing && !is_publishing()) FF_TRY(finish_publishing(progress));
    FF_TRY(hear_of_drivers());

    const bool is_last = stopping || (!stop && !any && all_finished());
    if (!is_last) FF_TRY(let_drivers_follow(!any && !publishing && pending.empty()));
    const auto waited = Clock::now() - last_commit;
    const bool is_due = stop && !pending.empty() && waited >= options.commit_interval && is_time_to_fold();
    const bool is_clock_due =
        stop && !any && !publishing && pending.empty() && (waited >= options.clock_interval || is_rest_due());
    const bool is_owner = !shards || !epochs.empty();
    if (!is_owner && waited >= options.clock_interval) {
      last_commit = Clock::now();
      reporter.tell_idle();
    }
    if (is_owner &&
        (pending.records >= options.batch_records || (is_last && !pending.empty()) || is_due || is_clock_due)) {
      last_commit = Clock::now();
      // A large commit and a cycle share no transaction: each takes the memory that the lake has.
      const Cycle cycle = cycle_due(pending);
      const bool is_large = pending.records > options.batch_records / 4;
      FF_TRY(stage_and_publish(pending, stop ? caught_up_at : none, is_large ? Cycle() : cycle, progress));
      if (is_large && cycle) FF_TRY(stage_and_publish(pending, none, cycle, progress));
      caught_up_at = none;
    }
    if (is_last && (stopping || !driver_curator || !driver_curator->is_under_way())) break;
    if (stop && !publishing && Clock::now() - last_look >= options.folder_interval) {
      last_look = Clock::now();
      FF_TRY(look_at_folder());
    }
  }
  return finish_publishing(progress);
}

/// A run ends with all tables at one as_of; in a shared lake they follow by whoever curates then.
Result<RunStats> Engine::Impl::end(Micros as_of, Cycle cycle, const Progress& progress) {
  if (driver_curator) driver_curator->stop();
  if (shards) {
    shards->close();
  } else if (!history.is_curated || as_of != history.curated_as_of) {
    Pending nothing;
    FF_TRY(stage_and_publish(nothing, as_of, cycle, progress));
    FF_TRY(finish_publishing(progress));
  }
  FF_TRY(publisher->flush_state());
  stats.as_of = history.as_of;
  if (progress) progress(stats);
  return stats;
}

Result<RunStats> Engine::run(const Progress& progress) {
  FF_TRY(impl_->drive(nullptr, progress));
  return impl_->end(std::max(impl_->history.as_of, impl_->options.as_of), Follow::all, progress);
}

Result<RunStats> Engine::serve(std::stop_token stop, const Progress& progress) {
  FF_TRY(impl_->drive(&stop, progress));
  const Cycle cycle = impl_->drivers_take < drivers_at_stop ? Follow::all : Follow::rollups;
  return impl_->end(impl_->history.as_of, cycle, progress);
}

}  // namespace ff
