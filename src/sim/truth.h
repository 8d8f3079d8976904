/// The ground truth, written while the world is made: what happened, and every finding that the planted faults must give.
///
/// Each life is recorded once, at its birth, as it will be known when the world ends (SimOptions::end): what is heard
/// after that counts for nothing. Memory: the deliveries by (day, carrier), and the holdings of at most 256 drivers.
#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/life.h"
#include "sim/simulate.h"

namespace ff::sim {

class Truth {
 public:
  /// Counts even if `options.truth` is false; writes only if it is true.
  Truth(const SimOptions& options, const World& world);
  Truth(const Truth&) = delete;
  Truth& operator=(const Truth&) = delete;
  ~Truth();

  void record(const Life& life);
  void ping_finding(Fault fault, std::string_view check, int driver, Micros time);
  /// A line that no decoder may accept: its finding is anchored on the hash of its bytes.
  void refused_line(Fault fault, std::string_view check, std::string_view subject, std::string_view line);
  void plant(const PersonalData& pii);
  /// A ping nobody has heard of before.
  void new_ping(Micros heard);
  void count(Fault fault, std::uint64_t n = 1) { injected_[static_cast<std::size_t>(fault)] += n; }

  /// Writes what can only be known now, and completes `summary`. `gps`: what the feed's contract says; null: nothing.
  struct Expectation {
    std::int64_t silent_after_min, per_day_min, per_day_max;
  };
  void finish(SimSummary& summary, const Expectation* gps);

 private:
  struct OnTime {
    std::uint64_t delivered = 0, on_time = 0, late = 0, early = 0, first_attempt = 0;
  };
  struct DriverDay {
    std::uint64_t deliveries = 0, attempts = 0;
    Micros assigned = 0;
  };
  struct Span {
    Micros from, to;
  };
  /// What has become of a life by the end.
  struct Outcome {
    bool heard_of = false;
    Status state = Status::created;
    std::string_view current_status, sla_status;
    Micros delivered_at = none, last_taken = none, promise = none;
    int attempts = 0;
  };
  Outcome outcome(const Life& life) const;
  void find(const Life& life);
  void finding(std::string_view check, std::string_view subject, std::string_view anchor, std::string_view driver = {});
  void record_drivers(const Life& life, const Outcome& outcome);
  bool is_sampled(int driver) const { return driver >= 0 && driver % sample_step_ == 0; }
  void write_driver_days();
  void find_in_the_feed(const Expectation& gps);
  void write_summary(const SimSummary& summary, const Expectation* gps) const;
  bool heard(Micros t) const { return t != none && t < options_.end(); }

  const SimOptions& options_;
  const World& world_;
  int sample_step_ = 1;
  std::FILE *findings_ = nullptr, *shipments_ = nullptr, *pii_ = nullptr;
  std::array<std::uint64_t, fault_count> injected_{};
  std::map<std::string, std::uint64_t, std::less<>> found_;
  struct Minute {
    Micros first, last;
    std::int64_t pings;
  };
  std::map<Micros, Minute> gps_minutes_;  ///< of pings, by when they were first heard
  std::map<std::pair<std::int64_t, int>, OnTime> on_time_;
  std::map<int, std::vector<Span>> held_;
  std::map<std::pair<int, std::int64_t>, DriverDay> driver_days_;
};

}  // namespace ff::sim
