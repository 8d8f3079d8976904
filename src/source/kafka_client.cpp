#include <simdjson.h>
#include <syslog.h>

#include <algorithm>
#include <cstdlib>

#include "base/time.h"
#include "source/kafka_client_internal.h"
#include "source/msk_iam.h"

namespace ff::kafka {
namespace {

bool is_secret(std::string_view name) {
  for (const std::string_view word : {"password", "secret", "key", "token", "jaas", "oauthbearer"})
    if (name.find(word) != std::string_view::npos) return true;
  return false;
}

constexpr std::string_view msk_mechanism = "AWS_MSK_IAM";

Error bad_setting(const std::string& what) { return {Recourse::halt, "kafka_bad_setting", what}; }

Result<void> set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char said[512] = "";
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), said, sizeof said) == RD_KAFKA_CONF_OK) return {};
  return bad_setting("Kafka property " + name + (is_secret(name) ? " cannot be set so" : ": " + std::string(said)));
}

std::string security_protocol(const KafkaCluster& cluster) {
  return std::string(cluster.sasl_mechanism.empty() ? "" : "sasl_") + (cluster.tls ? "ssl" : "plaintext");
}

void on_log(const rd_kafka_t* client, int level, const char*, const char* line) {
  const auto* context = static_cast<const Context*>(rd_kafka_opaque(client));
  if (context->cluster->log) context->cluster->log(level, line);
}

std::string region_of(const KafkaCluster& cluster) {
  const char* const set = std::getenv("AWS_REGION");
  return !cluster.aws_region.empty() ? cluster.aws_region : set ? set : "";
}

Result<KafkaToken> token_of_msk(const KafkaCluster& cluster) {
  const AwsCredentials credentials = FF_TRY(find_aws_credentials());
  return msk_token(region_of(cluster), credentials, now_micros());
}

/// A handshake that the network ended, which librdkafka too calls an error of TLS or of authentication.
bool was_broken_off(rd_kafka_resp_err_t code, const std::string& said) {
  if (code == RD_KAFKA_RESP_ERR__SSL) return said.find("certificate") == std::string::npos;
  if (code != RD_KAFKA_RESP_ERR__AUTHENTICATION) return false;
  return said.find(rd_kafka_err2str(RD_KAFKA_RESP_ERR__TRANSPORT)) != std::string::npos ||
         said.find(rd_kafka_err2str(RD_KAFKA_RESP_ERR__TIMED_OUT)) != std::string::npos;
}

void on_token_wanted(rd_kafka_t* client, const char*, void* opaque) {
  const KafkaCluster& cluster = *static_cast<Context*>(opaque)->cluster;
  auto token = cluster.sasl_mechanism == msk_mechanism ? token_of_msk(cluster) : cluster.token();
  if (!token.ok()) {
    rd_kafka_oauthbearer_set_token_failure(client, token.error().message.c_str());
    return;
  }
  const KafkaToken& t = token.value();
  char said[512] = "";
  if (rd_kafka_oauthbearer_set_token(client, t.token.c_str(), t.expires_at_ms, t.principal.c_str(), nullptr, 0, said,
                                     sizeof said) != RD_KAFKA_RESP_ERR_NO_ERROR)
    rd_kafka_oauthbearer_set_token_failure(client, "the token is not one that SASL OAUTHBEARER can carry");
}

}  // namespace

Result<Owned<rd_kafka_conf_t>> make_conf(const KafkaCluster& cluster, const std::map<std::string, std::string>& ours) {
  if (cluster.brokers.empty()) return bad_setting("no Kafka broker is named (brokers: host:port, several with commas)");
  const bool is_msk = cluster.sasl_mechanism == msk_mechanism;
  if (is_msk && region_of(cluster).empty())
    return bad_setting("AWS_MSK_IAM needs the cluster's region: aws_region, or AWS_REGION in the environment");
  if (cluster.sasl_mechanism == "OAUTHBEARER" && !cluster.token)
    return bad_setting("SASL OAUTHBEARER needs a source of tokens, and there is none");
  std::map<std::string, std::string> all = ours;
  all["bootstrap.servers"] = cluster.brokers;
  all["security.protocol"] = security_protocol(cluster);
  const std::pair<const char*, const std::string*> given[] = {
      {"ssl.ca.location", &cluster.tls_ca},        {"ssl.certificate.location", &cluster.tls_certificate},
      {"ssl.key.location", &cluster.tls_key},      {"ssl.key.password", &cluster.tls_key_password},
      {"sasl.mechanism", &cluster.sasl_mechanism}, {"sasl.username", &cluster.sasl_username},
      {"sasl.password", &cluster.sasl_password},   {"client.rack", &cluster.rack}};
  for (const auto& [name, value] : given)
    if (!value->empty()) all[name] = *value;
  if (is_msk) all["sasl.mechanism"] = "OAUTHBEARER";
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  for (const auto& [name, value] : all) FF_TRY(set(conf.get(), name, value));
  for (const auto& [name, value] : cluster.properties) {
    if (all.count(name)) return bad_setting("Kafka property " + name + " is FleetFlow's own and cannot be passed on");
    FF_TRY(set(conf.get(), name, value));
  }
  // A topic's new partitions are seen by then, and a leader that it had none of when it was asked about.
  const std::string refresh = "topic.metadata.refresh.interval.ms";
  if (!cluster.properties.contains(refresh)) FF_TRY(set(conf.get(), refresh, "5000"));
  return conf;
}

