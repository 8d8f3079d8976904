#include "cli/config.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "cli/settings.h"

namespace ff::cli {
namespace {

using enum SettingKind;

/// `listen` is host:port of ServiceConfig::http.
Settings settings_of(ServiceConfig& c) {
  return {
      {"lake", &c.engine.directory, required_path},
      {"contracts", &c.engine.contracts, path},
      {"reporting_zone", &c.engine.reporting_zone},
      {"commit_interval_ms", &c.engine.commit_interval},
      {"clock_interval_s", &c.engine.clock_interval},
      {"folder_interval_s", &c.engine.folder_interval},
      {"batch_records", &c.engine.batch_records},
      {"curate_every_s", &c.engine.curate_every_s},
      {"memory_limit", &c.engine.lake.memory_limit},
      {"threads", &c.engine.lake.threads},
      {"state_cache_bytes", &c.engine.state.cache_bytes},
      {"state_write_buffer_bytes", &c.engine.state.write_buffer_bytes},
      {"state_days", &c.engine.state_days},
      {"state_flush_commits", &c.engine.state_flush_commits},
      {"lake_attach", &c.engine.lake.attach, secret},
      {"lake_prepare", &c.engine.lake.prepare, secret},
  };
}

Settings settings_of(ServiceConfig& c, std::string& listen) {
  return {{"listen", &listen}, {"commit_age_max_s", &c.commit_age_max}};
}

Settings settings_of(FilesOptions& o) { return {{"name", &o.name, required}, {"path", &o.path, required_path}}; }

Settings with(Settings first, const Settings& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

Settings settings_of(KafkaCluster& c) {
  return {
      {"brokers", &c.brokers, required},
      {"tls", &c.tls},
      {"tls_ca", &c.tls_ca, path},
      {"tls_certificate", &c.tls_certificate, path},
      {"tls_key", &c.tls_key, path},
      {"tls_key_password", &c.tls_key_password, secret},
      {"sasl_mechanism", &c.sasl_mechanism},
      {"sasl_username", &c.sasl_username},
      {"sasl_password", &c.sasl_password, secret},
      {"aws_region", &c.aws_region},
      {"properties", &c.properties, secret},
  };
}

Settings settings_of(PublishConfig& c) {
  return with(settings_of(c.kafka.cluster), {
                                                {"topics", &c.topics},
                                                {"positions_topic", &c.positions_topic},
                                                {"registry_url", &c.registry.url},
                                                {"registry_user", &c.registry.user},
                                                {"registry_password", &c.registry.password, secret},
                                                {"registry_ca", &c.registry.ca, path},
                                                {"compression", &c.kafka.compression},
                                                {"linger_ms", &c.kafka.linger_ms},
                                                {"delivery_timeout_ms", &c.kafka.delivery_timeout_ms},
                                                {"queue_bytes_max", &c.kafka.queue_bytes_max},
                                            });
}

Settings settings_of(KafkaOptions& o, std::string& name) {
  return with({{"name", &name, required}},
              with(settings_of(o.cluster), {
                                               {"group", &o.group, required},
                                               {"topics", &o.topics},
                                               {"registry_url", &o.registry_url},
                                               {"registry_user", &o.registry_user},
                                               {"registry_password", &o.registry_password, secret},
                                               {"registry_ca", &o.registry_ca, path},
                                               {"rack", &o.cluster.rack},
                                               {"queue_bytes_max", &o.queue_bytes_max},
                                               {"fetch_bytes_max", &o.fetch_bytes_max},
                                               {"batch_records_max", &o.batch_records_max},
                                               {"stats_interval_ms", &o.stats_interval_ms},
                                               {"go_on_behind", &o.go_on_behind},
                                           }));
}

Settings settings_of(PostgresOptions& o) {
  return {
      {"name", &o.name, required},
      {"conninfo", &o.conninfo, secret},
      {"slot", &o.slot, required},
      {"publication", &o.publication, required},
      {"server", &o.server},
      {"failover", &o.failover},
      {"snapshot_connections", &o.snapshot_connections},
      {"snapshot_pages", &o.snapshot_pages},
      {"batch_records", &o.batch_records},
      {"streaming", &o.streaming},
      {"spill_directory", &o.spill_directory, path},
      {"spill_bytes_max", &o.spill_bytes_max},
      {"binary", &o.binary},
      {"idle_bytes", &o.idle_bytes},
      {"silence_max_s", &o.silence_max},
      {"stats_interval_s", &o.stats_interval},
      {"past_truncates", &o.past_truncates},
  };
}

class ConfigReader {
 public:
  explicit ConfigReader(const std::string& file) : reader_(file, "config") { config_.file = file; }

  Result<ServiceConfig> read() {
    const std::string bytes = FF_TRY(reader_.bytes());
    try {
      const YAML::Node root = YAML::Load(bytes);
      Settings settings = settings_of(config_);
      if (root["publish"]) {
        settings.front().kind = path;  // the lake
        FF_TRY(read_settings(reader_, root["publish"], "publish", settings_of(config_.publish.emplace())));
      }
      FF_TRY(read_settings(reader_, root, "the configuration", settings, {"http", "publish", "sources"}));
      if (root["http"]) FF_TRY(read_http(root["http"]));
      const YAML::Node sources = FF_TRY(reader_.need(root, "sources", "the configuration"));
      if (!sources.IsSequence() || sources.size() == 0)
        return reader_.bad_value(sources, "sources must be a list of at least one source");
      for (const YAML::Node& source : sources) FF_TRY(read_source(source));
      FF_TRY(check_databases(sources));
    } catch (const YAML::Exception& e) {
      return reader_.unreadable(e);
    }
    return std::move(config_);
  }

 private:
  /// Of several databases each contract must be of one: by the name of its server.
  Result<void> check_databases(const YAML::Node& sources) const {
    std::map<std::string, std::string> by_server;
    for (const SourceConfig& source : config_.sources)
      if (const auto* database = std::get_if<PostgresOptions>(&source.options))
        if (const auto [known, is_new] = by_server.emplace(database->server, source.name); !is_new)
          return reader_.bad_value(sources, "the postgres sources '" + known->second + "' and '" + source.name +
                                                "' would read the same contracts; give each a server: the name in "
                                                "its contracts' servers");
    if (by_server.size() > 1 && by_server.count("") != 0)
      return reader_.bad_value(sources, "the postgres source '" + by_server.at("") +
                                            "' names no server and would read the contracts of the others too; give "
                                            "it a server: the name in its contracts' servers");
    return {};
  }

  Result<void> read_http(const YAML::Node& http) {
    std::string listen;
    FF_TRY(read_settings(reader_, http, "http", settings_of(config_, listen)));
    if (listen.empty()) return {};
    const std::size_t colon = listen.rfind(':');
    int port = -1;
    if (colon != std::string::npos) {
      const char* const end = listen.data() + listen.size();
      if (std::from_chars(listen.data() + colon + 1, end, port).ptr != end) port = -1;
    }
    if (port < 0 || port > 65535 || colon == 0)
      return reader_.bad_value(http["listen"], "listen '" + listen + "' must be HOST:PORT, as in 127.0.0.1:9464");
    config_.http = {listen.substr(0, colon), port};
    return {};
  }

  Result<void> read_source(const YAML::Node& node) {
    if (!node.IsMap()) return reader_.bad_value(node, "a source must be a mapping with type and name");
    const YAML::Node type_node = FF_TRY(reader_.need(node, "type", "a source"));
    const std::string type = FF_TRY(reader_.text(type_node, "type"));
    const auto read = [&](const Settings& settings) {
      return read_settings(reader_, node, "a source of type " + type, settings, {"type"});
    };
    SourceConfig source;
    if (type == "files") {
      FilesOptions options;
      FF_TRY(read(settings_of(options)));
      source = {options.name, options};
    } else if (type == "kafka") {
      KafkaOptions options;
      FF_TRY(read(settings_of(options, source.name)));
      source.options = std::move(options);
    } else if (type == "postgres") {
      PostgresOptions options;
      options.spill_directory = config_.engine.directory.empty() ? std::filesystem::temp_directory_path().string()
                                                                 : config_.engine.directory + "/tmp";
      FF_TRY(read(settings_of(options)));
      source = {options.name, options};
    } else {
      return reader_.bad_value(type_node,
                               "type '" + type + "' is not known" + hint(type, {"files", "kafka", "postgres"}));
    }
    if (source.name.empty() || source.name.find('/') != std::string::npos)
      return reader_.bad_value(node["name"], "name '" + source.name + "' must be a word without '/'");
    if (!names_.insert(source.name).second)
      return reader_.bad_value(node["name"], "two sources are named '" + source.name + "'");
    if (type == "files" && ++folders_ > 1)
      return reader_.bad_value(type_node, "a second source of type files; give one folder, with folders in it");
    if (const auto* files = std::get_if<FilesOptions>(&source.options)) config_.engine.input = files->path;
    config_.sources.push_back(std::move(source));
    return {};
  }

  YamlReader reader_;
  ServiceConfig config_;
  std::set<std::string> names_;
  int folders_ = 0;
};

struct DescribeSource {
  std::string name;
  std::string operator()(FilesOptions& o) const { return "  - type: files\n" + print_settings(settings_of(o), "    "); }
  std::string operator()(KafkaOptions& o) { return "  - type: kafka\n" + print_settings(settings_of(o, name), "    "); }
  std::string operator()(PostgresOptions& o) const {
    return "  - type: postgres\n" + print_settings(settings_of(o), "    ");
  }
};

}  // namespace

Result<ServiceConfig> load_config(const std::string& file) { return ConfigReader(file).read(); }

std::vector<std::string> config_keys() {
  ServiceConfig config;
  FilesOptions files;
  KafkaOptions kafka;
  PostgresOptions postgres;
  std::string text;
  std::vector<std::string> out;
  const auto add = [&](const std::string& prefix, const Settings& settings) {
    for (const Setting& setting : settings) out.push_back(prefix + std::string(setting.key));
  };
  add("", settings_of(config));
  add("http.", settings_of(config, text));
  add("publish.", settings_of(config.publish.emplace()));
  add("files.", settings_of(files));
  add("kafka.", settings_of(kafka, text));
  add("postgres.", settings_of(postgres));
  return out;
}

std::string describe(ServiceConfig config) {
  std::string listen = config.http.host + ":" + std::to_string(config.http.port);
  std::string out = print_settings(settings_of(config), "");
  out += "http:\n" + print_settings(settings_of(config, listen), "  ");
  if (config.publish) out += "publish:\n" + print_settings(settings_of(*config.publish), "  ");
  out += "sources:\n";
  for (SourceConfig& source : config.sources) out += std::visit(DescribeSource{source.name}, source.options);
  return out;
}

}  // namespace ff::cli
