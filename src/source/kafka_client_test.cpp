#include "source/kafka_client_internal.h"

#include <gtest/gtest.h>

#include "source/kafka_reader_internal.h"

namespace ff::kafka {
namespace {

Error refused(const KafkaCluster& cluster, const std::map<std::string, std::string>& ours = {}) {
  auto conf = make_conf(cluster, ours);
  return conf.ok() ? Error{Recourse::retry, "", ""} : conf.error();
}

TEST(KafkaSettings, AreRefusedByNameAndNeverShowASecret) {
  KafkaCluster cluster;
  EXPECT_EQ(refused(cluster).cause, "kafka_bad_setting") << "no broker";
  cluster.brokers = "localhost:9092";
  EXPECT_EQ(refused(cluster).cause, "");
  cluster.properties["linger.msx"] = "1";
  EXPECT_NE(refused(cluster).message.find("linger.msx"), std::string::npos);
  cluster.properties = {{"enable.auto.commit", "true"}};
  EXPECT_NE(refused(cluster, {{"enable.auto.commit", "false"}}).message.find("FleetFlow's own"), std::string::npos);
  cluster.properties = {{"ssl.keystore.password.of.ours", "hunter2"}};
  EXPECT_EQ(refused(cluster).message.find("hunter2"), std::string::npos);
  cluster.properties.clear();
  cluster.sasl_mechanism = "OAUTHBEARER";
  EXPECT_EQ(refused(cluster).cause, "kafka_bad_setting") << "no token";
}

TEST(KafkaSettings, NameTheZoneToFetchFrom) {
  KafkaCluster cluster;
  cluster.brokers = "localhost:9092";
  cluster.rack = "zone-b";
  const auto conf = make_conf(cluster, {}).value();
  char rack[16];
  std::size_t size = sizeof rack;
  EXPECT_EQ(rd_kafka_conf_get(conf.get(), "client.rack", rack, &size), RD_KAFKA_CONF_OK);
  EXPECT_STREQ(rack, "zone-b");
}

TEST(KafkaErrors, AreNamedAfterWhatTheCallerDoesNext) {
  const KafkaCluster cluster;
  EXPECT_EQ(error_of(RD_KAFKA_RESP_ERR__TRANSPORT, "", cluster).recourse, Recourse::retry);
  EXPECT_EQ(error_of(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "", cluster).cause, "kafka_away");
  EXPECT_EQ(error_of(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, "", cluster).cause, "kafka_denied");
  const Error untrusted = error_of(RD_KAFKA_RESP_ERR__SSL, "handshake failed: certificate verify failed", cluster);
  EXPECT_EQ(untrusted.cause, "kafka_denied");
  EXPECT_NE(untrusted.message.find("tls_ca"), std::string::npos);
  EXPECT_EQ(error_of(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "", cluster).recourse, Recourse::halt);
}

TEST(KafkaErrors, OfAHandshakeThatTheNetworkEndedPass) {
  EXPECT_EQ(error_of(RD_KAFKA_RESP_ERR__SSL, "SSL transport error: Connection timed out", {}).cause, "kafka_away");
  const std::string said = "SASL OAUTHBEARER mechanism handshake failed: Local: Broker transport failure";
  EXPECT_EQ(error_of(RD_KAFKA_RESP_ERR__AUTHENTICATION, said, {}).cause, "kafka_away");
  EXPECT_EQ(error_of(RD_KAFKA_RESP_ERR__AUTHENTICATION, "invalid credentials", {}).cause, "kafka_denied");
}

TEST(KafkaResume, ReadsBackWhatItWrote) {
  const Resume resume = Resume::parse(Resume{"psJ2QfouTfmaDKck7LRXRg", 3}.text());
  EXPECT_EQ(resume.topic_id, "psJ2QfouTfmaDKck7LRXRg");
  EXPECT_EQ(resume.leader_epoch, 3);
  EXPECT_EQ(Resume::parse("").topic_id, "");
  EXPECT_EQ(Resume::parse("something else").leader_epoch, -1);
}

TEST(KafkaStats, CountRealBrokersThatAreUp) {
  KafkaStats stats;
  read_stats(R"({"rx_bytes":7,"tx_bytes":5,"brokers":{
    "a:1/bootstrap":{"nodeid":-1,"state":"UP","rtt":{"avg":9}},
    "a:1/1":{"nodeid":1,"state":"UP","rtt":{"avg":3}},
    "b:1/2":{"nodeid":2,"state":"DOWN","rtt":{"avg":4}}}})",
             stats);
  EXPECT_EQ(stats.brokers_up, 1);
  EXPECT_EQ(stats.rtt_us, 3);
  EXPECT_EQ(stats.received_bytes, 7);
  read_stats("no json", stats);
  EXPECT_EQ(stats.brokers_up, 1);
}

}  // namespace
}  // namespace ff::kafka
