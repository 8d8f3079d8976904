#include "source/read_ahead.h"

namespace ff {

std::int64_t ReadAhead::bytes_of(const SourceBatch& batch) {
  return static_cast<std::int64_t>(1024 + batch.batch.records.size() * sizeof(Decoded) + batch.batch.kept_bytes());
}

void ReadAhead::open(std::uint32_t partition, std::int64_t position) {
  const std::lock_guard lock(mutex_);
  lanes_[partition].position = position;
}

void ReadAhead::close(std::uint32_t partition) {
  const std::lock_guard lock(mutex_);
  const auto lane = lanes_.find(partition);
  if (lane == lanes_.end()) return;
  for (const SourceBatch& batch : lane->second.queue) bytes_ -= bytes_of(batch);
  lanes_.erase(lane);
  changed_.notify_all();
}

void ReadAhead::put(SourceBatch batch) {
  const std::lock_guard lock(mutex_);
  const auto lane = lanes_.find(batch.partition);
  if (lane == lanes_.end() || halt_) return;
  bytes_ += bytes_of(batch);
  lane->second.queue.push_back(std::move(batch));
  changed_.notify_all();
}

bool ReadAhead::is_full() const {
  const std::lock_guard lock(mutex_);
  return bytes_ >= bytes_max_;
}

bool ReadAhead::wait_for_room(std::chrono::milliseconds wait) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait, [&] { return stopping_ || bytes_ <= bytes_max_ / 2; });
  return bytes_ <= bytes_max_ / 2;
}

void ReadAhead::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void ReadAhead::fail(Error error) {
  const std::lock_guard lock(mutex_);
  if (error.recourse != Recourse::halt)
    troubles_.insert_or_assign(error.cause, std::move(error));
  else if (!halt_)
    halt_ = std::move(error);
  changed_.notify_all();
}

void ReadAhead::recover(std::string_view cause) {
  const std::lock_guard lock(mutex_);
  if (const auto trouble = troubles_.find(cause); trouble != troubles_.end()) troubles_.erase(trouble);
}

bool ReadAhead::has_halted() const {
  const std::lock_guard lock(mutex_);
  return halt_.has_value();
}

std::string ReadAhead::trouble() const {
  const std::lock_guard lock(mutex_);
  return troubles_.empty() ? std::string() : troubles_.begin()->second.message;
}

Result<std::optional<SourceBatch>> ReadAhead::take(std::chrono::milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  std::unique_lock lock(mutex_);
  for (;;) {
    Lane* first = nullptr;
    Micros first_heard = 0;
    for (auto& [partition, lane] : lanes_) {
      if (lane.queue.empty()) continue;
      const auto& records = lane.queue.front().batch.records;
      const Micros heard = records.empty() ? none : heard_at(records.front());
      if (!first || heard < first_heard) first = &lane, first_heard = heard;
    }
    if (first) {
      SourceBatch batch = std::move(first->queue.front());
      first->queue.pop_front();
      bytes_ -= bytes_of(batch);
      first->position = batch.last_position;
      if (!batch.batch.records.empty()) first->heard_at = heard_at(batch.batch.records.back());
      changed_.notify_all();
      return std::optional(std::move(batch));
    }
    if (halt_) return *halt_;
    if (changed_.wait_until(lock, until) == std::cv_status::timeout) break;
  }
  if (!troubles_.empty()) return troubles_.begin()->second;
  return std::optional<SourceBatch>();
}

std::optional<std::pair<std::int64_t, Micros>> ReadAhead::handed_out(std::uint32_t partition) const {
  const std::lock_guard lock(mutex_);
  const auto lane = lanes_.find(partition);
  if (lane == lanes_.end()) return std::nullopt;
  return std::pair(lane->second.position, lane->second.heard_at);
}

std::int64_t ReadAhead::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace ff
