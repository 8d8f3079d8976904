/// Records into Kafka topics, keyed as Java clients do it (murmur2 of the key; without one, any partition), idempotent, acks=all.
///
/// A record's timestamp is the moment of send(). One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct rd_kafka_s;

namespace ff::play {

class KafkaWire {
 public:
  /// Errors: halt `kafka_settings`. That nobody listens shows as records that are never acknowledged.
  static Result<KafkaWire> open(const std::string& bootstrap);

  /// Takes copies; blocks while the queue is full. Errors: retry `kafka_refused`.
  Result<void> send(const char* topic, std::string_view key, std::string_view value);
  /// Serves acknowledgements without waiting.
  void poll();
  /// Waits until all is acknowledged or failed. False: some were not within `wait_ms`.
  bool flush(int wait_ms);

  std::uint64_t acknowledged() const { return counts_->acknowledged; }
  std::uint64_t failed() const { return counts_->failed; }
  /// Of the failed ones, the first's; empty: none.
  const std::string& failure() const { return counts_->failure; }

 private:
  struct Counts {
    std::uint64_t acknowledged = 0, failed = 0;
    std::string failure;
  };
  struct Close {
    void operator()(rd_kafka_s* client) const;
  };
  std::unique_ptr<Counts> counts_ = std::make_unique<Counts>();
  std::unique_ptr<rd_kafka_s, Close> client_;
};

}  // namespace ff::play
