// How fast a Postgres table comes in: by snapshot, and as changes. Decoding to facts only, no engine behind it.
//   build/release/bin/postgres_bench "host=127.0.0.1 port=5432 user=app dbname=app" [rows, 1,000,000] [connections, 2] [binary]
// Makes the tables of deploy/local/orders.sql anew in that database, fills them, reads them.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "contract/contract.h"
#include "source/postgres_connection.h"
#include "source/postgres_source.h"

namespace {
using namespace ff;
using Clock = std::chrono::steady_clock;

double cpu_s() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}
/// CPU seconds of another process on this machine, for the server's side; 0 if it is not there.
double cpu_s_of(const std::string& pid) {
  std::ifstream in("/proc/" + pid + "/stat");
  std::string word;
  double ticks = 0;
  for (int i = 1; i <= 15 && in >> word; ++i)
    if (i >= 14) ticks += std::stod(word);
  return ticks / 100;
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) std::fprintf(stderr, "%s\n", result.error().message.c_str()), std::exit(1);
  return std::move(result).value();
}

/// Polls until `done` records or the snapshot's end; how many came.
template <class F>
std::int64_t drain(PostgresSource& source, F done) {
  std::int64_t records = 0;
  for (bool ended = false; !ended;) {
    auto batch = must(source.poll(std::chrono::milliseconds(100)));
    if (!batch) continue;
    records += static_cast<std::int64_t>(batch->batch.records.size());
    ended = done(records, *batch);
    if (const auto told = source.confirm({{batch->partition, {batch->last_position, batch->resume}}}); !told.ok())
      std::exit(1);
  }
  return records;
}

void report(const char* what, std::int64_t records, Clock::time_point start, double cpu, double server_cpu) {
  const double wall = std::chrono::duration<double>(Clock::now() - start).count(), used = cpu_s() - cpu;
  rusage peak{};
  getrusage(RUSAGE_SELF, &peak);
  std::printf(
      "%-10s %9ld records  %6.2f s  %8.0f /s  %8.0f per CPU s here  %8.0f per CPU s of the server's  peak %ld MB\n",
      what, static_cast<long>(records), wall, static_cast<double>(records) / wall, static_cast<double>(records) / used,
      server_cpu > 0 ? static_cast<double>(records) / server_cpu : 0.0, peak.ru_maxrss / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "postgres_bench CONNINFO [ROWS] [CONNECTIONS] [binary]\n"), 2;
  const std::string conninfo = argv[1], rows = argc > 2 ? argv[2] : "1000000";
  std::vector<Contract> tables;
  for (const char* name : {"orders", "drivers", "driver_assignments"})
    tables.push_back(must(load_contract(std::string("deploy/local/contracts/") + name + ".yaml")));
  const ContractSet contracts(std::move(tables));
  const PseudonymKey key = PseudonymKey::demo();
  PgConnection sql = must(PgConnection::open(conninfo, PgMode::sql));
  std::ifstream file("deploy/local/orders.sql");
  const std::string schema{std::istreambuf_iterator<char>(file), {}};
  must(sql.query("select pg_drop_replication_slot('bench') from pg_replication_slots where slot_name = 'bench'"));
  must(sql.query("drop table if exists orders, drivers, driver_assignments; drop publication if exists fleetflow"));
  must(sql.query(schema));
  must(sql.query(
      "insert into orders select 'R' || i, 'S' || i, 'C' || i % 1000, 'CARRIER' || i % 5, 'standard', 'HUB' || i % 40, "
      "'HUB' || i % 37, now() - i * interval '1 s', null, now() + interval '2 d' from generate_series(1, " +
      rows + ") i"));
  must(sql.query("analyze orders"));
  must(sql.query("checkpoint"));

  PostgresOptions options{.name = "bench", .conninfo = conninfo, .slot = "bench", .publication = "fleetflow"};
  options.snapshot_connections = argc > 3 ? std::atoi(argv[3]) : 2;
  options.binary = argc > 4;
  options.spill_directory = "/tmp";
  Partitions partitions;
  Clock::time_point start = Clock::now();
  double cpu = cpu_s();
  const auto source = must(PostgresSource::start(
      contracts, key, options, [](const std::string&) -> Result<Mark> { return Mark{}; }, partitions));
  std::int64_t read =
      drain(*source, [&](std::int64_t, const SourceBatch& batch) { return batch.resume.ends_with("complete"); });
  report("snapshot", read, start, cpu, 0);

  for (const char* what : {"updates", "inserts", "deletes"}) {
    PgRows sender;
    for (int i = 0; i < 100 && (sender.empty() || !sender[0][0]); ++i)
      sender = must(sql.query("select active_pid from pg_replication_slots where slot_name = 'bench'"));
    const std::string pid = sender[0][0].value_or("0");
    const double before = cpu_s_of(pid);
    // In transactions of 1000, and the clock runs from the last commit on: what is measured is reading, not writing.
    const std::string statement = what[0] == 'u'
                                      ? "update orders set destination_hub = 'HUB0' where order_ref = 'R' || i"
                                  : what[0] == 'i' ? "insert into orders select 'N' || i, 'T' || i, 'C', 'CARRIER', "
                                                     "'standard', 'HUB1', 'HUB2', now(), null, null"
                                                   : "delete from orders where order_ref = 'N' || i";
    start = Clock::now();
    cpu = cpu_s();
    must(sql.query("do $$ begin for i in 1.." + rows + " loop " + statement +
                   "; if i % 1000 = 0 then commit; end if; end loop; end $$"));
    const auto written = Clock::now();
    const std::int64_t wanted = std::atol(rows.c_str());
    read = drain(*source, [&](std::int64_t records, const SourceBatch&) { return records >= wanted; });
    std::printf("written in %.2f s; ", std::chrono::duration<double>(written - start).count());
    report(what, read, written, cpu, cpu_s_of(pid) - before);
  }
}
