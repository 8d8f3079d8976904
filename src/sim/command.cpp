#include "sim/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/simulate.h"

namespace ff::sim {
namespace {

std::string footer() {
  std::string text = "Faults and their default rates (--fault NAME=RATE, may be repeated):\n";
  for (const auto& f : fault_traits)
    text += fmt::format("  {:<22} {:<7} of each {:<9} {}\n", f.name, f.rate, f.per, f.what);
  text += "\nExit codes: 0 done, 1 a file could not be written, 2 wrong usage.";
  return text;
}

/// Null if `text` is not NAME=RATE.
std::optional<std::pair<Fault, double>> parse_fault(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return std::nullopt;
  const auto fault = fault_from_name(text.substr(0, equals));
  char* end = nullptr;
  const double rate = std::strtod(text.c_str() + equals + 1, &end);
  if (!fault || *end != '\0' || end == text.c_str() + equals + 1 || !(rate >= 0 && rate <= 1)) return std::nullopt;
  return std::pair{*fault, rate};
}

void apply_profile(const std::string& profile, SimOptions& options) {
  if (profile != "bench") return;
  // Every life to its end, and nothing to find: only copies and disorder.
  options.days = 1;
  options.drain_h = 24 * 20;
  options.shipments = 1'000'000;
  options.truth = false;
  options.faults = FaultRates::none();
  options.faults[Fault::duplicate] = 0.01;
  options.faults[Fault::reordered] = 0.05;
  options.file_hours = 24;
}

}  // namespace

int run_command(int argc, char** argv) {
  SimOptions options;
  std::string profile = "demo", start, out, contracts;
  // The profile gives the defaults that the other options change, so it is read first.
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--profile=bench" || (arg == "--profile" && i + 1 < argc && std::string_view(argv[i + 1]) == "bench"))
      apply_profile("bench", options);
  }
  CLI::App app{"Makes a logistics company's day from a seed: its feeds as files, and the truth about them.",
               "fleetflow simulate"};
  app.footer(footer());
  std::vector<std::string> faults;
  bool no_faults = false, no_truth = false;
  app.add_option("--out", out, "folder to write into; files of an earlier world in it are replaced")->required();
  app.add_option("--profile", profile,
                 "demo: two days, all faults; bench: 1M shipments to their ends, copies and disorder only, no truth")
      ->check(CLI::IsMember({"demo", "bench"}));
  app.add_option("--shipments", options.shipments, "orders in all")->capture_default_str();
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--start", start, "first day, UTC (2026-03-02)");
  app.add_option("--days", options.days, "days on which orders come")->capture_default_str();
  app.add_option("--drain-hours", options.drain_h,
                 "hours after these days during which lives go on; the truth is as of their end")
      ->capture_default_str();
  app.add_option("--events-per-shipment", options.events_per_shipment, "scans of a shipment, on average")
      ->capture_default_str();
  app.add_option("--pings-per-shipment", options.pings_per_shipment,
                 "GPS pings for each shipment, on average; 0: no GPS")
      ->capture_default_str();
  app.add_flag("--partner", options.partner, "carrier FALCON's scans come as partner-*.csv");
  app.add_option(
      "--contracts", contracts,
      "copy these contracts into the world, the one of GPS (gps.yaml) with how much this world's feed tells, so that a "
      "silence and an odd day can be found");
  app.add_option("--fault", faults, "NAME=RATE, see below");
  app.add_flag("--no-faults", no_faults, "all rates 0 (before --fault)");
  app.add_flag("--no-truth", no_truth, "don't write truth/");
  app.add_option("--file-lines", options.file_lines_max, "lines of a file, at most")->capture_default_str();
  app.add_option("--file-hours", options.file_hours, "a file holds at most so many hours")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (no_faults) options.faults = FaultRates::none();
  if (no_truth) options.truth = false;
  for (const auto& text : faults) {
    const auto fault = parse_fault(text);
    if (!fault)
      return fmt::print(stderr,
                        "simulate: --fault {}: expected NAME=RATE with a name of --help and a rate from 0 to 1\n",
                        text),
             2;
    options.faults[fault->first] = fault->second;
  }
  if (!start.empty()) {
    const auto midnight = parse_rfc3339(start + "T00:00:00Z");
    if (!midnight) return fmt::print(stderr, "simulate: --start {}: expected a date like 2026-03-02\n", start), 2;
    options.start = *midnight;
  }
  options.out = out;
  options.contracts = contracts;
  try {
    const auto began = std::chrono::steady_clock::now();
    const SimSummary s = simulate(options);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const auto lines = s.orders + s.drivers + s.events + s.assignments + s.pings + s.partner_rows;
    fmt::print(
        "{}: {} orders, {} drivers, {} events, {} partner rows, {} assignments, {} pings in {} files, {:.1f} MB\n", out,
        s.orders, s.drivers, s.events, s.partner_rows, s.assignments, s.pings, s.files,
        static_cast<double>(s.bytes) / 1e6);
    fmt::print("seed {}, as of {}, {} findings to be found; {:.1f} s, {:.0f} lines/s\n", options.seed,
               format_rfc3339(options.end()), s.findings, seconds, static_cast<double>(lines) / seconds);
    return 0;
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "simulate: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "simulate: {}\n", error.what());
    return 1;
  }
}

}  // namespace ff::sim
