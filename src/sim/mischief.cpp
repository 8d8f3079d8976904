#include "sim/mischief.h"

#include <algorithm>

#include "sim/simulate.h"

namespace ff::sim {
namespace {

constexpr Micros minute = us_per_minute, hour = us_per_hour;

class Mischief {
 public:
  Mischief(const SimOptions& options, const World& world, Life& life, Rng& rng)
      : options_(options), world_(world), life_(life), rng_(rng) {}

  /// False: this life has no place for it.
  bool make(Fault fault) {
    switch (fault) {
      case Fault::late:
        return late();
      case Fault::correction:
        return correction();
      case Fault::retraction:
        return retraction();
      case Fault::conflicting_duplicate:
        return conflicting_duplicate();
      case Fault::missing_driver:
        return missing_driver();
      case Fault::unknown_driver:
        return unknown_driver();
      case Fault::skipped_scan:
        return skipped_scan();
      case Fault::contradiction:
        return contradiction();
      case Fault::duplicate_shipment_id:
        return duplicate_shipment_id();
      case Fault::orphan:
        return orphan();
      case Fault::driver_mismatch:
        return driver_mismatch();
      case Fault::unassign_mismatch:
        return unassign_mismatch();
      case Fault::late_command:
        return late_command();
      case Fault::corrected_command:
        return corrected_command();
      case Fault::future_event:
        return future_event();
      case Fault::negative_duration:
        return negative_duration();
      case Fault::deleted_order:
        return deleted_order();
      case Fault::beyond_horizon:
        return beyond_horizon();
      case Fault::schema_drift:
        return !partner();  // The fault itself says it all (telling.cpp).
      case Fault::corrupt_line:
        return broken_line(rng_.below(4));
      case Fault::unmapped_status:
        return broken_line(4);
      default:
        return false;
    }
  }

 private:
  bool settled(Micros heard) const { return heard + 31 * minute < options_.end(); }
  Micros between(Micros low, Micros high) { return rng_.between(low / 1000, high / 1000) * 1000; }
  bool partner() const { return life_.is_partner(options_); }

  void plant(std::string_view check, std::string_view what, int number) {
    life_.findings.push_back({check, what, number});
  }

  Telling& telling_of(Telling::Of of, std::size_t body) {
    return *std::find_if(life_.tellings.begin(), life_.tellings.end(),
                         [&](const Telling& t) { return t.of == of && t.body == body; });
  }
  void never_told(Telling::Of of, std::size_t body) {
    std::erase_if(life_.tellings, [&](const Telling& t) { return t.of == of && t.body == body; });
  }
  void drop_scan(std::size_t i) {
    life_.scans[i].happened = false;
    never_told(Telling::Of::scan, i);
  }
  std::size_t add_scan(Scan scan) {
    life_.scans.push_back(scan);
    return life_.scans.size() - 1;
  }
  void tell_scan(std::size_t body, Micros heard, std::uint8_t version = 0, bool retracted = false,
                 std::uint8_t variant = 0) {
    life_.tellings.push_back({.heard = heard,
                              .of = Telling::Of::scan,
                              .body = static_cast<std::uint16_t>(body),
                              .version = version,
                              .mark = retracted,
                              .variant = variant});
  }

  /// A scan that `fits` and has been settled, chosen at random; -1: none.
  template <class F>
  int pick(F fits) {
    int chosen = -1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < life_.scans.size(); ++i)
      if (settled(life_.scans[i].heard) && fits(life_.scans[i]) && rng_.below(++seen) == 0)
        chosen = static_cast<int>(i);
    return chosen;
  }

