#include "ops/health.h"

#include "base/time.h"

namespace ff::ops {
namespace {

std::string quoted(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else if (byte < 0x20)
      out.append("\\u00").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    else
      out += c;
  }
  return out += '"';
}

}  // namespace

void Health::lake_opened(Micros now) {
  const std::lock_guard lock(mutex_);
  last_good_turn_ = now;
}

void Health::observe(const CommitReport& report, Micros now) {
  const std::lock_guard lock(mutex_);
  using enum CommitReport::Result;
  if (report.result == ok || report.result == idle) last_good_turn_ = now;
  last_ = report;
  last_.feeds.clear();
}

Readiness Health::readiness(Micros now) const {
  const std::lock_guard lock(mutex_);
  Readiness out{{}, last_.publish_seq, last_good_turn_};
  if (last_good_turn_ == none) {
    out.obstacles.push_back({"lake_not_open", "the lake is being opened and the state brought up to it"});
    return out;
  }
  for (const SourceReport& source : last_.sources)
    if (!source.is_connected)
      out.obstacles.push_back({"source_not_connected", "source '" + source.name + "': " + source.trouble});
  using enum CommitReport::Result;
  if (last_.result == unknown || last_.result == failed)
    out.obstacles.push_back(
        {"commit_failed", "the last commit ended as '" + std::string(name(last_.result)) + "'; see the log"});
  if (const auto age = (now - last_good_turn_) / us_per_second; age > commit_age_max_.count())
    out.obstacles.push_back({"commit_too_old", "the engine's last turn was " + std::to_string(age) +
                                                   " s ago; http.commit_age_max_s allows " +
                                                   std::to_string(commit_age_max_.count())});
  return out;
}

std::string Readiness::json() const {
  std::string out = obstacles.empty() ? R"({"ready":true)" : R"({"ready":false)";
  out += ",\"publish_seq\":" + std::to_string(publish_seq);
  out += ",\"last_turn\":" + (last_turn == none ? "null" : quoted(format_rfc3339(last_turn))) + ",\"obstacles\":[";
  for (std::size_t i = 0; i < obstacles.size(); ++i)
    out += (i ? ",{" : "{") + ("\"what\":" + quoted(obstacles[i].what)) + ",\"why\":" + quoted(obstacles[i].why) + "}";
  return out + "]}\n";
}

}  // namespace ff::ops
