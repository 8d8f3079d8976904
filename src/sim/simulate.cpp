#include "sim/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/feed_writer.h"
#include "sim/fleet.h"
#include "sim/life.h"
#include "sim/telling.h"
#include "sim/truth.h"

namespace ff::sim {
namespace {

constexpr std::uint64_t lines_per_slice = 200'000;

/// Time goes by in slices. A shipment on its way is remembered by its number alone, in the slice in which something of it
/// is heard next; there it is lived again, and what is heard in that slice is written.
class Simulation {
 public:
  explicit Simulation(const SimOptions& options)
      : options_(options),
        world_(options.seed, static_cast<double>(options.shipments) / options.days),
        truth_(options, world_),
        fleet_(options, world_, truth_),
        orders_(shape("orders")),
        drivers_(shape("drivers")),
        events_(shape("events")),
        assignments_(shape("assignments")),
        gps_(shape("gps")),
        partner_(shape("partner")) {
    // At full flow: as much is heard in a day as follows from a day's orders.
    const double per_hour = static_cast<double>(options.shipments) / (24.0 * options.days) *
                            (options.events_per_shipment + 7 + options.pings_per_shipment);
    slice_ =
        std::clamp<Micros>(static_cast<Micros>(lines_per_slice / per_hour * us_per_hour), us_per_minute, us_per_hour);
    waiting_.resize(static_cast<std::size_t>((options.end() - options.start + slice_ - 1) / slice_));
  }

  SimSummary run() {
    introduce_drivers();
    std::uint64_t next_birth = 0;
    const auto birth = [&](std::uint64_t i) {
      return birth_of(options_.seed, i, options_.shipments, options_.start, options_.days);
    };
    for (std::size_t slice = 0; slice < waiting_.size(); ++slice) {
      const Micros from = options_.start + static_cast<Micros>(slice) * slice_,
                   until = std::min(from + slice_, options_.end());
      for (const std::uint64_t index : waiting_[slice]) {
        live(options_, world_, index, life_);
        tell(from, until);
      }
      waiting_[slice] = {};
      for (; next_birth < options_.shipments && birth(next_birth) < until; ++next_birth) {
        live(options_, world_, next_birth, life_);
        truth_.record(life_);
        tell(from, until);
      }
      fleet_.drive(until, gps_);
      for (FeedWriter* feed : feeds()) feed->flush_slice();
    }
    return finish();
  }

 private:
  FeedWriter::Shape shape(const std::string& name) const {
    FeedWriter::Shape s{.folder = options_.out,
                        .name = name,
                        .lines_max = options_.file_lines_max,
                        .span = options_.file_hours * us_per_hour};
    if (name == "partner") s.suffix = "csv", s.header = partner_header;
    return s;
  }
  std::array<FeedWriter*, 6> feeds() { return {&orders_, &drivers_, &events_, &assignments_, &gps_, &partner_}; }

  /// Drivers are known a day before the first order.
  void introduce_drivers() {
    for (int d = 0; d < world_.driver_count(); ++d) {
      const auto number = static_cast<std::uint64_t>(d);
      const auto pii = personal_data(options_.seed, number);
      const Micros heard = options_.start - us_per_day + d * 1000LL;
      const auto hub = hubs[static_cast<std::size_t>(world_.driver_hub(d))].code;
      append_driver_record(drivers_.text(), world_.driver_id(d), hub, pii, 1, heard);
      drivers_.end_line(heard, number * 2);
      truth_.plant(pii);
      if (Rng(options_.seed, Kind::driver_record, ~number).chance(options_.faults[Fault::corrupt_driver])) {
        const auto other = personal_data(
            options_.seed, static_cast<std::uint64_t>(world_.driver_count()) + options_.shipments + number);
        std::string line;
        append_driver_record(line, world_.driver_id(d) + "X", hub, other, 1, heard);
        line.resize(line.rfind(",\"version\"") + 12);
        drivers_.text() += line;
        drivers_.end_line(heard, number * 2 + 1);
        truth_.plant(other);
        truth_.refused_line(Fault::corrupt_driver, "contract_violation", "", line);
      }
    }
    drivers_.flush_slice();
  }

  /// Writes what is heard of `life_` in [from, until), and puts it where more is heard.
  void tell(Micros from, Micros until) {
    Micros next = std::numeric_limits<Micros>::max();
    for (std::size_t i = 0; i < life_.tellings.size(); ++i) {
      const Telling& telling = life_.tellings[i];
      if (telling.heard >= until) next = std::min(next, telling.heard);
      if (telling.heard < from || telling.heard >= until) continue;
      const bool partner = telling.of == Telling::Of::scan && life_.is_partner(options_);
      FeedWriter& feed = partner ? partner_ : feed_of(telling.of);
      if (partner)
        append_partner_row(feed.text(), world_, life_, telling);
      else
        append_telling(feed.text(), world_, life_, telling);
      feed.end_line(telling.heard, life_.index << 8 | i);
    }
    if (next < options_.end())
      waiting_[static_cast<std::size_t>((next - options_.start) / slice_)].push_back(life_.index);
  }

