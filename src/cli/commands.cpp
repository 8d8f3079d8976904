#include "cli/commands.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/crash_point.h"
#include "base/time.h"
#include "cli/check.h"
#include "cli/compare.h"
#include "cli/iceberg_library.h"
#include "cli/publish.h"
#include "cli/query.h"
#include "cli/serve.h"
#include "cli/show.h"
#include "cli/stop_signals.h"
#include "engine/engine.h"
#include "lake/export.h"
#include "lake/schema.h"
#include "ops/metric_list.h"
#include "report/report.h"
#include "sim/command.h"

namespace ff::cli {
namespace {
namespace fs = std::filesystem;

/// Where models/, reference/ and contracts/ are: FLEETFLOW_HOME, else the nearest folder above the program that has them.
std::string home() {
  if (const char* set = std::getenv("FLEETFLOW_HOME")) return set;
  std::error_code error;
  for (fs::path at = fs::read_symlink("/proc/self/exe", error).parent_path(); at.has_relative_path();
       at = at.parent_path())
    if (fs::is_directory(at / "models") && fs::is_directory(at / "reference")) return at.string();
  return ".";
}

int fail(const Error& error) {
  std::cerr << "fleetflow: " << error.message << "\n  (" << name(error.recourse) << ": " << error.cause << ")\n";
  return exit_of(error);
}

struct RunCommand {
  EngineOptions options;
  std::string as_of, config;
  bool quiet = false, profile = false, check = false;

