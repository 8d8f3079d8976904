#include "cli/publish.h"

#include <iostream>

#include "base/time.h"
#include "cli/commands.h"
#include "cli/leave_in_time.h"
#include "cli/serve.h"
#include "ops/health.h"
#include "ops/metrics.h"
#include "source/change_publisher.h"

namespace ff::cli {
namespace {

Error bad_value(const ServiceConfig& config, const std::string& what) {
  return {Recourse::halt, "config_bad_value", config.file + ": " + what};
}

/// A topic that is read must not be published to: each record would come again for ever.
Result<void> check_no_circle(const ServiceConfig& config, const ContractSet& contracts, const KafkaOptions& source,
                             const ChangePublisherOptions& onto) {
  if (source.cluster.brokers != onto.kafka.cluster.brokers) return {};
  for (const Contract& contract : contracts) {
    const std::string& target = onto.topic_of(contract);
    const bool is_read = source.topics.empty()
                             ? contract.topic == target
                             : source.topics.contains(target) && source.topics.at(target) == contract.id;
    if (is_read)
      return bad_value(config, "topic '" + target +
                                   "' would be read and published to; name another one for contract '" + contract.id +
                                   "' in publish.topics");
  }
  return {};
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
  const SourceConfig& source = config.sources.front();
  if (config.sources.size() != 1 || std::holds_alternative<FilesOptions>(source.options))
    return bad_value(config, "to publish there must be one source, of type postgres or kafka");
  const ContractSet contracts = FF_TRY(ContractSet::load(contracts_folder(config.engine, home)));
  ChangePublisherOptions options;
  options.kafka = config.publish->kafka;
  options.topics = config.publish->topics;
  options.positions_topic = config.publish->positions_topic;
  options.registry = config.publish->registry;
  if (const auto* database = std::get_if<PostgresOptions>(&source.options)) options.source = *database;
  if (const auto* topics = std::get_if<KafkaOptions>(&source.options)) {
    FF_TRY(check_no_circle(config, contracts, *topics, options));
    options.source = *topics;
  }
  ops::Metrics metrics;
  ops::Health health(config.commit_age_max);
  const auto door = FF_TRY(ops::HttpServer::start(config.http, health, metrics));
  health.lake_opened(now_micros());
  // Nothing is lost by a stop that does not wait: what was not acknowledged is read again from the positions.
  std::optional<LeaveInTime> stopping;
  const std::stop_callback bounded(stop, [&] {
    stopping.emplace(closing_max, exit_ok,
                     "fleetflow: stopping takes longer than " + std::to_string(closing_max.count()) +
                         " s; what is under way is published again by the next start: leaving");
  });
  return publish_changes(contracts, options, stop, Observer(source.name, metrics, health));
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
