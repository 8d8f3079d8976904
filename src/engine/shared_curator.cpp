#include "engine/shared_curator.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/crash_point.h"
#include "base/time.h"
#include "engine/shards.h"
#include "lake/schema.h"

namespace ff {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;

constexpr std::chrono::seconds lease_min{45};

std::int64_t micros(Clock::duration d) { return duration_cast<std::chrono::microseconds>(d).count(); }

}  // namespace

struct SharedCurator::Impl {
  std::unique_ptr<Lake> lake;
  std::unique_ptr<Turn> commit_turn;
  Curator curator;
  Options options;
  std::int64_t epoch = 0;   ///< of our lease; 0: never held
  std::int64_t cycles = 0;  ///< of this epoch
  Clock::duration lease_for = lease_min;

  mutable std::mutex mutex;
  std::condition_variable changed;
  bool is_stopping = false;
  std::optional<Error> error;
  std::thread thread;

  Impl(std::unique_ptr<Lake> l, std::unique_ptr<Turn> t, Curator c, Options o)
      : lake(std::move(l)), commit_turn(std::move(t)), curator(std::move(c)), options(std::move(o)) {}

  /// Whether to go on.
  bool wait(Clock::duration d) {
    std::unique_lock lock(mutex);
    return !changed.wait_for(lock, d, [&] { return is_stopping; });
  }
  Result<bool> take_lease();
  Result<void> draw();
  Result<void> release();
  Result<void> begin();
  Result<void> cycle();
  Result<void> turn();
  void run();
};

SharedCurator::SharedCurator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<SharedCurator>> SharedCurator::start(std::unique_ptr<Lake> lake, std::unique_ptr<Turn> turn,
                                                            Curator curator, Options options) {
  curator.on_step = nullptr;  // it speaks to the engine's thread
  auto impl = std::make_unique<Impl>(std::move(lake), std::move(turn), std::move(curator), std::move(options));
  FF_TRY(create_functions(*impl->lake));
  FF_TRY(impl->curator.create(*impl->lake, impl->options.views));
  impl->thread = std::thread([i = impl.get()] { i->run(); });
  return std::unique_ptr<SharedCurator>(new SharedCurator(std::move(impl)));
}

SharedCurator::~SharedCurator() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_stopping = true;
  }
  impl_->changed.notify_all();
  impl_->thread.join();
}

Result<void> SharedCurator::state() const {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->error) return *impl_->error;
  return {};
}

/// Whether the lease is ours for one more cycle. Taking it over, and every renewal, is refused if another did so meanwhile.
Result<bool> SharedCurator::Impl::take_lease() {
  const std::string held = "select count(*) from ops.leases where name = 'curator' and ";
  const std::string by_us = "epoch = " + std::to_string(epoch);
  if (FF_TRY(lake->integer(held + by_us)) == 0) {
    if (FF_TRY(lake->integer(held + "expires_at > " + timestamp_literal(now_micros()))) > 0) return false;
    FF_TRY(draw());
  }
  bool is_ours = false;
  const auto attempt = [&]() -> Result<void> {
    FF_TRY(lake->begin());
    is_ours = FF_TRY(lake->integer(held + "epoch > " + std::to_string(epoch))) == 0;
    if (is_ours)
      FF_TRY(lake->run("delete from ops.leases where name = 'curator'; insert into ops.leases values ('curator', " +
                       std::to_string(epoch) + ", " + timestamp_literal(now_micros() + micros(lease_for)) + ")"));
    return lake->commit();
  };
  FF_TRY(until_no_conflict(*lake, attempt));
  return is_ours;
}

/// An epoch greater than that of whoever held the lease.
Result<void> SharedCurator::Impl::draw() {
  cycles = 0;
  return commit_turn->run(*lake, [&]() -> Result<void> {
    FF_TRY(lake->begin());
    epoch = FF_TRY(draw_epoch(*lake, options.generation));
    return lake->commit();
  });
}

Result<void> SharedCurator::Impl::release() {
  if (epoch == 0) return {};
  return until_no_conflict(*lake, [&]() -> Result<void> {
    FF_TRY(lake->begin());
    FF_TRY(lake->run("delete from ops.leases where name = 'curator' and epoch = " + std::to_string(epoch)));
    return lake->commit();
  });
}

/// Begins a transaction that sees all of the commits that are in temp.noted_commits, and nothing of others by half.
Result<void> SharedCurator::Impl::begin() {
  FF_TRY(commit_turn->take());
  auto begun = list_noted(*lake);
  if (begun.ok()) begun = lake->begin();
  FF_TRY(commit_turn->give_back());
  return begun;
}

/// One transaction; its as_of is that of the newest commit.
Result<void> SharedCurator::Impl::cycle() {
  FF_TRY(begin());
  const std::int64_t before = FF_TRY(lake->integer("select epoch_us(as_of) from ops.clock", none));
  const std::int64_t as_of =
      std::max(before, FF_TRY(lake->integer("select epoch_us(max(as_of)) from ops.commits", none)));
  if (as_of == none) return lake->commit();
  FF_TRY(set_clock(*lake, as_of, options.zone_name));
  FF_TRY(curator.publish_listed(*lake, before, as_of, first_publish_seq(epoch) + ++cycles));
  pass_crash_point("curated_written");
  FF_TRY(commit_turn->take());
  const auto done = lake->commit();
  FF_TRY(commit_turn->give_back());
  return done;
}

Result<void> SharedCurator::Impl::turn() {
  if (!FF_TRY(take_lease())) return {};
  const auto start = Clock::now();
  if (const auto done = cycle(); !done.ok()) {
    lake->rollback();
    return done;
  }
  lease_for = std::max<Clock::duration>(lease_min, 4 * (Clock::now() - start));
  return commit_turn->run(*lake, [&]() -> Result<void> {
    FF_TRY(lake->begin());
    FF_TRY(forget_noted(*lake));
    return lake->commit();
  });
}

void SharedCurator::Impl::run() {
  do {
    const auto done = turn();
    // A cycle that was refused, or of which nobody knows, is done again over what is there then.
    if (!done.ok() && done.error().recourse == Recourse::halt) {
      const std::lock_guard lock(mutex);
      error = done.error();
      return;
    }
  } while (wait(options.interval));
  (void)release().ok();
}

}  // namespace ff
