#include "sim/life.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/mischief.h"
#include "sim/simulate.h"

namespace ff::sim {
namespace {

constexpr Micros second = us_per_second, minute = us_per_minute, hour = us_per_hour, day = us_per_day;

/// Tells the story forwards: each call happens after all before it.
class Teller {
 public:
  Teller(const SimOptions& options, const World& world, Life& life, Rng& rng)
      : options_(options), world_(world), life_(life), rng_(rng) {}

  void tell() {
    place_order();
    if (rng_.chance(0.004)) return cancel();
    pick_up();
    if (ended_) return;
    const Lane& lane = *lane_;
    for (int stop = 0; stop < lane.stops && !ended_; ++stop)
      haul(lane.via[static_cast<std::size_t>(stop)], stop, lane.stops + 1);
    if (!ended_) haul(lane.destination, lane.stops, lane.stops + 1);
    if (!ended_) hand_over();
  }

 private:
  /// A moment with the clock's grain of this shipment's scanners: seconds or milliseconds.
  Micros at(Micros earliest) {
    const Micros t = std::max(earliest, last_ + 2 * minute);
    last_ = t - t % (milliseconds_ ? 1000 : second);
    if (last_ < t) last_ += milliseconds_ ? 1000 : second;
    return last_;
  }
  Micros delay() { return rng_.between(1'000, 59'000) * 1000; }
  Micros within(Micros low, Micros high) { return rng_.between(low / second, high / second) * second; }

  Scan& scan(Status status, Micros earliest, int hub, int driver = nobody, Reason reason = Reason::none) {
    Scan s{.time = at(earliest),
           .status = status,
           .driver = driver,
           .hub = hub,
           .reason = reason,
           .number = ++events_,
           .holder = holder_};
    s.taken = status != Status::created && status != Status::exception;
    s.heard = s.time + delay();
    life_.scans.push_back(s);
    return life_.scans.back();
  }

  void command(Action action, int driver, Micros time) {
    life_.commands.push_back(
        {.time = time, .heard = time + delay(), .action = action, .driver = driver, .number = ++commands_});
  }

  void hold(int driver, Micros earliest) {
    const Micros t = at(earliest);
    close(t, 0);
    command(holder_ == nobody ? Action::assign : Action::reassign, driver, t);
    const Micros heard = life_.commands.back().heard;
    if (!life_.holdings.empty() && life_.holdings.back().to == t) life_.holdings.back().to_heard = heard;
    life_.holdings.push_back({.driver = driver, .from = t, .from_heard = heard});
    holder_ = driver;
  }

  void release(Micros earliest) {
    const Micros t = at(earliest);
    command(Action::unassign, rng_.chance(0.75) ? holder_ : nobody, t);
    close(t, life_.commands.back().heard);
    holder_ = nobody;
  }

  void close(Micros t, Micros heard) {
    if (holder_ != nobody) life_.holdings.back().to = t, life_.holdings.back().to_heard = heard;
  }

  void end(Status status, Micros earliest, int hub, int driver = nobody) {
    const Scan& s = scan(status, earliest, hub, driver);
    close(s.time, s.heard);
    holder_ = nobody;
    ended_ = true;
  }

  Crew local_crew(Micros t, int hub) {
    return local_time_of_day(t, hub) < 14 * hour ? Crew::local_early : Crew::local_late;
  }
  Crew line_crew(Micros t, int hub) {
    const Micros now = local_time_of_day(t, hub);
    return now >= 6 * hour && now < 18 * hour ? Crew::line_day : Crew::line_night;
  }

