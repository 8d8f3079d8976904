#include "cli/publish.h"

#include <iostream>

#include "base/time.h"
#include "cli/serve.h"
#include "ops/health.h"
#include "ops/metrics.h"
#include "source/change_publisher.h"

namespace ff::cli {
namespace {

Error bad_value(const ServiceConfig& config, const std::string& what) {
  return {Recourse::halt, "config_bad_value", config.file + ": " + what};
}

/// Reports as metrics, readiness and, where trouble begins or ends, as a line.
class Observer {
 public:
  Observer(std::string name, ops::Metrics& metrics, ops::Health& health)
      : name_(std::move(name)), metrics_(metrics), health_(health) {}

  void operator()(const PublishReport& report) {
    const Micros now = now_micros();
    metrics_.observe(name_, report, now);
    CommitReport turn;
    turn.sources = {{name_, report.is_connected, report.trouble, report.heard_until}};
    health_.observe(turn, now);
    if (report.trouble == trouble_) return;
    std::cerr << "fleetflow: " << (report.trouble.empty() ? "source '" + name_ + "' goes on" : report.trouble) << "\n";
    trouble_ = report.trouble;
  }

 private:
  const std::string name_;
  ops::Metrics& metrics_;
  ops::Health& health_;
  std::string trouble_;
};

}  // namespace

Result<void> publish_service(const ServiceConfig& config, const std::string& home, std::stop_token stop) {
  if (!config.publish) return bad_value(config, "it has no section 'publish'; fleetflow run --config serves a lake");
  const auto* database = std::get_if<PostgresOptions>(&config.sources.front().options);
  if (config.sources.size() != 1 || !database)
    return bad_value(config, "to publish there must be one source, of type postgres");
  const ContractSet contracts = FF_TRY(ContractSet::load(contracts_folder(config.engine, home)));
  ops::Metrics metrics;
  ops::Health health(config.commit_age_max);
  const auto door = FF_TRY(ops::HttpServer::start(config.http, health, metrics));
  health.lake_opened(now_micros());
  ChangePublisherOptions options;
  options.source = *database;
  options.kafka = config.publish->kafka;
  options.topics = config.publish->topics;
  options.positions_topic = config.publish->positions_topic;
  return publish_changes(contracts, options, std::move(stop), Observer(database->name, metrics, health));
}

Result<std::string> request_snapshot(const ServiceConfig& config, const std::string& home, const std::string& source,
                                     PgSnapshotRequest request) {
  const PostgresOptions* found = nullptr;
  for (const SourceConfig& each : config.sources) {
    const auto* database = std::get_if<PostgresOptions>(&each.options);
    if (!database || (!source.empty() && source != each.name)) continue;
    if (found) return bad_value(config, "there are several sources of type postgres; say which with --source");
    found = database;
  }
  if (!found)
    return bad_value(config, source.empty() ? "there is no source of type postgres"
                                            : "there is no source of type postgres named '" + source + "'");
  const ContractSet contracts = FF_TRY(ContractSet::load(contracts_folder(config.engine, home)));
  request.slot = found->slot;
  return emit_request(found->conninfo, contracts, found->publication, found->server, request);
}

}  // namespace ff::cli
