/// How to reach a Kafka cluster, and what to read from it. docs/kafka.md says what each setting is for.
///
/// Secrets (passwords, tokens, the key's password) never stand in a message or a log line of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/fact.h"

namespace ff {

/// A token for SASL OAUTHBEARER, e.g. a signed request for MSK's IAM.
struct KafkaToken {
  std::string token, principal;
  std::int64_t expires_at_ms = 0;  ///< since the epoch
};

struct KafkaCluster {
  std::string brokers;  ///< host:port, several with commas

  bool tls = false;
  std::string tls_ca, tls_certificate, tls_key;  ///< PEM files; empty: the system's authorities, no client certificate
  std::string tls_key_password;

  /// SCRAM-SHA-256, SCRAM-SHA-512, PLAIN, OAUTHBEARER, or AWS_MSK_IAM (OAUTHBEARER with tokens of msk_iam.h); empty: no SASL
  std::string sasl_mechanism;
  std::string sasl_username, sasl_password;
  std::function<Result<KafkaToken>()> token;  ///< for OAUTHBEARER; asked again before a token expires; any thread
  std::string aws_region;                     ///< for AWS_MSK_IAM; empty: AWS_REGION

  std::string rack;  ///< client.rack: fetch from the replica in our zone; empty: from the leader
  /// Other properties of librdkafka, by its names. Those that the rules of source.h stand on are refused.
  std::map<std::string, std::string> properties;
  /// Lines of librdkafka, level as in syslog (3 error, 4 warning, ...); any thread. Null: not kept.
  std::function<void(int level, const std::string& line)> log;
};

/// What librdkafka counts, for metrics. Of one client.
struct KafkaStats {
  struct Partition {
    std::string name;                ///< as in ops.marks
    std::int64_t lag = 0;            ///< records between what was handed out and the end; -1: not known yet
    std::int64_t position = 0;       ///< the last one handed out
    std::int64_t high_position = 0;  ///< the last one that the broker has
  };
  std::vector<Partition> partitions;  ///< those assigned now
  std::int64_t rebalances = 0;        ///< assignments and revocations so far
  std::int64_t queue_bytes = 0;       ///< fetched or decoded, and not handed out
  /// To the slowest broker that is up, average of the last window. A fetch at a partition's end counts as long as it waits
  /// (fetch.wait.max.ms), so for an idle consumer this is about that.
  std::int64_t rtt_us = 0;
  std::int64_t received_bytes = 0, sent_bytes = 0;
  std::int64_t brokers_up = 0;
  std::map<std::string, std::int64_t>
      produce_errors;  ///< of a publisher: records not delivered so far, by the error's name
  Micros taken_at = 0;
};

struct KafkaOptions {
  KafkaCluster cluster;
  std::string group;
  std::map<std::string, std::string> topics;  ///< topic -> id of its contract; empty: what the contracts say themselves
  std::string registry_url;                   ///< of the schemas of Avro feeds; empty: none
  std::string registry_user, registry_password, registry_ca;  ///< the last a PEM file; empty: the system's authorities

  std::int64_t queue_bytes_max = 64 << 20;  ///< decoded and not handed out; a slow engine stops the reading there
  std::int64_t fetch_bytes_max = 16 << 20;  ///< fetched and not decoded
  std::int64_t batch_records_max = 8192;    ///< of one partition in one batch
  std::int64_t stats_interval_ms = 2000;

  /// Partitions are ours from now on; what was ours already is not told again. Called on the source's thread before their
  /// marks are asked for; after an error with recourse `retry` it is called again. With it several consumers write into one
  /// lake, so partitions of one number must go to one of them: topics with other counts of partitions are refused, also when they come to have them.
  std::function<Result<void>(const std::vector<std::string>& partitions)> on_assigned;
  /// Partitions are given up: what of them is not in the lake must be dropped. Called on the source's thread, before
  /// another consumer gets them (unless the group has given us up for dead); before it is called the source has stopped
  /// handing out their batches.
  std::function<void(const std::vector<std::string>& partitions)> on_revoked;
  /// An operator's word, by partition: go on behind this position although the lake's mark is lower. What lies between is
  /// given up for lost. The way out of `kafka_gap`.
  std::map<std::string, std::int64_t> go_on_behind;
};

}  // namespace ff
