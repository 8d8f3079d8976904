// Plays a world's files into a running Kafka and Postgres, now.
//
// Says each second how far it is on stderr, and at the end, on stdout, one line of JSON. Exit codes: 0 all told and acknowledged,
// 1 some was not, 2 called wrongly. Ctrl-C ends it in good order.
#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <thread>

#include "base/time.h"
#include "play/kafka_wire.h"
#include "play/postgres_wire.h"
#include "play/retelling.h"

namespace ff::play {
namespace {

volatile std::sig_atomic_t interrupted = 0;
constexpr int flush_ms = 120'000;  ///< what Kafka has for the last records

struct Options {
  std::string world, bootstrap = "127.0.0.1:19092", dsn = "host=127.0.0.1 port=15432 user=app dbname=app";
  std::string events_topic = "shipment_events", gps_topic = "gps_locations";
  Rate rate;
  double seconds = 0;
  bool quiet = false;
};

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

class Player {
 public:
  Player(const Options& options, World world, KafkaWire kafka, std::unique_ptr<PostgresWire> postgres)
      : options_(options),
        world_(std::move(world)),
        schedule_(options.rate),
        retelling_(schedule_),
        kafka_(std::move(kafka)),
        postgres_(std::move(postgres)) {}

  Result<int> play();

 private:
  Result<void> tell(const Line& line);
  void say(double seconds, std::uint64_t due) const;
  int summary(double seconds, double cpu, bool is_flushed);

  const Options& options_;
  World world_;
  Schedule schedule_;
  Retelling retelling_;
  KafkaWire kafka_;
  std::unique_ptr<PostgresWire> postgres_;
  std::array<std::uint64_t, feed_names.size()> told_ = {};
  std::uint64_t all_ = 0, no_row_ = 0, deletes_ = 0, behind_max_ = 0;
};

Result<void> Player::tell(const Line& line) {
  ++all_;
  if (line.feed == Feed::events || line.feed == Feed::gps) {
    const auto record = retelling_.record(line);
    FF_TRY(kafka_.send((line.feed == Feed::events ? options_.events_topic : options_.gps_topic).c_str(), record.key,
                       record.value));
  } else {
    auto row = retelling_.row(line);
    if (!row) return ++no_row_, Result<void>();  // A broken line: a table would never have taken it.
    if (member(line.text, "is_deleted") == "true")
      ++deletes_, postgres_->remove(line.feed, std::move(*row));
    else
      postgres_->put(line.feed, std::move(*row));
  }
  ++told_[static_cast<std::size_t>(line.feed)];
  return {};
}

Result<int> Player::play() {
  while (const auto line = world_.next()) schedule_.add(line->heard);
  world_.rewind();
  const auto start = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds();
  schedule_.start(now_micros());
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  double next_word = 1;
  while (all_ < schedule_.records() && !interrupted) {
    const double seconds = elapsed();
    if (options_.seconds > 0 && seconds >= options_.seconds) break;
    const std::uint64_t due =
        std::min(schedule_.records(), static_cast<std::uint64_t>(options_.rate.due_after(seconds)));
    if (seconds >= next_word) {
      behind_max_ = std::max(behind_max_, due - std::min(due, all_));
      if (!options_.quiet) say(seconds, due);
      next_word += 1;
    }
    for (int burst = 0; all_ < due && burst < 1000; ++burst) FF_TRY(tell(*world_.next()));
    kafka_.poll();
    if (all_ >= due) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const double seconds = elapsed();
  const bool is_flushed = kafka_.flush(flush_ms);
  postgres_->finish();
  return summary(seconds, cpu_seconds() - cpu, is_flushed);
}

void Player::say(double seconds, std::uint64_t due) const {
  std::fprintf(
      stderr, "%5.0f s  told %10llu  behind %7llu  acknowledged by Kafka %10llu  committed by Postgres %9llu\n",
      seconds, static_cast<unsigned long long>(all_), static_cast<unsigned long long>(due - std::min(due, all_)),
      static_cast<unsigned long long>(kafka_.acknowledged()), static_cast<unsigned long long>(postgres_->committed()));
}

int Player::summary(double seconds, double cpu, bool is_flushed) {
  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(R"({"seconds": %.3f, "records": %llu, "records_per_s": %.0f, "cpu_s": %.2f, "behind_max": %llu)", seconds,
              n(all_), static_cast<double>(all_) / seconds, cpu, n(behind_max_));
  for (std::size_t feed = 0; feed < feed_names.size(); ++feed)
    std::printf(R"(, "%s": %llu)", feed_names[feed].data(), n(told_[feed]));
  std::printf(
      R"(, "deletes": %llu, "no_row": %llu, "acknowledged": %llu, "failed": %llu, "transactions": %llu, "postgres_retries": %llu})"
      "\n",
      n(deletes_), n(no_row_), n(kafka_.acknowledged()), n(kafka_.failed()), n(postgres_->transactions()),
      n(postgres_->retries()));
  if (!is_flushed)
    std::fprintf(stderr, "live_player: of %llu records sent, Kafka has not acknowledged all within %d s of the last\n",
                 n(all_), flush_ms / 1000);
  if (kafka_.failed() != 0)
    std::fprintf(stderr, "live_player: %llu records were not taken by Kafka; the first: %s\n", n(kafka_.failed()),
                 kafka_.failure().c_str());
  if (!postgres_->failure().empty())
    std::fprintf(stderr, "live_player: Postgres was away for too long, not everything is in its tables: %s\n",
                 postgres_->failure().c_str());
  return is_flushed && kafka_.failed() == 0 && postgres_->failure().empty() ? 0 : 1;
}

Result<int> run(const Options& options) {
  World world = FF_TRY(World::open(options.world));
  KafkaWire kafka = FF_TRY(KafkaWire::open(options.bootstrap));
  auto postgres = FF_TRY(PostgresWire::open(options.dsn, std::chrono::milliseconds(50)));
  return Player(options, std::move(world), std::move(kafka), std::move(postgres)).play();
}

}  // namespace
}  // namespace ff::play

int main(int argc, char** argv) {
  ff::play::Options options;
  CLI::App app("Plays a world made by `fleetflow simulate` into Kafka and Postgres, now.");
  app.add_option("world", options.world, "the world's folder")->required();
  app.add_option("--bootstrap", options.bootstrap, "Kafka")->capture_default_str();
  app.add_option("--postgres", options.dsn, "Postgres, as libpq reads it")->capture_default_str();
  app.add_option("--rate", options.rate.base, "records a second, all feeds together")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--burst", options.rate.burst, "records a second in a burst")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--burst-seconds", options.rate.burst_seconds, "how long a burst lasts")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--period", options.rate.period_seconds, "a burst ends each so many seconds")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "stop after so many; 0: when the world ends")->capture_default_str();
  app.add_option("--events-topic", options.events_topic, "")->capture_default_str();
  app.add_option("--gps-topic", options.gps_topic, "")->capture_default_str();
  app.add_flag("--quiet", options.quiet, "only the summary");
  try {
    app.parse(argc, argv);
    if (options.rate.burst_seconds > options.rate.period_seconds)
      throw CLI::ValidationError("--burst-seconds", "longer than --period");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::signal(SIGINT, [](int) { ff::play::interrupted = 1; });
  std::signal(SIGTERM, [](int) { ff::play::interrupted = 1; });
  const auto done = ff::play::run(options);
  if (done.ok()) return done.value();
  std::fprintf(stderr, "live_player: %s\n(%s: %s)\n", done.error().message.c_str(),
               ff::name(done.error().recourse).data(), done.error().cause.c_str());
  return 1;
}
