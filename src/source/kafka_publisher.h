/// Records onto topics: what a connector read elsewhere, keyed so that a shipment or a driver stays in its shard.
///
/// An idempotent producer that waits for all in-sync replicas, and no transactions: a record may come twice (a caller that
/// crashed or gave up publishes again), never be lost once flush() said so. Facts are known by their content, so a second
/// copy changes nothing; librdkafka's transactions have no defence against a late end of an old one (KIP-890).
/// The partition is shard_of(key) of the topic's partition count; a record without a key goes anywhere.
///
/// A caller's step: publish any number, flush, then confirm to where they came from. After an error of flush the records
/// since the last good flush must be published again.
/// In src/source/ because connectors are sources that speak to a topic instead of the engine.
/// Threads: one.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/kafka_options.h"

namespace ff {

struct KafkaRecord {
  std::string_view key;     ///< shipment or driver id; empty: none
  std::string_view value;   ///< data() == nullptr: a tombstone
  Micros timestamp = none;  ///< when it was first heard of; none: now. Whole milliseconds are kept
  std::vector<std::pair<std::string, std::string>> headers;
};

struct KafkaPublisherOptions {
  KafkaCluster cluster;
  std::string compression = "zstd";  ///< or lz4, none
  std::int64_t linger_ms = 5;
  std::int64_t delivery_timeout_ms = 120'000;  ///< then a record counts as not delivered
  std::int64_t queue_bytes_max = 64 << 20;     ///< handed over and not acknowledged; publish waits there
};

class KafkaPublisher final {
 public:
  /// Error: halt `kafka_bad_setting`.
  static Result<std::unique_ptr<KafkaPublisher>> start(KafkaPublisherOptions options);
  /// Waits for nothing: what was not flushed may be lost.
  ~KafkaPublisher();

  /// Hands over a copy. Waits while the queue is full, as long as a record may take.
  /// Errors: retry `kafka_not_delivered` (the queue stayed full); quarantine `kafka_oversized_record`.
  Result<void> publish(const std::string& topic, const KafkaRecord& record);

  /// Until every record is acknowledged, or the first that is not. Errors: retry `kafka_not_delivered` (publish again what
  /// came since the last good flush), quarantine `kafka_oversized_record` (the broker's limit; names topic and key bytes),
  /// halt `kafka_denied`, halt `kafka_fatal` (start another publisher).
  Result<void> flush();

  std::int64_t waiting() const;  ///< records handed over and not acknowledged
  std::int64_t delivered() const;
  KafkaStats stats() const;

 private:
  struct Impl;
  explicit KafkaPublisher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff
