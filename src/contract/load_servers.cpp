// Where a feed's records are: files, a topic, a database.
#include <algorithm>
#include <cctype>

#include "contract/contract_reader_internal.h"

namespace ff {
namespace {

const Words server_keys = {"id", "server", "type", "description", "environment", "roles", "path", "format", "encoding"};
const Words topic_keys = {"id",    "server", "type",   "description", "environment",
                          "roles", "host",   "format", "encoding",    "customProperties"};
/// The standard wants host, port and database of a Postgres server as well. They describe; the connection is a setting.
const Words postgres_keys = {"id",    "server", "type", "description", "environment",
                             "roles", "host",   "port", "database",    "schema"};
const Words topic_custom = {"topic", "headers"};

std::string lower(const YAML::Node& node) {
  std::string word = node.as<std::string>();
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word;
}

Result<Format> read_format(const ContractReader& r, const YAML::Node& server,
                           const std::map<std::string, Format>& known, const char* words) {
  const YAML::Node format = FF_TRY(r.need(server, "format", "the server"));
  const auto found = known.find(format.as<std::string>());
  if (found == known.end())
    return r.bad_value(format, "format '" + format.as<std::string>() + "' is not known; one of: " + words);
  return found->second;
}

Result<Format> read_topic(ContractReader& r, const YAML::Node& server) {
  FF_TRY(r.check_keys(server, topic_keys, "the server"));
  r.contract.topic_host = FF_TRY(r.need(server, "host", "the server")).as<std::string>();
  const auto custom_of = FF_TRY(r.custom(server, topic_custom, "the server"));
  const auto topic = custom_of.find("topic");
  if (topic == custom_of.end())
    return r.missing_key(server, "a server of type kafka needs the custom property 'topic'");
  r.contract.topic = topic->second.as<std::string>();
  if (const auto headers = custom_of.find("headers"); headers != custom_of.end())
    for (const YAML::Node& name : headers->second) r.contract.topic_headers.push_back(name.as<std::string>());
  static const std::map<std::string, Format> formats = {{"json", Format::ndjson},
                                                        {"csv", Format::csv},
                                                        {"avro", Format::avro},
                                                        {"debezium", Format::debezium},
                                                        {"debezium_avro", Format::debezium_avro}};
  const Format format = FF_TRY(read_format(r, server, formats, "json csv avro debezium debezium_avro"));
  if (const YAML::Node encoding = server["encoding"]; encoding && lower(encoding) != "utf-8")
    return r.bad_value(encoding, "records of a topic must be utf-8");
  return format;
}

Result<Format> read_database(ContractReader& r, const YAML::Node& server) {
  FF_TRY(r.check_keys(server, postgres_keys, "the server"));
  r.contract.table_schema = FF_TRY(r.need(server, "schema", "a server of type postgres")).as<std::string>();
  if (server["server"]) r.contract.server = server["server"].as<std::string>();
  return Format::postgres;
}

Result<Format> read_files(ContractReader& r, const YAML::Node& server) {
  FF_TRY(r.check_keys(server, server_keys, "the server"));
  r.contract.path_glob = FF_TRY(r.need(server, "path", "the server")).as<std::string>();
  static const std::map<std::string, Format> formats = {
      {"ndjson", Format::ndjson}, {"csv", Format::csv}, {"debezium", Format::debezium}};
  const Format format = FF_TRY(read_format(r, server, formats, "ndjson csv debezium"));
  if (const YAML::Node encoding = server["encoding"]) {
    const std::string name = lower(encoding);
    if (name == "iso-8859-1" || name == "latin1")
      r.contract.encoding = Encoding::latin1;
    else if (name != "utf-8")
      return r.bad_value(encoding, "encoding '" + name + "' is not known; one of: utf-8 iso-8859-1");
  }
  return format;
}

}  // namespace

Result<void> read_servers(ContractReader& r, const YAML::Node& servers) {
  if (!servers.IsSequence() || servers.size() == 0 || servers.size() > 2)
    return r.bad_value(servers,
                       "servers must list exactly one server: one contract is one file layout (a second may "
                       "be the Kafka topic with the same records)");
  std::vector<Format> formats;
  for (const YAML::Node& server : servers) {
    const YAML::Node type = server["type"];
    if (type && type.as<std::string>() == "kafka")
      formats.push_back(FF_TRY(read_topic(r, server)));
    else if (type && type.as<std::string>() == "postgres")
      formats.push_back(FF_TRY(read_database(r, server)));
    else
      formats.push_back(FF_TRY(read_files(r, server)));
  }
  if (servers.size() == 2 && (r.contract.path_glob.empty() || r.contract.topic.empty()))
    return r.bad_value(servers, "of two servers one must be files and the other a Kafka topic");
  if (servers.size() == 2 && formats[0] != formats[1])
    return r.bad_value(servers, "both servers must have records of one layout (json is ndjson record by record)");
  r.contract.format = formats[0];
  return {};
}

}  // namespace ff
