/// What a reading thread has ready for the one that polls: per partition a queue of batches, bounded together in bytes.
///
/// `take` hands out the batch that was heard of first. Closing a partition drops what is queued of it, and from then on
/// nothing of it comes out. A transient error is said once no batch is left; after a final one (halt) nothing is taken in, so
/// that it is said when what was ready is out.
/// Threads: open, close, put and the errors by the reader; take by the poller; the rest by any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "source/source.h"

namespace ff {

class ReadAhead {
 public:
  explicit ReadAhead(std::int64_t bytes_max) : bytes_max_(bytes_max) {}

  void open(std::uint32_t partition, std::int64_t position);
  void close(std::uint32_t partition);
  /// Never waits: the reader asks is_full() before it reads on. Nothing happens if the partition is not open, or after a halt.
  void put(SourceBatch batch);

  bool is_full() const;
  /// Half of the room is free; false after `wait` or when woken by stop().
  bool wait_for_room(std::chrono::milliseconds wait) const;
  void stop();

  /// Troubles of different causes stand beside each other until each is over; a halt stays.
  void fail(Error error);
  void recover(std::string_view cause);
  bool has_halted() const;
  /// What passes, for a person, also while batches flow; empty: nothing.
  std::string trouble() const;

  Result<std::optional<SourceBatch>> take(std::chrono::milliseconds wait);

  struct Lane {
    std::int64_t position = 0;  ///< last one handed out
    Micros heard_at = none;     ///< of the last record handed out
    std::deque<SourceBatch> queue;
  };
  /// Position and heard_at of an open partition; null: not open.
  std::optional<std::pair<std::int64_t, Micros>> handed_out(std::uint32_t partition) const;
  std::int64_t bytes() const;

 private:
  static std::int64_t bytes_of(const SourceBatch& batch);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::uint32_t, Lane> lanes_;
  std::int64_t bytes_ = 0;
  const std::int64_t bytes_max_;
  std::optional<Error> halt_;
  std::map<std::string, Error, std::less<>> troubles_;  ///< what passes, by cause
  bool stopping_ = false;
};

/// When a decoded record was heard of.
inline Micros heard_at(const Decoded& d) { return d.from().ingest_time; }

}  // namespace ff
