/// A bounded queue of batches between the threads of a source and the engine that polls it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "source/source.h"

namespace ff {

class BatchQueue {
 public:
  explicit BatchQueue(std::size_t batches_max) : batches_max_(batches_max) {}

  /// Waits at most `wait` for room; false: there was none, and `batch` is as it was, or the queue is stopped.
  bool push(SourceBatch& batch, std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, wait, [&] { return stopped_ || batches_.size() < batches_max_; }) || stopped_)
      return false;
    batches_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
  }
  /// An error stands behind the batches that were pushed before it. A `halt` stays.
  void fail(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_ || error_->recourse != Recourse::halt) error_ = std::move(error);
    changed_.notify_all();
  }
  Result<std::optional<SourceBatch>> pop(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, wait, [&] { return stopped_ || !batches_.empty() || error_; });
    if (!batches_.empty()) {
      std::optional<SourceBatch> batch(std::move(batches_.front()));
      batches_.pop_front();
      changed_.notify_all();
      return batch;
    }
    if (error_) {
      const Error error = *error_;
      if (error.recourse != Recourse::halt) error_.reset();
      return error;
    }
    return std::optional<SourceBatch>();
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  bool is_stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }
  bool is_empty() const {
    const std::lock_guard lock(mutex_);
    return batches_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SourceBatch> batches_;
  std::optional<Error> error_;
  std::size_t batches_max_;
  bool stopped_ = false;
};

}  // namespace ff