  /// The last stretch: a driver was sent, went out and delivered, and nothing was dispatched after.
  struct Stretch {
    std::size_t out, delivered, command, holding;
  };
  std::optional<Stretch> last_stretch() {
    for (std::size_t i = 0; i + 1 < life_.scans.size(); ++i) {
      if (life_.scans[i].status != Status::out_for_delivery || life_.scans[i + 1].status != Status::delivered) continue;
      if (!settled(life_.scans[i + 1].heard)) return std::nullopt;
      const auto command = life_.commands.size() - 1, holding = life_.holdings.size() - 1;
      if (life_.commands[command].action != Action::assign) return std::nullopt;
      return Stretch{i, i + 1, command, holding};
    }
    return std::nullopt;
  }

  bool late() {
    const int i = pick([](const Scan&) { return true; });
    if (i < 0) return false;
    Scan& scan = life_.scans[static_cast<std::size_t>(i)];
    const Micros heard = scan.time + (partner() ? between(25 * hour, 60 * hour) : between(20 * minute, 36 * hour));
    if (!settled(heard)) return false;
    telling_of(Telling::Of::scan, static_cast<std::size_t>(i)).heard = scan.heard = heard;
    plant("late_event", "event", scan.number);
    return true;
  }

  bool correction() {
    if (partner()) return false;
    const int i =
        pick([](const Scan& s) { return s.spare || s.status == Status::delivered || s.status == Status::picked_up; });
    if (i < 0) return false;
    const auto at = static_cast<std::size_t>(i);
    const Micros corrected = life_.scans[at].heard + between(10 * minute, 6 * hour);
    if (!settled(corrected)) return false;
    Scan wrong = life_.scans[at];
    wrong.happened = false;
    wrong.time += rng_.between(1, 4) * (rng_.chance(0.5) ? minute : -minute);
    if (wrong.hub >= 0) wrong.hub = (wrong.hub + 1) % hub_count;
    const Micros first = wrong.heard;
    Telling& right = telling_of(Telling::Of::scan, at);
    right.version = 1;
    right.heard = corrected;
    tell_scan(add_scan(wrong), first);
    return true;
  }

  bool retraction() {
    const auto stretch = last_stretch();
    if (!stretch || partner()) return false;
    const Scan& out = life_.scans[stretch->out];
    Scan wrong = out;
    wrong.status = Status::delivered;
    wrong.happened = false;
    wrong.hub = -1;
    wrong.time = out.time + 5 * minute;
    wrong.number = extra_number;
    const Micros told = wrong.time + between(20'000'000, 4 * minute);
    const Micros taken_back = rng_.chance(0.3) ? wrong.time + 10'000'000 : told + between(2 * minute, 40 * minute);
    if (!settled(std::max(told, taken_back))) return false;
    const auto body = add_scan(wrong);
    tell_scan(body, told);
    tell_scan(body, taken_back, rng_.chance(0.5) ? 1 : 0, true);
    return true;
  }

  bool conflicting_duplicate() {
    const int i = partner() ? -1 : pick([](const Scan& s) { return s.spare && s.hub >= 0; });
    if (i < 0) return false;
    const Scan& scan = life_.scans[static_cast<std::size_t>(i)];
    const Micros second = scan.heard + between(1'000'000, 20 * minute);
    if (!settled(second)) return false;
    tell_scan(static_cast<std::size_t>(i), second, 0, false, 1);
    plant("conflicting_duplicate", "event", scan.number);
    return true;
  }

  bool missing_driver() {
    const auto stretch = last_stretch();
    if (!stretch) return false;
    life_.holdings.pop_back();
    for (const auto i : {stretch->out, stretch->delivered}) life_.scans[i].holder = nobody;
    if (rng_.chance(0.5)) {  // The dispatch names nobody; the scans do.
      life_.commands[stretch->command].driver = nobody;
      return true;
    }
    life_.commands[stretch->command].happened = false;  // No dispatch, and the scans name nobody.
    never_told(Telling::Of::command, stretch->command);
    for (const auto i : {stretch->out, stretch->delivered}) life_.scans[i].driver = nobody;
    return true;
  }

