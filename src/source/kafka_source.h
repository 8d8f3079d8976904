/// Kafka topics as a Source: a member of a consumer group that reads its partitions from the lake's marks.
///
/// A partition is named `kafka:<topic>/<n>`; a record's position is its offset + 1, so a mark is the offset to go on at.
/// Where reading starts is asked of the lake at each assignment and never of the group, whose committed offsets serve lag
/// monitoring only. With no mark it starts at the beginning. The records are decoded by the topic's contract; the record's
/// timestamp is its ingest_time where the contract maps none (S1.3).
///
/// Always: batches of one partition come in its order, and across partitions the one heard of first. After a partition was
/// given up, none of its batches comes out. A record that nobody can read is a refusal at its position; nothing stalls.
/// While the schema registry is away, records of Avro feeds wait and those of other feeds go on.
/// Memory: KafkaOptions::queue_bytes_max decoded + fetch_bytes_max fetched, each overrun by at most one batch.
/// Errors of poll: retry `kafka_away`, `schema_registry_away` (reading goes on by itself); halt `kafka_gap` (what is to be
/// read next is not there any more, or the topic is another one under the old name), `kafka_denied`, `kafka_fenced` (another
/// member has our group.instance.id, or a late request of our own looked like one: start another source), `kafka_fatal`,
/// `schema_registry_denied`, and what the lake says when it is asked for a mark.
/// Threads: one of its own, on which marks are asked for and on_revoked is called; librdkafka has some more.
/// Source: librdkafka INTRODUCTION.md, "Consumer groups"; KIP-516 (topic ids), KIP-320 (epochs).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "source/kafka_options.h"
#include "source/source.h"

namespace ff {

class KafkaSource final : public Source {
 public:
  /// Joins the group and starts reading. `contracts`, `partitions` and what `mark_of` uses must outlive this.
  /// Errors: halt `kafka_bad_setting` (a setting, a topic without contract), `contract_bad_expression`,
  /// `schema_registry_missing`. That nobody answers is no error here but one of poll.
  static Result<std::unique_ptr<KafkaSource>> start(const ContractSet& contracts, const PseudonymKey& key,
                                                    Partitions& partitions, MarkOf mark_of, KafkaOptions options);
  /// Leaves the group; on_revoked is called for what it held.
  ~KafkaSource() override;

  Result<std::optional<SourceBatch>> poll(std::chrono::milliseconds wait) override;
  bool is_finished() const override { return false; }
  /// Commits offsets to the group, forward only and without waiting, for partitions that are ours.
  Result<void> confirm(const std::vector<Progress>& done) override;
  Micros heard_until() const override;
  std::string trouble() const override;

  KafkaStats stats() const;

 private:
  struct Impl;
  explicit KafkaSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff
