#include "engine/shards.h"

#include <utility>

#include "base/integer.h"
#include "base/time.h"
#include "lake/schema.h"

namespace ff {
namespace {

std::string list_of(const std::vector<std::string>& partitions) {
  std::string out;
  for (const std::string& p : partitions) out += (out.empty() ? "" : ", ") + sql_literal(p);
  return out;
}

}  // namespace

Result<std::int64_t> draw_epoch(Lake& lake, const std::string& generation) {
  const std::int64_t epoch = FF_TRY(lake.integer("select max(epoch) from ops.commits")) + 1;
  FF_TRY(lake.run("insert into ops.commits select " + std::to_string(first_publish_seq(epoch)) + ", " +
                  std::to_string(epoch) + ", max(as_of), " + timestamp_literal(now_micros()) + ", 0, 0, " +
                  sql_literal(generation) + " from ops.commits"));
  return epoch;
}

Result<void> Shards::take(const std::vector<std::string>& partitions) {
  HeldByName found;
  const auto attempt = [&]() -> Result<void> {
    FF_TRY(lake_->begin());
    const std::string names = list_of(partitions);
    const Table marks = FF_TRY(lake_->query(
        "select partition, position, resume, epoch, source from ops.marks where partition in (" + names + ")"));
    found.clear();
    std::map<std::string, std::string> sources;
    for (const auto& row : marks.rows) {
      found[*row[0]] = {to_integer(row[3]), {to_integer(row[1]), row[2].value_or("")}};
      sources[*row[0]] = row[4].value_or("");
    }
    const std::int64_t epoch = FF_TRY(draw_epoch(*lake_, generation_));
    Rows rows("sissiis");
    for (const std::string& name : partitions) {
      Held& held = found[name];
      held.epoch = epoch;
      rows.text("*").integer(0).text_or_null(sources[name]).text(name).integer(held.mark.position).integer(epoch);
      rows.text_or_null(held.mark.resume);
    }
    FF_TRY(lake_->run("delete from ops.marks where partition in (" + names + ")"));
    FF_TRY(lake_->insert("ops.marks", rows));
    return lake_->commit();
  };
  FF_TRY(turn_->run(*lake_, attempt));
  const std::lock_guard lock(mutex_);
  for (const auto& [name, held] : found) held_[name] = taken_[name] = held;
  return {};
}

void Shards::give_up(const std::vector<std::string>& partitions) {
  std::unique_lock lock(mutex_);
  going_.insert(going_.end(), partitions.begin(), partitions.end());  // Another source may be waiting, too.
  changed_.wait(lock, [&] { return going_.empty() || is_closed_; });
}

bool Shards::is_giving_up() const {
  const std::lock_guard lock(mutex_);
  return !going_.empty();
}

void Shards::let_go() {
  const std::lock_guard lock(mutex_);
  for (const std::string& name : going_) {
    held_.erase(name);
    taken_.erase(name);
  }
  going_.clear();
  changed_.notify_all();
}

Shards::HeldByName Shards::taken() {
  const std::lock_guard lock(mutex_);
  return std::exchange(taken_, {});
}

bool Shards::holds(const std::string& partition) const {
  const std::lock_guard lock(mutex_);
  return held_.contains(partition);
}

void Shards::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

}  // namespace ff