  void add_to(CLI::App& app) {
    auto* c =
        app.add_subcommand("run",
                           "Read what is new in a folder, bring core and curated tables up to date, and stop; with "
                           "--config: serve, from folders and live sources, until told to stop");
    auto* input = c->add_option("--input", options.input, "Folder of data files");
    auto* lake = c->add_option("--lake", options.directory, "Folder of the lake (made if absent)");
    auto* file = c->add_option("--config", config, "Serve as this file says (docs/configuration.md)");
    c->add_flag("--check", check, "With --config: say what would run, and stop")->needs(file);
    file->excludes(input)->excludes(lake);
    c->add_option("--contracts", options.contracts,
                  "Folder of contracts (default: INPUT/contracts, else the product's)");
    c->add_option(
        "--as-of", as_of,
        "Judge deadlines at this moment (RFC 3339) and read nothing heard of later (default: the newest ingest_time)");
    c->add_option("--reporting-zone", options.reporting_zone,
                  "IANA zone whose days the reports use (default: the contracts' own, else UTC)");
    c->add_option("--batch-records", options.batch_records, "Records in one commit, at most about")
        ->capture_default_str();
    c->add_option(
         "--curate-every", options.curate_every_s,
         "Seconds: while full batches wait, curated tables follow core this often (more rarely if a cycle takes more "
         "than a fifth of it), with less to do sooner; 0: with each commit")
        ->capture_default_str();
    c->add_option("--state-days", options.state_days,
                  "Days after its last fact for which a thing's keyed state stays at hand; later it is read from raw.*")
        ->check(CLI::Range(0, 36'500))
        ->capture_default_str();
    c->add_option("--memory-limit", options.lake.memory_limit, "DuckDB's share of memory")->capture_default_str();
    c->add_option("--threads", options.lake.threads, "DuckDB's threads")->capture_default_str();
    c->add_option("--lake-attach", options.lake.attach,
                  "Instead of a file: the ATTACH statement of an Iceberg catalog, named lake");
    c->add_option("--lake-prepare", options.lake.prepare, "Statements before it: LOAD, CREATE SECRET (repeatable)");
    c->add_flag("--quiet", quiet, "No progress");
    c->add_flag("--profile", profile, "Print where the time went");
  }

  int serve_or_check(char** argv) const {
    const auto loaded = load_config(config);
    if (!loaded.ok()) return fail(loaded.error());
    if (const auto ready = use_library_for(loaded.value().engine.lake, argv); !ready.ok()) return fail(ready.error());
    const StopSignals signals;  // before any other thread
    const auto done = check ? check_service(loaded.value(), home()) : serve(loaded.value(), home(), signals.token());
    return done.ok() ? exit_ok : fail(done.error());
  }

  int run(char** argv) {
    if (!config.empty()) return serve_or_check(argv);
    if (options.input.empty() || options.directory.empty())
      return std::cerr << "fleetflow: run needs --input and --lake, or --config\n", exit_usage;
    if (const auto ready = use_library_for(options.lake, argv); !ready.ok()) return fail(ready.error());
    options.home = home();
    if (!as_of.empty()) {
      const auto at = parse_rfc3339(as_of);
      if (!at)
        return std::cerr << "fleetflow: --as-of '" << as_of
                         << "' is no RFC 3339 time; write it like 2026-03-02T08:00:00Z\n",
               exit_usage;
      options.as_of = *at;
    }
    auto engine = Engine::open(options);
    if (!engine.ok()) return fail(engine.error());
    const Micros start = now_micros();
    const bool terminal = isatty(STDERR_FILENO);
    const auto progress = [&](const RunStats& s) {
      if (quiet) return;
      const double seconds = static_cast<double>(now_micros() - start) / 1e6;
      std::fprintf(stderr, "%s%lld facts, %lld refused, %lld commits, as of %s, %.0f facts/s%s",
                   terminal ? "\r\033[K" : "", static_cast<long long>(s.facts), static_cast<long long>(s.refused),
                   static_cast<long long>(s.commits), s.as_of == none ? "-" : format_rfc3339(s.as_of).c_str(),
                   static_cast<double>(s.facts) / std::max(seconds, 0.001), terminal ? "" : "\n");
    };
    const auto stats = engine.value()->run(progress);
    if (!quiet && terminal) std::fprintf(stderr, "\n");
    if (!stats.ok()) return fail(stats.error());
    if (profile)
      for (const auto& [stage, us] : stats.value().stage_us)
        std::printf("%-28s %10.3f s\n", stage.c_str(), static_cast<double>(us) / 1e6);
    return exit_ok;
  }
};

struct PublishCommand {
  std::string config, source, table;
  PgSnapshotRequest request;
  CLI::App *publish = nullptr, *snapshot = nullptr;

  void add_to(CLI::App& app) {
    publish = app.add_subcommand(
        "publish",
        "Put the changes of a Postgres database, or the records of a topic by new keys, onto topics of Kafka, "
        "until told to stop");
    publish->add_option("--config", config, "What, and where to (docs/kafka.md)")->required();
    snapshot = app.add_subcommand(
        "snapshot", "Have a table, or a range of its keys, read once more by the service that follows it");
    snapshot->add_option("--config", config, "The service's")->required();
    snapshot->add_option("--source", source, "Its postgres source, where there are several");
    snapshot->add_option("--table", table, "SCHEMA.TABLE; without a schema: public")->required();
    auto* column = snapshot->add_option("--column", request.column, "Only rows with FROM <= COLUMN < TO");
    snapshot->add_option("--from", request.from, "The first value")->needs(column);
    snapshot->add_option("--to", request.to, "The value behind the last")->needs(column);
  }

  int run() {
    const StopSignals signals;  // before any other thread
    const auto loaded = load_config(config);
    if (!loaded.ok()) return fail(loaded.error());
    if (publish->parsed()) {
      const auto done = publish_service(loaded.value(), home(), signals.token());
      return done.ok() ? exit_ok : fail(done.error());
    }
    const std::size_t dot = table.find('.');
    request.schema = dot == std::string::npos ? "public" : table.substr(0, dot);
    request.table = table.substr(dot == std::string::npos ? 0 : dot + 1);
    const auto lsn = request_snapshot(loaded.value(), home(), source, request);
    if (!lsn.ok()) return fail(lsn.error());
    std::cout << "asked for at " << lsn.value() << "\n";
    return exit_ok;
  }
};

Result<void> print_report(Lake& lake, const std::string& html) {
  const Report report = FF_TRY(ask_report(lake));
  if (html.empty()) return std::cout << report_text(report), Result<void>();
  std::ofstream file(html, std::ios::binary);
  file << report_html(report) << std::flush;
  if (!file) return Error{Recourse::retry, "report_unwritable", "cannot write " + html + "; choose another --html"};
  return {};
}

}  // namespace

int run(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "simulate") return sim::run_command(argc - 1, argv + 1);
  CLI::App app{"FleetFlow: what happened to every shipment, right and seconds old"};
  app.require_subcommand(1);
  app.footer(
      "fleetflow simulate --help: a world to try it on. Exit codes: 0 done, 1 a comparison differs, 2 called wrongly, "
      "4 halted, 5 try again.");
  RunCommand run_command;
  run_command.add_to(app);
  PublishCommand publish_command;
  publish_command.add_to(app);