  FeedWriter& feed_of(Telling::Of of) {
    switch (of) {
      case Telling::Of::order:
      case Telling::Of::rival_order:
        return orders_;
      case Telling::Of::command:
        return assignments_;
      case Telling::Of::ghost_record:
        return drivers_;
      default:
        return events_;
    }
  }

  /// What happens to files rather than records.
  void damage_files() {
    Rng rng(options_.seed, Kind::fault, ~std::uint64_t{0});
    if (rng.chance(options_.faults[Fault::cut_file]) && events_.lines() > 0) {
      live(options_, world_, 0, life_);
      std::string line;
      append_telling(line, world_, life_, {.heard = options_.end() - 1, .of = Telling::Of::scan});
      line.resize(line.size() / 2);
      events_.cut_short(line);
      truth_.refused_line(Fault::cut_file, "contract_violation", "", line);
    }
    if (rng.chance(options_.faults[Fault::empty_file])) {
      events_.add_empty_file();
      truth_.refused_line(Fault::empty_file, "contract_violation", "", "");
    }
  }

  SimSummary finish() {
    damage_files();
    SimSummary s{.orders = orders_.lines(),
                 .drivers = drivers_.lines(),
                 .events = events_.lines(),
                 .assignments = assignments_.lines(),
                 .pings = gps_.lines(),
                 .partner_rows = partner_.lines()};
    for (FeedWriter* feed : feeds()) {
      feed->close();
      s.bytes += feed->bytes();
      s.files += feed->files();
    }
    const auto gps = fleet_.expectation();
    const bool watched = !options_.contracts.empty() && gps.per_day_max > 0;
    if (!options_.contracts.empty()) write_contracts(watched ? &gps : nullptr);
    const Truth::Expectation expectation{gps.silent_after_min, gps.per_day_min, gps.per_day_max};
    truth_.finish(s, watched ? &expectation : nullptr);
    return s;
  }

  /// The contracts beside the feeds, that of GPS with what its feed tells in this world.
  void write_contracts(const Fleet::Expectation* gps) const {
    namespace fs = std::filesystem;
    const fs::path target = options_.out / "contracts";
    fs::copy(options_.contracts, target, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    if (!gps) return;
    std::stringstream text;
    text << std::ifstream(target / "gps.yaml").rdbuf();
    std::string contract = text.str();
    const std::string_view head = "\ncustomProperties:\n";
    const auto at = contract.find(head);
    if (at == std::string::npos) throw std::invalid_argument("--contracts: gps.yaml has no customProperties");
    contract.insert(at + head.size(), fmt::format("  - {{property: silentAfterMin, value: {}}}\n  - {{property: "
                                                  "recordsPerDay, value: {{min: {}, max: {}}}}}\n",
                                                  gps->silent_after_min, gps->per_day_min, gps->per_day_max));
    std::ofstream(target / "gps.yaml") << contract;
  }

  const SimOptions& options_;
  World world_;
  Truth truth_;
  Fleet fleet_;
  FeedWriter orders_, drivers_, events_, assignments_, gps_, partner_;
  Micros slice_ = 0;
  std::vector<std::vector<std::uint64_t>> waiting_;
  Life life_;
};

void prepare_folder(const SimOptions& options) {
  namespace fs = std::filesystem;
  fs::create_directories(options.out);
  static constexpr std::string_view ours[] = {"orders-", "drivers-", "events-", "assignments-", "gps-", "partner-"};
  for (const auto& entry : fs::directory_iterator(options.out)) {
    const auto file = entry.path().filename().string();
    for (const auto prefix : ours)
      if (file.starts_with(prefix) && entry.is_regular_file()) fs::remove(entry.path());
  }
  fs::remove_all(options.out / "truth");
  if (!options.contracts.empty()) fs::remove_all(options.out / "contracts");
  if (options.truth) fs::create_directories(options.out / "truth");
}

}  // namespace

SimSummary simulate(const SimOptions& options) {
  if (options.days < 1 || options.drain_h < 0 || options.shipments < 1 || options.events_per_shipment < 10 ||
      options.events_per_shipment > 100 || options.file_lines_max < 1 || options.file_hours < 1)
    throw std::invalid_argument(
        "days, shipments, file lines and hours must be at least 1, events per shipment 10 to 100");
  prepare_folder(options);
  return Simulation(options).run();
}

}  // namespace ff::sim