  bool unknown_driver() {
    const auto stretch = last_stretch();
    if (!stretch) return false;
    life_.commands[stretch->command].driver = life_.holdings[stretch->holding].driver = ghost;
    for (const auto i : {stretch->out, stretch->delivered}) life_.scans[i].driver = life_.scans[i].holder = ghost;
    const Micros record = life_.commands[stretch->command].heard + between(40 * minute, 20 * hour);
    if (rng_.chance(0.5) && settled(record)) {
      life_.ghost_heard = record;
      life_.tellings.push_back({.heard = record, .of = Telling::Of::ghost_record, .version = 1});
    }
    return true;
  }

  bool skipped_scan() {
    int pickup = -1, next = -1;
    for (std::size_t i = 0; i < life_.scans.size(); ++i) {
      if (life_.scans[i].status == Status::picked_up) pickup = static_cast<int>(i);
      if (next < 0 && life_.scans[i].status == Status::arrived_at_facility) next = static_cast<int>(i);
    }
    if (pickup < 0 || next < 0 || !settled(life_.scans[static_cast<std::size_t>(next)].heard)) return false;
    drop_scan(static_cast<std::size_t>(pickup) - 1);
    drop_scan(static_cast<std::size_t>(pickup));
    plant("invalid_transition", "event", life_.scans[static_cast<std::size_t>(next)].number);
    return true;
  }

  bool contradiction() {
    const Scan& last = life_.scans.back();
    if (last.status != Status::delivered) return false;
    Scan scan = last;
    scan.status = Status::arrived_at_facility;
    scan.hub = life_.destination;
    scan.driver = scan.holder = nobody;
    scan.time = last.time + rng_.between(60, 360) * minute;
    scan.heard = scan.time + between(1'000'000, 59'000'000);
    scan.number = extra_number;
    scan.taken = false;
    if (!settled(scan.heard)) return false;
    tell_scan(add_scan(scan), scan.heard);
    plant("invalid_transition", "event", scan.number);
    return true;
  }

  bool duplicate_shipment_id() {
    life_.rival_created_at = life_.created_at + between(hour, 6 * hour);
    const Micros heard = life_.rival_created_at + 2'000'000;
    if (!settled(heard)) return false;
    life_.tellings.push_back({.heard = heard, .of = Telling::Of::rival_order, .version = 1});
    plant("duplicate_shipment_id", "order", 2);
    return true;
  }

  bool orphan() {
    const Micros late = life_.born + between(2 * hour, 24 * hour);
    if (rng_.chance(0.5)) {
      never_told(Telling::Of::order, 0);
      life_.order_heard = none;
      return true;
    }
    if (!settled(late)) return false;
    telling_of(Telling::Of::order, 0).heard = life_.order_heard = late;
    return true;
  }

  bool driver_mismatch() {
    const int i = pick([](const Scan& s) {
      return s.holder >= 0 && (s.status == Status::delivered || s.status == Status::picked_up);
    });
    if (i < 0) return false;
    Scan& scan = life_.scans[static_cast<std::size_t>(i)];
    scan.driver = world_.colleague_of(scan.holder, rng_.next());
    plant("driver_mismatch", "event", scan.number);
    return true;
  }

  bool unassign_mismatch() {
    if (life_.holdings.empty()) return false;
    const Holding& holding = life_.holdings[rng_.below(life_.holdings.size())];
    Command command{.time = holding.from + minute,
                    .heard = holding.from + minute + between(1'000'000, 50'000'000),
                    .action = Action::unassign,
                    .driver = world_.colleague_of(holding.driver, rng_.next()),
                    .number = extra_number};
    if (!settled(command.heard)) return false;
    life_.commands.push_back(command);
    life_.tellings.push_back({.heard = command.heard,
                              .of = Telling::Of::command,
                              .body = static_cast<std::uint16_t>(life_.commands.size() - 1),
                              .version = 1});
    plant("unassign_mismatch", "command", command.number);
    return true;
  }

