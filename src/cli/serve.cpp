#include "cli/serve.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <thread>

#include "base/time.h"
#include "cli/commands.h"
#include "cli/leave_in_time.h"
#include "ops/health.h"
#include "ops/metrics.h"
#include "source/kafka_source.h"
#include "source/postgres_catalog.h"

namespace ff::cli {
namespace fs = std::filesystem;

std::string contracts_folder(const EngineOptions& o, const std::string& home) {
  if (!o.contracts.empty()) return o.contracts;
  return !o.input.empty() && fs::is_directory(o.input + "/contracts") ? o.input + "/contracts" : home + "/contracts";
}

namespace {

/// Whether a contract is read by this source.
struct Feeds {
  const Contract& contract;
  bool operator()(const FilesOptions&) const { return !contract.path_glob.empty(); }
  bool operator()(const KafkaOptions& o) const {
    if (o.topics.empty()) return !contract.topic.empty();
    return std::any_of(o.topics.begin(), o.topics.end(), [&](const auto& t) { return t.second == contract.id; });
  }
  bool operator()(const PostgresOptions& o) const { return is_of_server(contract, o.server); }
};

/// Live sources for the engine. What they count is asked for where they live: on the engine's thread.
class Starters {
 public:
  explicit Starters(ops::Metrics& metrics) : metrics_(metrics) {}

  std::vector<LiveSource> all(const std::vector<SourceConfig>& sources) {
    std::vector<LiveSource> out;
    for (const SourceConfig& source : sources) {
      if (const auto* kafka = std::get_if<KafkaOptions>(&source.options))
        out.push_back({source.name, [this, name = source.name, options = *kafka](const SourceContext& c) {
                         return start(name, options, c);
                       }});
      if (const auto* postgres = std::get_if<PostgresOptions>(&source.options))
        out.push_back({source.name, [this, name = source.name, options = *postgres](const SourceContext& c) {
                         return start(name, options, c);
                       }});
    }
    return out;
  }
  /// Those told of belong to an engine that is gone.
  void forget() {
    kafka_.clear();
    postgres_.clear();
  }
  void tell() const {
    for (const auto& [name, source] : kafka_) metrics_.observe(name, source->stats());
    for (const auto& [name, source] : postgres_) metrics_.observe(name, source->stats(), now_micros());
  }

 private:
  Result<std::unique_ptr<Source>> start(const std::string& name, const KafkaOptions& options, const SourceContext& c) {
    KafkaOptions told = options;
    told.on_assigned = c.on_assigned;
    told.on_revoked = c.on_revoked;
    auto source = FF_TRY(KafkaSource::start(c.contracts, c.key, c.partitions, c.mark_of, std::move(told)));
    kafka_[name] = source.get();
    return std::unique_ptr<Source>(std::move(source));
  }
  Result<std::unique_ptr<Source>> start(const std::string& name, const PostgresOptions& options,
                                        const SourceContext& c) {
    auto source = FF_TRY(PostgresSource::start(c.contracts, c.key, options, c.mark_of, c.partitions));
    postgres_[name] = source.get();
    return std::unique_ptr<Source>(std::move(source));
  }
  ops::Metrics& metrics_;
  std::map<std::string, const KafkaSource*> kafka_;
  std::map<std::string, const PostgresSource*> postgres_;
};

}  // namespace

/// A configuration that publishes has no lake to serve.
static Result<void> check_kind(const ServiceConfig& config) {
  if (!config.publish) return {};
  return Error{Recourse::halt, "config_bad_value",
               config.file + ": it has a section 'publish': run it with fleetflow publish --config"};
}

Result<void> check_service(const ServiceConfig& config, const std::string& home) {
  FF_TRY(check_kind(config));
  const ContractSet contracts = FF_TRY(ContractSet::load(contracts_folder(config.engine, home)));
  FF_TRY(PseudonymKey::from_environment());
  if (!config.engine.reporting_zone.empty()) FF_TRY(Zone::load(config.engine.reporting_zone));
  std::cout << describe(config);
  for (const SourceConfig& source : config.sources) {
    std::string fed;
    for (const Contract& contract : contracts)
      if (std::visit(Feeds{contract}, source.options)) fed += " " + contract.id;
    const auto* files = std::get_if<FilesOptions>(&source.options);
    if (files && !fs::is_directory(files->path))
      return Error{Recourse::halt, "config_bad_value",
                   config.file + ": source '" + source.name + "': " + files->path + " is no folder; set path"};
    if (fed.empty())
      return Error{Recourse::halt, "config_bad_value",
                   config.file + ": source '" + source.name + "': no contract in " +
                       contracts_folder(config.engine, home) + " reads from it; set contracts"};
    std::cout << "# " << source.name << " is read by:" << fed << "\n";
  }
  return {};
}

namespace {

/// Members of one consumer group may write into one catalog, each what its partitions tell. Other sources have no group.
bool is_shared(const ServiceConfig& config) {
  return !config.engine.lake.attach.empty() &&
         std::all_of(config.sources.begin(), config.sources.end(),
                     [](const SourceConfig& s) { return std::holds_alternative<KafkaOptions>(s.options); });
}

/// Whether the next engine may go on where this one ended: what a lake does not spill it gives back when it is closed, a
/// member that was fenced joins again, and of workers another may have what was ours.
bool may_pass(const Error& error, bool is_shared) {
  return error.cause == "out_of_memory" || error.cause == "kafka_fenced" ||
         (is_shared && error.recourse == Recourse::retry);
}

Result<void> serve_once(const EngineOptions& options, const std::stop_token& stop, ops::Health& health) {
  auto engine = FF_TRY(Engine::open(options));
  health.lake_opened(now_micros());
  const auto done = engine->serve(stop);
  const int status = done.ok()                                   ? exit_ok
                     : may_pass(done.error(), options.is_shared) ? exit_retry
                                                                 : exit_of(done.error());
  const LeaveInTime closing(closing_max, status,
                            "fleetflow: closing sources and lake takes longer than " +
                                std::to_string(closing_max.count()) + " s: leaving; " +
                                (done.ok() ? "all that was read is committed" : done.error().message));
  engine.reset();
  if (!done.ok()) return done.error();
  return {};
}

}  // namespace

Result<void> serve(const ServiceConfig& config, const std::string& home, std::stop_token stop) {
  FF_TRY(check_kind(config));
  ops::Metrics metrics;
  ops::Health health(config.commit_age_max);
  const auto door = FF_TRY(ops::HttpServer::start(config.http, health, metrics));
  Starters starters(metrics);
  EngineOptions options = config.engine;
  options.home = home;
  options.contracts = contracts_folder(config.engine, home);
  options.sources = starters.all(config.sources);
  options.observer = [&](const CommitReport& report) {
    metrics.observe(report);
    health.observe(report, now_micros());
    starters.tell();
  };
  options.is_shared = is_shared(config);
  for (;;) {
    const auto done = serve_once(options, stop, health);
    starters.forget();
    if (done.ok() || stop.stop_requested()) return done;
    const Error& error = done.error();
    if (!may_pass(error, options.is_shared)) return done;
    std::cerr << "fleetflow: " << error.message << "\n  (" << error.cause << ": taking up anew)\n";
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace ff::cli