  std::string lake, sql, format = "table", out, id, html, other;
  auto* query = app.add_subcommand("query", "Ask a lake in SQL, read-only");
  query->add_option("sql", sql, "One SELECT")->required();
  query->add_option("--lake", lake, "Folder of the lake")->envname("FLEETFLOW_LAKE")->required();
  query->add_option("--format", format, "table, csv or json")
      ->check(CLI::IsMember({"table", "csv", "json"}))
      ->capture_default_str();
  auto* exported =
      app.add_subcommand("export", "Write core, curated and ops tables as Parquet, for notebooks, dbt, Spark");
  exported->add_option("--lake", lake, "Folder of the lake")->envname("FLEETFLOW_LAKE")->required();
  exported->add_option("--out", out, "Folder to write: OUT/core/shipments.parquet and so on; replaced as a whole")
      ->required();
  auto* show = app.add_subcommand("show", "One thing's whole story");
  show->require_subcommand(1);
  auto* shipment = show->add_subcommand(
      "shipment", "A shipment's history: what was taken or refused and why, who had it, what was found");
  shipment->add_option("id", id, "The shipment_id")->required();
  shipment->add_option("--lake", lake, "Folder of the lake")->envname("FLEETFLOW_LAKE")->required();
  auto* report = app.add_subcommand("report", "On-time, promises, utilization, exceptions and data quality of a lake");
  report->add_option("--lake", lake, "Folder of the lake")->envname("FLEETFLOW_LAKE")->required();
  report->add_option("--html", html, "Write one self-contained page with charts here instead");
  auto* compared = app.add_subcommand(
      "compare", "Do two lakes say the same? Core, curated and findings, row for row; exit 1 if not");
  compared->add_option("first", lake, "Folder of a lake")->required();
  compared->add_option("second", other, "Folder of another")->required();
  std::string input, contracts;
  auto* check = app.add_subcommand(
      "check", "Read a folder by its contracts and say what would be accepted or refused, and why; writes nothing");
  check->add_option("--input", input, "Folder of data files")->required();
  check->add_option("--contracts", contracts, "Folder of contracts (default: INPUT/contracts, else the product's)");
  auto* points =
      app.add_subcommand("crash-points", "List the places at which FLEETFLOW_CRASH_AT may kill a run, for tests");
  auto* metrics = app.add_subcommand("metrics", "List the service's metrics: the page docs/metrics.md");
  auto* driver =
      app.add_subcommand("driver-key", "The pseudonym of a driver id under the configured key, generation 0");
  std::string name_space;
  std::vector<std::string> ids;
  driver->add_option("namespace", name_space, "The contract's driver namespace")->required();
  driver->add_option("id", ids, "The source's driver ids; each one's key on a line of its own")->required();
  app.add_subcommand("simulate", "Make a world of facts with known faults (fleetflow simulate --help)");

  CLI11_PARSE(app, argc, argv);
  if (app.got_subcommand("run")) return run_command.run(argv);
  if (publish_command.publish->parsed() || publish_command.snapshot->parsed()) return publish_command.run();
  if (check->parsed()) {
    if (contracts.empty())
      contracts = fs::is_directory(input + "/contracts") ? input + "/contracts" : home() + "/contracts";
    const auto set = ContractSet::load(contracts);
    if (!set.ok()) return fail(set.error());
    const auto checked = check_folder(input, set.value());
    return checked.ok() ? exit_ok : fail(checked.error());
  }
  if (points->parsed()) {
    for (const auto point : crash_points) std::cout << point << "\n";
    return exit_ok;
  }
  if (metrics->parsed()) return std::cout << ops::metric_page(), exit_ok;
  if (driver->parsed()) {
    const auto key = PseudonymKey::from_environment();
    if (!key.ok()) return fail(key.error());
    for (const std::string& each : ids) std::cout << key.value().driver_key(name_space, each, 0) << "\n";
    return exit_ok;
  }
  if (!fs::exists(lake + "/lake.duckdb"))
    return std::cerr << "fleetflow: there is no lake in " << lake << "; `fleetflow run --lake " << lake
                     << " ...` makes one\n",
           exit_usage;
  auto opened = Lake::open_to_read(lake);
  if (!opened.ok()) return fail(opened.error());
  if (compared->parsed()) {
    if (!fs::exists(other + "/lake.duckdb"))
      return std::cerr << "fleetflow: there is no lake in " << other << "\n", exit_usage;
    const auto same = compare(*opened.value(), other);
    return same.ok() ? same.value() ? exit_ok : exit_differs : fail(same.error());
  }
  Result<void> done;
  if (query->parsed())
    done = print_query(*opened.value(), sql, format);
  else if (exported->parsed())
    done = export_parquet(*opened.value(), out);
  else if (report->parsed())
    done = print_report(*opened.value(), html);
  else
    done = show_shipment(*opened.value(), id);
  return done.ok() ? exit_ok : fail(done.error());
}

}  // namespace ff::cli