  bool late_command() {
    if (life_.commands.empty()) return false;
    const auto i = rng_.below(life_.commands.size());
    Command& command = life_.commands[i];
    const Micros heard = command.heard + between(20 * minute, 5 * hour);
    if (!settled(heard)) return false;
    for (auto& holding : life_.holdings) {
      if (holding.from == command.time) holding.from_heard = heard;
      if (holding.to == command.time) holding.to_heard = heard;
    }
    telling_of(Telling::Of::command, i).heard = command.heard = heard;
    return true;
  }

  bool corrected_command() {
    if (life_.commands.empty()) return false;
    const auto i = rng_.below(life_.commands.size());
    const Command right = life_.commands[i];
    const Micros corrected = right.heard + between(5 * minute, 2 * hour);
    if (right.action == Action::unassign || !settled(corrected)) return false;
    Command wrong = right;
    wrong.driver = world_.colleague_of(right.driver, rng_.next());
    wrong.time -= minute;
    wrong.happened = false;
    Telling& telling = telling_of(Telling::Of::command, i);
    telling.version = 2;
    telling.heard = corrected;
    life_.commands.push_back(wrong);
    life_.tellings.push_back({.heard = right.heard,
                              .of = Telling::Of::command,
                              .body = static_cast<std::uint16_t>(life_.commands.size() - 1),
                              .version = 1});
    return true;
  }

  bool future_event() {
    const int i = pick([](const Scan&) { return true; });
    if (i < 0) return false;
    Scan scan{.time = 0,
              .heard = life_.scans[static_cast<std::size_t>(i)].heard + 30'000'000,
              .status = Status::delivered,
              .number = extra_number,
              .happened = false};
    scan.time = scan.heard + between(10 * minute, 5 * hour);
    scan.time -= scan.time % us_per_second;
    if (!settled(scan.time)) return false;
    tell_scan(add_scan(scan), scan.heard);
    plant("future_event", "event", scan.number);
    return true;
  }

  bool negative_duration() {
    const int i = pick([](const Scan& s) { return s.status == Status::picked_up; });
    if (i < 0) return false;
    const Micros created_at = life_.scans[static_cast<std::size_t>(i)].time + between(20 * minute, hour);
    for (const Scan& s : life_.scans)
      if (s.status == Status::delivered && s.time <= created_at) return false;
    life_.created_at = created_at;
    plant("negative_duration", "event", life_.scans[static_cast<std::size_t>(i)].number);
    return true;
  }

  bool deleted_order() {
    const Micros heard = life_.born + between(hour, 48 * hour);
    if (!settled(heard)) return false;
    life_.deleted = true;
    life_.tellings.push_back({.heard = heard, .of = Telling::Of::order, .version = 2, .mark = true});
    return true;
  }

  bool beyond_horizon() {
    const int i = pick([](const Scan&) { return true; });
    if (i < 0) return false;
    Scan scan = life_.scans[static_cast<std::size_t>(i)];
    scan.number = extra_number;
    scan.happened = false;
    scan.time -= 200 * us_per_day;
    tell_scan(add_scan(scan), scan.heard);
    return true;
  }

  bool broken_line(std::uint64_t how) {
    const int i = partner() ? -1 : pick([](const Scan&) { return true; });
    if (i < 0) return false;
    life_.tellings.push_back({.heard = life_.scans[static_cast<std::size_t>(i)].heard + 15'000'000,
                              .of = Telling::Of::broken_scan,
                              .body = static_cast<std::uint16_t>(i),
                              .variant = static_cast<std::uint8_t>(how)});
    return true;
  }

  const SimOptions& options_;
  const World& world_;
  Life& life_;
  Rng& rng_;
};

}  // namespace

void make_mischief(const SimOptions& options, const World& world, Life& life, Rng& rng) {
  double draw = rng.unit();
  for (std::size_t i = 0; i < shipment_fault_count; ++i) {
    const auto fault = static_cast<Fault>(i);
    draw -= options.faults[fault];
    if (draw >= 0) continue;
    if (Mischief(options, world, life, rng).make(fault)) life.fault = fault;
    return;
  }
}

}  // namespace ff::sim
