/// What the engine reads: records in partitions, each partition in its own order, in batches.
///
/// A partition is a file, a Kafka partition, a replication slot, a range of a snapshot; its name is its identity in
/// `ops.marks` and in provenance. Positions rise within it. The lake's mark, and nothing that the source itself keeps
/// (a consumer group's offset, a slot's flush LSN), says where reading goes on: `begin` of a partition asks for it.
/// `confirm` tells the source afterwards what it may forget.
///
/// Always: batches of one partition come in its order, without gap behind the mark; a record is never split between two
/// batches; whoever reads again from a mark gets the same records at the same positions. A source that cannot go on
/// (a gap, another server under the old name) says so and does not guess.
/// Threads: a source may read ahead on threads of its own, bounded; the functions here are called by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "decode/decoder.h"

namespace ff {

/// How far a partition has come into the lake.
struct Mark {
  std::int64_t position = 0;  ///< last position that is in; 0: nothing (a source whose positions start at 0 adds one)
  std::string resume;         ///< what the source itself needs to go on behind `position`; empty: nothing more
};

/// Asks the lake, now, for the mark of a partition. Any thread.
using MarkOf = std::function<Result<Mark>(const std::string& partition)>;

/// Numbers for partition names, given once: Provenance carries the number. Any thread.
class Partitions {
 public:
  std::uint32_t id_of(const std::string& name);
  std::string name_of(std::uint32_t id) const;
  std::vector<std::string> names() const;
  /// What earlier runs gave.
  void restore(std::uint32_t id, const std::string& name);

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> ids_;
};

struct SourceBatch {
  Batch batch;
  std::uint32_t feed = 0;       ///< index of the contract in the ContractSet
  std::uint32_t partition = 0;  ///< number of the name in Partitions
  std::int64_t last_position = 0;
  std::string resume;      ///< see Mark; of last_position
  bool file_done = false;  ///< nothing of this partition comes after
  /// The batch begins behind this position: the mark, or the last_position of the batch before. Who holds another position
  /// for the partition has been overtaken by a rebalance (the batch was on its way) and drops the batch. `none`: not said.
  std::int64_t after = none;
};

/// A partition and how far it is in the lake now.
struct Progress {
  std::uint32_t partition = 0;
  Mark mark;
};

class Source {
 public:
  virtual ~Source() = default;

  /// The next batch; null if none came within `wait`, or none will. Errors: `retry` (the source is away; the same call
  /// may work later, and the source reconnects by itself), `halt` (it can't be read on without loss).
  virtual Result<std::optional<SourceBatch>> poll(std::chrono::milliseconds wait) = 0;

  /// Whether everything was handed out and nothing will come any more. A live source never finishes.
  virtual bool is_finished() const = 0;

  /// All of these are in the lake, durably. Idempotent. An error is `retry` at worst: the lake is ahead, nothing is lost.
  virtual Result<void> confirm(const std::vector<Progress>& done) = 0;

  /// The newest moment up to which all that came before is handed out, by the source's own clock; `none`: it can't say.
  /// For freshness and lag only.
  virtual Micros heard_until() const { return none; }

  /// What is wrong for now, for a person, though batches may flow (one topic of several is missing); empty: nothing that is
  /// not also an error of poll().
  virtual std::string trouble() const { return {}; }
};

}  // namespace ff
