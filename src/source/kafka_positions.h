/// How far a publisher has come, kept beside what it publishes: a compacted topic of one partition, a record per partition
/// of the source (key: its name; value: `POSITION RESUME`, as in ops.marks).
///
/// Written by the same producer after the records of the positions were acknowledged, so that it may lag what was published
/// and never lead it. Of several records of one key the greatest position holds: what a publisher that was thought dead
/// writes late takes nothing back.
/// Threads: of() and newest_of() by any; the rest by one.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "source/kafka_publisher.h"
#include "source/source.h"

namespace ff {

class KafkaPositions {
 public:
  /// Reads the topic to its end; makes it if it is not there (one partition, cleanup.policy=compact, the brokers' default
  /// replication). Errors: retry `kafka_away`; halt `kafka_denied`, `kafka_bad_setting` (more than one partition, or not compacted:
  /// its records would be forgotten).
  static Result<std::unique_ptr<KafkaPositions>> open(const KafkaCluster& cluster, std::string topic);

  Mark of(const std::string& partition) const;
  /// The same after a look at what others have written, if the last look is older than a second: for partitions that go from
  /// one publisher to another. Errors: those of open.
  Result<Mark> newest_of(const std::string& partition);
  /// Until the broker has them. Errors: those of KafkaPublisher::flush; `of` then says the old ones.
  Result<void> write(KafkaPublisher& publisher, const std::map<std::string, Mark>& marks);

 private:
  KafkaPositions(const KafkaCluster& cluster, std::string topic) : cluster_(cluster), topic_(std::move(topic)) {}
  void keep(const std::string& partition, Mark mark);
  template <class Reader>
  Result<void> look(Reader& reader);

  const KafkaCluster cluster_;
  const std::string topic_;
  std::mutex looking_;  ///< held for a look; before mutex_
  std::chrono::steady_clock::time_point looked_at_;
  mutable std::mutex mutex_;
  std::map<std::string, Mark> marks_;
};

}  // namespace ff