  void place_order() {
    life_.born = life_.created_at =
        birth_of(options_.seed, life_.index, options_.shipments, options_.start, options_.days);
    life_.order_heard = life_.born + rng_.between(500, 4'000) * 1000;
    life_.origin = static_cast<int>(rng_.below(hub_count));
    int draw = static_cast<int>(rng_.below(100));
    for (life_.service = 0; draw >= service_levels[static_cast<std::size_t>(life_.service)].share; ++life_.service)
      draw -= service_levels[static_cast<std::size_t>(life_.service)].share;
    const Micros clock = local_time_of_day(life_.born, life_.origin);
    if (life_.service == same_day && (clock < 7 * hour || clock > 13 * hour)) life_.service = express;
    lane_ = life_.service == same_day ? &world_.city_lane(life_.origin) : &world_.lane(life_.origin, rng_.next());
    life_.destination = lane_->destination;
    life_.carrier = lane_->carrier_choice[rng_.chance(0.7) ? 0 : 1];
    if (life_.is_partner(options_)) milliseconds_ = false;
    life_.customer = rng_.below(2'000);
    const auto& policy = service_levels[static_cast<std::size_t>(life_.service)];
    if (life_.service == express) {
      life_.promised_pickup_by = into_window(life_.born + 4 * hour, life_.origin, 10 * 60, 22 * 60);
      life_.promised_delivery_by = into_window(life_.born + 26 * hour, life_.destination, 18 * 60, 22 * 60);
    } else if (rng_.chance(0.6)) {
      life_.promised_pickup_by = life_.born + policy.pickup_within_h * hour;
      life_.promised_delivery_by =
          life_.born + policy.delivery_within_h * hour + (life_.service == same_day ? 0 : within(-6 * hour, 12 * hour));
    }
    last_ = life_.born;
    scan(Status::created, life_.born + 2 * minute, -1);
    spread_ = rng_.between(-4, 4);
  }

  void cancel() { end(Status::cancelled, life_.born + within(5 * minute, 90 * minute), -1); }

  void pick_up() {
    static constexpr std::array<std::pair<int, int>, 5> wait_min = {
        {{35, 60}, {30, 150}, {60, 420}, {120, 900}, {240, 1500}}};
    const auto [soonest, latest] = wait_min[static_cast<std::size_t>(life_.service)];
    const Micros ready = life_.born + within(soonest * minute, latest * minute);
    Micros pickup = into_window(ready, life_.origin, 7 * 60, 20 * 60);
    if (pickup != ready) pickup += within(0, 90 * minute);
    const int driver = world_.driver_of(life_.origin, local_crew(pickup, life_.origin), rng_.next());
    hold(driver, pickup - 30 * minute);
    scan(Status::assigned, 0, -1).spare = true;
    if (rng_.chance(0.008)) return end(Status::cancelled, last_ + within(5 * minute, 20 * minute), -1);
    scan(Status::arrived_at_pickup, pickup - within(4 * minute, 12 * minute), -1, driver);
    scan(Status::picked_up, pickup, -1, driver);
    arrive(life_.origin, last_ + within(25 * minute, 110 * minute));
  }

  void arrive(int hub, Micros earliest) {
    scan(Status::arrived_at_facility, earliest, hub, holder_ != nobody && rng_.chance(0.3) ? holder_ : nobody).spare =
        true;
    if (holder_ != nobody) release(0);
  }

  /// From the hub where it lies to `to`, over night or by day, with scans on the road.
  void haul(int to, int leg, int legs) {
    const int from = leg == 0 ? life_.origin : lane_->via[static_cast<std::size_t>(leg - 1)];
    static constexpr std::array<std::pair<int, int>, 5> dwell_min = {
        {{10, 25}, {45, 100}, {120, 420}, {600, 2400}, {900, 2900}}};
    const auto [least, most] = dwell_min[static_cast<std::size_t>(life_.service)];
    if (rng_.chance(0.008) && legs > 1) {
      scan(Status::customs_hold, last_ + 30 * minute, from).spare = true;
      last_ += within(4 * hour, 30 * hour);
    }
    const Micros depart = last_ + within(least * minute, most * minute);
    hold(world_.driver_of(from, line_crew(depart, from), rng_.next()), depart - 8 * minute);
    scan(Status::departed_facility, depart, from).spare = true;
    const double km = from == to ? 25 : distance_km(from, to) * 1.2;
    Micros road = static_cast<Micros>(km / (life_.service == express ? 420 : 78) * 3600) * second + 40 * minute;
    const bool trouble = rng_.chance(carriers[static_cast<std::size_t>(life_.carrier)].trouble);
    const Micros started = last_;
    if (trouble) {
      const bool damaged = rng_.chance(0.1);
      scan(Status::exception, last_ + within(10 * minute, 30 * minute), -1, nobody,
           damaged            ? Reason::damaged
           : rng_.chance(0.6) ? Reason::weather
                              : Reason::mechanical);
      if (!damaged) road += within(8 * hour, 60 * hour);
    }
    const auto wanted = options_.events_per_shipment - (7 + 2 * legs) + spread_;
    const int scans = static_cast<int>(std::max<std::int64_t>(0, wanted * (leg + 1) / legs - wanted * leg / legs));
    for (int i = 1; i <= scans; ++i) scan(Status::in_transit, started + road * i / (scans + 1), -1).spare = true;
    if (rng_.chance(0.002)) return end(Status::lost, last_ + within(24 * hour, 72 * hour), -1);
    arrive(to, started + road);
  }

  void hand_over() {
    const int hub = life_.destination;
    if (rng_.chance(0.03)) {  // The customer comes for it; the person at the counter is named, nobody was sent.
      scan(Status::available_for_pickup, last_ + 20 * minute, hub);
      const Micros t = into_window(last_ + within(2 * hour, 30 * hour), hub, 8 * 60, 20 * 60);
      end(Status::delivered, t, hub, world_.driver_of(hub, local_crew(t, hub), rng_.next()));
    }
    for (int attempt = 1; !ended_; ++attempt) {
      const Micros ready = last_ + 25 * minute;
      Micros wave = life_.service == same_day ? into_window(ready, hub, 7 * 60, 19 * 60) : next_wave(ready, hub);
      wave += within(0, 40 * minute);
      const int driver = world_.driver_of(hub, local_crew(wave, hub), rng_.next());
      if (rng_.chance(0.05)) hold(world_.colleague_of(driver, rng_.next()), wave - 18 * minute);
      hold(driver, wave - 12 * minute);
      scan(Status::out_for_delivery, wave, hub, driver);
      const Micros stop =
          last_ + (life_.service == same_day ? within(15 * minute, 120 * minute) : within(15 * minute, 300 * minute));
      if (!rng_.chance(0.06)) {
        end(Status::delivered, stop, -1, driver);
        break;
      }
      scan(Status::delivery_attempted, stop, -1, driver,
           rng_.chance(0.7) ? Reason::customer_unavailable : Reason::address_issue);
      arrive(hub, last_ + within(30 * minute, 150 * minute));
      if (attempt == 3) return send_back(hub);
    }
    if (rng_.chance(0.005)) {
      last_ += within(20 * hour, 60 * hour);
      send_back(hub);
    }
  }

  void send_back(int hub) {
    scan(Status::returning, last_ + within(hour, 5 * hour), hub);
    scan(Status::in_transit, last_ + within(2 * hour, 9 * hour), -1).taken = false;
    end(Status::returned, last_ + within(day, 2 * day), life_.origin);
  }

  /// Vans leave at eight, and at one for what came in the morning.
  Micros next_wave(Micros ready, int hub) {
    const Micros now = local_time_of_day(ready, hub), midnight = ready - now;
    if (now < 8 * hour) return midnight + 8 * hour;
    if (now < 13 * hour) return midnight + 13 * hour;
    return midnight + day + 8 * hour;
  }

  const SimOptions& options_;
  const World& world_;
  Life& life_;
  Rng& rng_;
  const Lane* lane_ = nullptr;
  Micros last_ = 0;
  int events_ = 0, commands_ = 0, holder_ = nobody;
  std::int64_t spread_ = 0;
  bool milliseconds_ = rng_.chance(1.0 / 3), ended_ = false;
};

/// Each thing that happened, told once.
void tell_plainly(Life& life) {
  life.tellings.push_back({.heard = life.order_heard, .of = Telling::Of::order, .version = 1});
  for (std::size_t i = 0; i < life.scans.size(); ++i)
    life.tellings.push_back(
        {.heard = life.scans[i].heard, .of = Telling::Of::scan, .body = static_cast<std::uint16_t>(i)});
  for (std::size_t i = 0; i < life.commands.size(); ++i)
    life.tellings.push_back({.heard = life.commands[i].heard,
                             .of = Telling::Of::command,
                             .body = static_cast<std::uint16_t>(i),
                             .version = 1});
}

/// Copies and small disorder: nothing follows from them, so they may happen to whatever is told.
void shuffle(const SimOptions& options, Life& life, Rng& rng) {
  const double reordered = options.faults[Fault::reordered], duplicate = options.faults[Fault::duplicate];
  if (reordered > 0 && !life.fault)
    for (auto& telling : life.tellings) {
      if (telling.of != Telling::Of::scan || !rng.chance(reordered)) continue;
      Scan& scan = life.scans[telling.body];
      const Micros heard = scan.time + rng.between(2 * minute / 1000, 14 * minute / 1000) * 1000;
      if (heard < options.end()) telling.heard = scan.heard = heard, ++life.reordered;
    }
  if (!life.fault && !life.is_partner(options))
    for (Scan& scan : life.scans)  // Some handsets number nothing.
      if (scan.status == Status::in_transit && rng.chance(0.01)) scan.number = 0;
  if (duplicate > 0)
    for (std::size_t i = 0, n = life.tellings.size(); i < n; ++i)
      if (rng.chance(duplicate)) {
        life.tellings.push_back(life.tellings[i]);
        life.tellings.back().heard += rng.between(500, 600'000) * 1000;
        life.copies += life.tellings.back().heard < options.end();
      }
}

}  // namespace

std::string_view name(Status status) {
  static constexpr std::string_view names[] = {"created",
                                               "assigned",
                                               "arrived_at_pickup",
                                               "picked_up",
                                               "arrived_at_facility",
                                               "customs_hold",
                                               "departed_facility",
                                               "in_transit",
                                               "available_for_pickup",
                                               "out_for_delivery",
                                               "delivery_attempted",
                                               "exception",
                                               "returning",
                                               "delivered",
                                               "returned",
                                               "cancelled",
                                               "lost"};
  return names[status];
}

std::string_view name(Reason reason) {
  static constexpr std::string_view names[] = {"",        "weather",       "mechanical",
                                               "damaged", "address_issue", "customer_unavailable"};
  return names[static_cast<int>(reason)];
}

bool Life::is_partner(const SimOptions& options) const { return options.partner && carrier == partner_carrier; }
std::string Life::shipment_id() const { return fmt::format("S{:09}", index); }
std::string Life::event_id(int number) const { return fmt::format("E{:09}-{:02}", index, number); }
std::string Life::assignment_id(int number) const { return fmt::format("A{:09}-{:02}", index, number); }
std::string Life::ghost_id() const { return fmt::format("G{:09}", index); }

void live(const SimOptions& options, const World& world, std::uint64_t index, Life& life) {
  life.scans.clear(), life.commands.clear(), life.holdings.clear(), life.tellings.clear(), life.findings.clear();
  life.index = index;
  life.promised_pickup_by = life.promised_delivery_by = life.ghost_heard = none;
  life.deleted = false;
  life.copies = life.reordered = 0;
  life.fault.reset();
  Rng story(options.seed, Kind::shipment, index);
  Teller(options, world, life, story).tell();
  tell_plainly(life);
  Rng chance(options.seed, Kind::fault, index);
  make_mischief(options, world, life, chance);
  shuffle(options, life, chance);
}

}  // namespace ff::sim
