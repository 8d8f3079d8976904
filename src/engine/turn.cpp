#include "engine/turn.h"

#include <algorithm>
#include <random>
#include <thread>

#include "base/time.h"
#include "lake/schema.h"

namespace ff {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds pause_min{50}, pause_max{2000}, turn_pause{100};
constexpr std::chrono::seconds turn_min{10};
constexpr int attempts_max = 60;

std::int64_t chance(std::int64_t below) {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_int_distribution<std::int64_t>(0, below - 1)(engine);
}

void pause_about(milliseconds time) { std::this_thread::sleep_for(time / 2 + milliseconds(chance(time.count()))); }

}  // namespace

Result<void> until_no_conflict(Lake& lake, const std::function<Result<void>()>& attempt) {
  auto pause = pause_min;
  for (int n = 1;; ++n) {
    auto done = attempt();
    if (done.ok()) return done;
    lake.rollback();
    const bool is_undone = done.error().cause == "commit_conflict" || done.error().recourse == Recourse::reconcile;
    if (!is_undone || n == attempts_max) return done;
    pause_about(pause);
    pause = std::min(2 * pause, pause_max);
  }
}

Turn::Turn(std::unique_ptr<Lake> lake) : lake_(std::move(lake)), owner_(chance(INT64_MAX)), lasts_(turn_min) {}

Result<void> Turn::run(Lake& lake, const std::function<Result<void>()>& attempt) {
  return until_no_conflict(lake, [&]() -> Result<void> {
    FF_TRY(take());
    const auto done = attempt();
    if (!done.ok()) lake.rollback();
    FF_TRY(give_back());
    return done;
  });
}

Result<void> Turn::take() {
  while (!FF_TRY(try_to_take())) pause_about(turn_pause);
  taken_at_ = Clock::now();
  return {};
}

Result<bool> Turn::try_to_take() {
  bool is_ours = false;
  const auto attempt = [&]() -> Result<void> {
    FF_TRY(lake_->begin());
    const auto ends_at = FF_TRY(lake_->integer("select epoch_us(max(expires_at)) from ops.leases where name = 'turn'"));
    is_ours = ends_at <= now_micros();
    if (is_ours) {
      const auto lasts = std::chrono::duration_cast<std::chrono::microseconds>(lasts_).count();
      FF_TRY(lake_->run("delete from ops.leases where name = 'turn'; insert into ops.leases values ('turn', " +
                        std::to_string(owner_) + ", " + timestamp_literal(now_micros() + lasts) + ")"));
    }
    return lake_->commit();
  };
  FF_TRY(until_no_conflict(*lake_, attempt));
  return is_ours;
}

Result<void> Turn::give_back() {
  lasts_ = std::max<Clock::duration>(turn_min, 2 * (Clock::now() - taken_at_));
  return until_no_conflict(*lake_, [&]() -> Result<void> {
    FF_TRY(lake_->begin());
    FF_TRY(lake_->run("delete from ops.leases where name = 'turn' and epoch = " + std::to_string(owner_)));
    return lake_->commit();
  });
}

}  // namespace ff
