#include "cli/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "decode/decode_testing.h"

namespace ff::cli {
namespace {

using namespace ff::testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string folder = std::filesystem::temp_directory_path().string();
const std::string least = "lake: /data/lake\nsources:\n  - {type: files, name: landing, path: /data/in}\n";

Result<ServiceConfig> load(const std::string& yaml) { return load_config(TemporaryFile(yaml, ".yaml").path()); }

/// The cause, and the message from the file's line on.
std::string refused(const std::string& yaml) {
  const auto config = load(yaml);
  if (config.ok()) return "accepted";
  const std::string& message = config.error().message;
  return config.error().cause + " " + message.substr(message.find(".yaml") + 5);
}

TEST(Config, AFewLinesAreEnough) {
  const auto config = load(least);
  ASSERT_TRUE(config.ok()) << config.error().message;
  const ServiceConfig& c = config.value();
  EXPECT_EQ(c.engine.directory, "/data/lake");
  EXPECT_EQ(c.engine.input, "/data/in");
  EXPECT_EQ(c.engine.commit_interval, std::chrono::seconds(1));
  EXPECT_EQ(c.http.host, "127.0.0.1");
  EXPECT_EQ(c.http.port, 9464);
  ASSERT_EQ(c.sources.size(), 1u);
  EXPECT_EQ(c.sources[0].name, "landing");
}

TEST(Config, EverySourceHasItsOptions) {
  setenv("FF_TEST_PASSWORD", "hunter2", 1);
  const auto config = load(
      "lake: lake\n"
      "commit_interval_ms: 250\n"
      "http: {listen: '0.0.0.0:80', commit_age_max_s: 5}\n"
      "sources:\n"
      "  - type: kafka\n"
      "    name: scans\n"
      "    brokers: k1:9092,k2:9092\n"
      "    group: fleetflow\n"
      "    topics: {shipment-events: events}\n"
      "    sasl_mechanism: SCRAM-SHA-512\n"
      "    sasl_username: ff\n"
      "    sasl_password: ${FF_TEST_PASSWORD}\n"
      "    go_on_behind: {'kafka:shipment-events/0': 17}\n"
      "  - type: postgres\n"
      "    name: orders\n"
      "    conninfo: host=db user=ff password=${FF_TEST_PASSWORD}\n"
      "    slot: fleetflow\n"
      "    publication: fleetflow\n"
      "    streaming: true\n"
      "    past_truncates: [0/1A2B]\n");
  ASSERT_TRUE(config.ok()) << config.error().message;
  const ServiceConfig& c = config.value();
  EXPECT_EQ(c.engine.directory, folder + "/lake") << "a relative path is relative to the file";
  EXPECT_EQ(c.http.port, 80);
  const auto& kafka = std::get<KafkaOptions>(c.sources.at(0).options);
  EXPECT_EQ(kafka.cluster.brokers, "k1:9092,k2:9092");
  EXPECT_EQ(kafka.cluster.sasl_password, "hunter2");
  EXPECT_EQ(kafka.topics.at("shipment-events"), "events");
  EXPECT_EQ(kafka.go_on_behind.at("kafka:shipment-events/0"), 17);
  EXPECT_EQ(kafka.queue_bytes_max, KafkaOptions().queue_bytes_max);
  const auto& postgres = std::get<PostgresOptions>(c.sources.at(1).options);
  EXPECT_EQ(postgres.conninfo, "host=db user=ff password=hunter2");
  EXPECT_TRUE(postgres.streaming);
  EXPECT_EQ(postgres.spill_directory, folder + "/lake/tmp");
  EXPECT_EQ(postgres.past_truncates, std::vector<std::string>{"0/1A2B"});

  const std::string shown = describe(c);
  EXPECT_THAT(shown, AllOf(HasSubstr("name: scans"), HasSubstr("sasl_password: (hidden)"), HasSubstr("slot: fleetflow"),
                           HasSubstr("listen: 0.0.0.0:80"), HasSubstr("commit_interval_ms: 250")));
  EXPECT_THAT(shown, Not(HasSubstr("hunter2")));
}

TEST(Config, APublisherNeedsNoLake) {
  const auto config = load(
      "publish: {brokers: 'k1:9092', topics: {orders: shop.orders}, compression: lz4}\n"
      "sources:\n"
      "  - {type: postgres, name: orders, slot: s, publication: p}\n");
  ASSERT_TRUE(config.ok()) << config.error().message;
  const PublishConfig& publish = config.value().publish.value();
  EXPECT_EQ(publish.kafka.cluster.brokers, "k1:9092");
  EXPECT_EQ(publish.kafka.compression, "lz4");
  EXPECT_EQ(publish.topics.at("orders"), "shop.orders");
  EXPECT_EQ(publish.positions_topic, "fleetflow_positions");
  EXPECT_THAT(describe(config.value()), HasSubstr("publish:\n  brokers: k1:9092"));
  EXPECT_THAT(refused("publish: {}\nsources:\n  - {type: files, name: a, path: b}\n"), HasSubstr("needs 'brokers'"));
}

TEST(Config, OfTwoDatabasesEachSaysWhoseContractsItReads) {
  const auto two = [](const std::string& first, const std::string& second) {
    return refused("lake: x\nsources:\n  - {type: postgres, name: a, slot: a, publication: p" + first +
                   "}\n  - {type: postgres, name: b, slot: b, publication: p" + second + "}\n");
  };
  EXPECT_THAT(two("", ""), HasSubstr("config_bad_value :3: the postgres sources 'a' and 'b' would read the same"));
  EXPECT_THAT(two(", server: shop", ", server: shop"), HasSubstr("would read the same contracts"));
  EXPECT_THAT(two(", server: shop", ""), HasSubstr("the postgres source 'b' names no server"));
  EXPECT_EQ(two(", server: shop", ", server: depot"), "accepted");
}

TEST(Config, WhatIsShownIsAConfigurationThatSaysTheSame) {
  const std::string shown = describe(load(least).value());
  const auto again = load(shown);
  ASSERT_TRUE(again.ok()) << again.error().message << "\n" << shown;
  EXPECT_EQ(describe(again.value()), shown);
}

TEST(Config, EveryMistakeHasItsWordAndItsLine) {
  EXPECT_THAT(refused("lake: x\nsourcs: []\n"),
              "config_unknown_key :2: unknown key 'sourcs' in the configuration; did you mean 'sources'?");
  EXPECT_THAT(refused("lake: x\n"), "config_missing_key :1: the configuration needs 'sources'");
  EXPECT_THAT(refused("lake: x\nsources: []\n"), HasSubstr("config_bad_value :2: sources must be a list"));
  EXPECT_THAT(refused("sources:\n  - {type: files, name: a, path: b}\n"), HasSubstr("needs 'lake'"));
  EXPECT_THAT(refused("lake: x\nsources:\n  - {type: kafak, name: a}\n"),
              HasSubstr("config_bad_value :3: type 'kafak' is not known; did you mean 'kafka'?"));
  EXPECT_THAT(
      refused("lake: x\nsources:\n  - type: kafka\n    name: a\n    broker: b\n"),
      HasSubstr("config_unknown_key :5: unknown key 'broker' in a source of type kafka; did you mean 'brokers'?"));
  EXPECT_THAT(refused(least + "commit_interval_ms: soon\n"), HasSubstr("commit_interval_ms must be a whole number"));
  EXPECT_THAT(refused(least + "commit_interval_ms: 0\n"), HasSubstr("config_bad_value"));
  EXPECT_THAT(refused(least + "lake: y\n"), HasSubstr("config_bad_value :4: 'lake' stands twice"));
  EXPECT_THAT(refused(least + "http: {listen: 9464}\n"), HasSubstr("must be HOST:PORT"));
  EXPECT_THAT(refused(least + "http: {listen: 'h:99999'}\n"), HasSubstr("must be HOST:PORT"));
  EXPECT_THAT(refused(least + "  - {type: files, name: landing, path: c}\n"), HasSubstr("two sources are named"));
  EXPECT_THAT(refused("lake: ${FF_TEST_UNSET}\n" + least.substr(17)),
              HasSubstr("config_bad_value :1: lake needs the environment variable FF_TEST_UNSET, which is not set"));
  EXPECT_THAT(refused("lake: [x\n"), HasSubstr("config_unreadable"));
  EXPECT_EQ(load_config("/nowhere.yaml").error().cause, "config_unreadable");
}

// A key that stands in no documentation might as well not exist.
TEST(Config, TheDocumentationKnowsEveryKey) {
  const std::string page = read_file(repository() / "docs/configuration.md");
  for (const std::string& key : config_keys()) EXPECT_THAT(page, HasSubstr("`" + key + "`"));
}

}  // namespace
}  // namespace ff::cli
