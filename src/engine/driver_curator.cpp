#include "engine/driver_curator.h"

#include <utility>

#include "base/crash_point.h"

namespace ff {

using std::chrono::steady_clock;

Result<std::unique_ptr<DriverCurator>> DriverCurator::open(std::unique_ptr<Lake> lake, Curator curator) {
  std::unique_ptr<DriverCurator> opened(new DriverCurator(std::move(lake), std::move(curator)));
  FF_TRY(opened->curator_.create(*opened->lake_, Curator::Views::yes));
  opened->curator_.on_step = [i = opened.get()](const std::string& model, std::int64_t us) {
    i->step_us_[model] += us;
  };
  return opened;
}

DriverCurator::~DriverCurator() { stop(); }

Result<void> DriverCurator::start() {
  if (round_.is_over()) round_ = FF_TRY(Curator::begin_drivers(*lake_));
  under_way_ = std::async(std::launch::async, [this, round = round_] {
    auto done = publish_part(round);
    if (!done.ok()) lake_->rollback();
    return done;
  });
  return {};
}

Result<DriverCurator::Done> DriverCurator::publish_part(Curator::DriverRound round) {
  const auto start = steady_clock::now();
  FF_TRY(lake_->begin());
  round = FF_TRY(curator_.publish_drivers(*lake_, round));
  pass_crash_point("drivers_written");
  FF_TRY(lake_->commit());
  pass_crash_point("drivers_committed");
  return Done{round, steady_clock::now() - start, std::exchange(step_us_, {})};
}

Result<std::optional<DriverCurator::Done>> DriverCurator::take() {
  if (!is_under_way() || under_way_.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    return std::optional<Done>();
  auto done = FF_TRY(under_way_.get());
  round_ = done.round;
  return std::optional(std::move(done));
}

void DriverCurator::stop() {
  if (!is_under_way()) return;
  // A question that is just being asked does not hear of it, so it is told again.
  while (under_way_.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) lake_->interrupt();
  (void)under_way_.get().ok();
}

}  // namespace ff
