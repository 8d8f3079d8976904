#include "cli/serve.h"

#include <filesystem>
#include <iostream>
#include <mutex>

#include "base/time.h"
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
  void tell() const {
    for (const auto& [name, source] : kafka_) metrics_.observe(name, source->stats());
    for (const auto& [name, source] : postgres_) metrics_.observe(name, source->stats(), now_micros());
  }

 private:
  Result<std::unique_ptr<Source>> start(const std::string& name, const KafkaOptions& options, const SourceContext& c) {
    auto source = FF_TRY(KafkaSource::start(c.contracts, c.key, c.partitions, c.mark_of, options));
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
  auto engine = FF_TRY(Engine::open(std::move(options)));
  health.lake_opened(now_micros());
  FF_TRY(engine->serve(std::move(stop)));
  return {};
}

}  // namespace ff::cli
