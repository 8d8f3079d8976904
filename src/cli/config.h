/// The configuration file of the services, `fleetflow run --config FILE` and `fleetflow publish --config FILE`: YAML, read strictly. docs/configuration.md lists
/// every key with its default.
///
/// Keys of a source are the fields of its options, by the same names. `${NAME}` in a value is the environment variable, so
/// that no secret has to stand in the file; one that is not set is an error. Relative paths are relative to the file's folder.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "ops/http_server.h"
#include "source/kafka_publisher.h"
#include "source/postgres_source.h"
#include "source/schema_registry.h"

namespace ff::cli {

/// A folder in which files land.
struct FilesOptions {
  std::string name;
  std::string path;
};

struct SourceConfig {
  std::string name;
  std::variant<FilesOptions, KafkaOptions, PostgresOptions> options;
};

/// Where `fleetflow publish` puts what its one source tells.
struct PublishConfig {
  KafkaPublisherOptions kafka;
  std::map<std::string, std::string> topics;  ///< contract id -> topic
  std::string positions_topic = "fleetflow_positions";
  SchemaRegistry::Options registry;
};

struct ServiceConfig {
  ServiceConfig() {
    engine.curate_every_s = 10;  // people are watching: sooner than a run over a backlog
    // Its lake grows, and with it what DuckDB holds and cannot spill.
    engine.lake.memory_limit = "1GB";
    engine.lake.row_group_rows = 122'880;
  }

  std::string file;      ///< where it was read from
  EngineOptions engine;  ///< with `input` of the source of type files; without `home` and live sources
  ops::HttpOptions http;
  std::chrono::seconds commit_age_max{60};  ///< /readyz: an older last turn of the engine is an obstacle
  std::vector<SourceConfig> sources;        ///< at least one
  std::optional<PublishConfig> publish;     ///< then there need be no lake, and it is for `fleetflow publish` alone
};

/// Errors (halt): config_unreadable, config_unknown_key, config_missing_key, config_bad_value; file, line and key are named.
Result<ServiceConfig> load_config(const std::string& file);

/// What would run: every key with its value, secrets hidden; itself a configuration file but for these.
std::string describe(ServiceConfig config);

/// Every key there is: `lake`, `http.listen`, `kafka.brokers`; for the test that the documentation is complete.
std::vector<std::string> config_keys();

}  // namespace ff::cli