void set_callbacks(rd_kafka_conf_t* conf, Context& context) {
  rd_kafka_conf_set_opaque(conf, &context);
  rd_kafka_conf_set_log_cb(conf, on_log);
  if (context.cluster->token || context.cluster->sasl_mechanism == msk_mechanism)
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_wanted);
}

Result<Owned<rd_kafka_t>> make_client(rd_kafka_type_t type, Owned<rd_kafka_conf_t> conf) {
  char said[512] = "";
  Owned<rd_kafka_t> client(rd_kafka_new(type, conf.get(), said, sizeof said));
  if (!client) return bad_setting("librdkafka does not start with these settings: " + std::string(said));
  (void)conf.release();  // the client's now
  return client;
}

Error error_of(rd_kafka_resp_err_t code, const std::string& said, const KafkaCluster& cluster) {
  const std::string message = "Kafka at " + cluster.brokers + ": " + rd_kafka_err2str(code) +
                              (said.empty() || said == rd_kafka_err2str(code) ? "" : " (" + said + ")");
  if (was_broken_off(code, said)) return {Recourse::retry, "kafka_away", message};
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return {Recourse::halt, "kafka_denied", message + "; look at the SASL settings and the cluster's ACLs"};
    case RD_KAFKA_RESP_ERR__SSL:
      return {Recourse::halt, "kafka_denied", message + "; look at tls_ca, tls_certificate and tls_key"};
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      return {Recourse::halt, "kafka_fenced",
              message +
                  "; its group.instance.id is another member's now: what this one asked for came late, or a second "
                  "consumer has the name, and two fence each other for ever"};
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__INCONSISTENT:
      return {Recourse::halt, "kafka_fatal", message};
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return bad_setting(message);
    default:
      return {Recourse::retry, "kafka_away", message};
  }
}

Error fatal_error(rd_kafka_t* client, const KafkaCluster& cluster) {
  char said[512] = "";
  const auto code = rd_kafka_fatal_error(client, said, sizeof said);
  if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) return error_of(code, said, cluster);
  return error_of(RD_KAFKA_RESP_ERR__FATAL, rd_kafka_err2str(code) + std::string(": ") + said, cluster);
}

void read_stats(std::string_view json, KafkaStats& stats) {
  namespace dom = simdjson::dom;
  dom::parser parser;
  dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return;
  std::int64_t number = 0;
  if (root["rx_bytes"].get(number) == simdjson::SUCCESS) stats.received_bytes = number;
  if (root["tx_bytes"].get(number) == simdjson::SUCCESS) stats.sent_bytes = number;
  stats.brokers_up = stats.rtt_us = 0;
  dom::object brokers;
  if (root["brokers"].get(brokers) == simdjson::SUCCESS)
    for (const auto& [name, broker] : brokers) {
      std::string_view state;
      std::int64_t id = -1;  // -1: a bootstrap address or a coordinator, which are brokers by another name
      if (broker["nodeid"].get(id) != simdjson::SUCCESS || id < 0) continue;
      if (broker["state"].get(state) != simdjson::SUCCESS || state != "UP") continue;
      ++stats.brokers_up;
      if (broker["rtt"]["avg"].get(number) == simdjson::SUCCESS) stats.rtt_us = std::max(stats.rtt_us, number);
    }
  stats.taken_at = now_micros();
}

}  // namespace ff::kafka
