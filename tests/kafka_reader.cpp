// A KafkaSource with a lake of lines of text, for tests/kafka: what was read is appended together with its marks, so that
// a check can see whether every record is in exactly once. Several of these may run on one lake, as workers do.
//   kafka_reader brokers=HOST:PORT group=G contracts=FOLDER [lake=FILE] [records=N] [idle_ms=N] [commit_ms=N] [stall_ms=N]
//                [shared=1] [registry=URL] [queue_bytes=N] [property.NAME=VALUE]... [sasl=MECHANISM user=U password=P] [behind.PARTITION=N]
// A line of the lake: `R partition position outcome id ingest_time headers`, `M partition position resume`, `C` ends a commit.
// shared: as a worker that is told what comes to it, `TAKEN partition`.
// Ends after `records`, or after `idle_ms` without any; without both it runs until it is killed. SIGTERM ends it in order.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "source/kafka_source.h"

namespace {

using Clock = std::chrono::steady_clock;
volatile std::sig_atomic_t must_end = 0;

/// The words of the command line, `name=value`.
struct Words {
  std::map<std::string, std::string> all;
  std::string text(const std::string& name, const std::string& otherwise = "") const {
    const auto at = all.find(name);
    return at == all.end() ? otherwise : at->second;
  }
  std::int64_t number(const std::string& name, std::int64_t otherwise) const {
    const auto at = all.find(name);
    return at == all.end() ? otherwise : std::atoll(at->second.c_str());
  }
};

/// Marks and records in one file; a commit is whole or cut off by whoever comes next.
class Lake {
 public:
  explicit Lake(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND, 0600)) {
    FF_CHECK(file_ >= 0);
  }

  ff::Mark mark_of(const std::string& partition) {
    const std::lock_guard lock(mutex_);
    const Locked locked(file_);
    catch_up();
    return marks_[partition];
  }

  /// Appends what lies behind the marks that are in the file now: others may have written since.
  void commit(const ff::Partitions& partitions, const std::map<std::uint32_t, std::vector<ff::SourceBatch>>& batches) {
    const std::lock_guard lock(mutex_);
    const Locked locked(file_);
    catch_up();
    std::string text;
    for (const auto& [id, list] : batches) {
      if (list.empty()) continue;
      const std::string name = partitions.name_of(id);
      ff::Mark& mark = marks_[name];
      if (mark.position < list.front().after) {
        std::printf("GAP BUG %s: the lake is at %lld, the batch begins behind %lld\n", name.c_str(),
                    static_cast<long long>(mark.position), static_cast<long long>(list.front().after));
        std::exit(3);
      }
      for (const ff::SourceBatch& batch : list) {
        for (const ff::Decoded& d : batch.batch.records)
          if (const ff::Provenance from = d.fact() ? d.fact()->from : d.refusal()->from; from.position > mark.position)
            text += line(name, from, d);
        if (batch.last_position > mark.position) mark = {batch.last_position, batch.resume};
      }
      text += "M " + name + " " + std::to_string(mark.position) + " " + mark.resume + "\n";
    }
    if (text.empty()) return;
    text += "C\n";
    FF_CHECK(::write(file_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    read_ += static_cast<off_t>(text.size());
  }

 private:
  struct Locked {
    explicit Locked(int f) : file(f) { FF_CHECK(::flock(file, LOCK_EX) == 0); }
    ~Locked() { ::flock(file, LOCK_UN); }
    int file;
  };

  static std::string line(const std::string& partition, const ff::Provenance& from, const ff::Decoded& d) {
    std::string id = d.refusal() ? "-" : "";
    if (const ff::Fact* fact = d.fact())
      if (const auto* event = std::get_if<ff::ShipmentEventFact>(&fact->body)) id = event->event_id;
    return "R " + partition + " " + std::to_string(from.position) + " " + (d.fact() ? "fact" : d.refusal()->reason) +
           " " + id + " " + std::to_string(from.ingest_time) + " " + std::string(d.headers) + "\n";
  }

  void catch_up() {
    std::string text;
    char buffer[1 << 16];
    off_t at = read_;
    for (ssize_t n; (n = ::pread(file_, buffer, sizeof buffer, at)) > 0; at += n)
      text.append(buffer, static_cast<std::size_t>(n));
    const std::size_t end = text.rfind("\nC\n");
    const std::size_t whole = end == std::string::npos ? 0 : end + 3;
    if (whole < text.size()) FF_CHECK(::ftruncate(file_, read_ + static_cast<off_t>(whole)) == 0);
    for (std::size_t from = 0; from < whole;) {
      const std::size_t newline = text.find('\n', from);
      if (text[from] == 'M') {
        const std::string one = text.substr(from + 2, newline - from - 2);
        const std::size_t a = one.find(' '), b = one.find(' ', a + 1);
        marks_[one.substr(0, a)] = {std::atoll(one.c_str() + a), one.substr(b + 1)};
      }
      from = newline + 1;
    }
    read_ += static_cast<off_t>(whole);
  }

  int file_;
  off_t read_ = 0;
  std::mutex mutex_;
  std::map<std::string, ff::Mark> marks_;
};

/// What was handed out and is not in the lake.
struct Uncommitted {
  std::mutex mutex;  ///< held through a commit: a partition is not given up in the middle of one
  std::map<std::uint32_t, std::vector<ff::SourceBatch>> batches;
  std::map<std::uint32_t, std::int64_t> position;  ///< of what came last, by partition that is ours
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto s = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  return s(usage.ru_utime) + s(usage.ru_stime);
}

long rss_kb() {
  long total = 0, resident = 0;
  if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
    FF_CHECK(std::fscanf(f, "%ld %ld", &total, &resident) == 2);
    std::fclose(f);
  }
  return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGTERM, [](int) { must_end = 1; });
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Words words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    words.all[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
  }
  auto contracts = ff::ContractSet::load(words.text("contracts"));
  if (!contracts.ok())
    return std::printf("ERROR halt %s %s\n", contracts.error().cause.c_str(), contracts.error().message.c_str()), 4;

  std::unique_ptr<Lake> lake;
  if (words.all.count("lake")) lake = std::make_unique<Lake>(words.text("lake"));
  Uncommitted open;
  ff::Partitions partitions;
  ff::KafkaOptions options;
  options.cluster.brokers = words.text("brokers");
  options.group = words.text("group");
  options.registry_url = words.text("registry");
  options.registry_user = words.text("registry_user");
  options.registry_password = words.text("registry_password");
  options.registry_ca = words.text("registry_ca");
  options.queue_bytes_max = words.number("queue_bytes", options.queue_bytes_max);
  options.fetch_bytes_max = words.number("fetch_bytes", options.fetch_bytes_max);
  options.stats_interval_ms = 500;
  options.cluster.sasl_mechanism = words.text("sasl");
  options.cluster.sasl_username = words.text("user");
  options.cluster.sasl_password = words.text("password");
  options.cluster.tls = words.all.count("tls") > 0;
  options.cluster.tls_ca = words.text("ca");
  options.cluster.tls_certificate = words.text("certificate");
  options.cluster.tls_key = words.text("key");
  if (words.all.count("token"))  // a file: when it expires, and the token
    options.cluster.token = [&]() -> ff::Result<ff::KafkaToken> {
      ff::KafkaToken token{"", words.text("user")};
      std::ifstream(words.text("token")) >> token.expires_at_ms >> token.token;
      std::printf("TOKEN until %lld\n", static_cast<long long>(token.expires_at_ms));
      return token;
    };
  options.cluster.log = [](int level, const std::string& text) {
    std::fprintf(stderr, "librdkafka %d %s\n", level, text.c_str());
  };
  for (const auto& [name, value] : words.all) {
    if (name.rfind("property.", 0) == 0) options.cluster.properties[name.substr(9)] = value;
    if (name.rfind("behind.", 0) == 0) options.go_on_behind[name.substr(7)] = std::atoll(value.c_str());
  }
  if (words.all.count("shared"))
    options.on_assigned = [](const std::vector<std::string>& names) -> ff::Result<void> {
      for (const std::string& name : names) std::printf("TAKEN %s\n", name.c_str());
      return {};
    };
  options.on_revoked = [&](const std::vector<std::string>& names) {
    const std::lock_guard lock(open.mutex);
    for (const std::string& name : names) {
      open.batches.erase(partitions.id_of(name));
      open.position.erase(partitions.id_of(name));
      std::printf("REVOKED %s\n", name.c_str());
    }
  };
  const ff::MarkOf mark_of = [&](const std::string& name) -> ff::Result<ff::Mark> {
    const ff::Mark mark = lake ? lake->mark_of(name) : ff::Mark{};
    const std::lock_guard lock(open.mutex);
    open.position[partitions.id_of(name)] = mark.position;
    std::printf("BEGIN %s %lld\n", name.c_str(), static_cast<long long>(mark.position));
    return mark;
  };
  auto started = ff::KafkaSource::start(contracts.value(), ff::PseudonymKey::demo(), partitions, mark_of, options);
  if (!started.ok())
    return std::printf("ERROR %s %s %s\n", std::string(ff::name(started.error().recourse)).c_str(),
                       started.error().cause.c_str(), started.error().message.c_str()),
           4;
  ff::KafkaSource& source = *started.value();

  const std::int64_t records_max = words.number("records", INT64_MAX), idle_ms = words.number("idle_ms", 0);
  const auto commit_every = std::chrono::milliseconds(words.number("commit_ms", 200));
  std::int64_t records = 0, batches = 0, retries = 0;
  std::set<std::string> retried;
  auto last_record = Clock::now(), last_commit = Clock::now();
  Clock::time_point first_record;
  double first_cpu = 0;
  int code = 0;
  const auto commit = [&] {
    const std::lock_guard lock(open.mutex);
    std::vector<ff::Progress> done;
    if (lake) lake->commit(partitions, open.batches);
    for (auto& [id, list] : open.batches)
      if (!list.empty()) {
        done.push_back({id, {list.back().last_position, list.back().resume}});
        list.clear();
      }
    (void)source.confirm(done).ok();
    last_commit = Clock::now();
  };
  while (!must_end && records < records_max) {
    auto batch = source.poll(std::chrono::milliseconds(100));
    if (!batch.ok()) {
      const ff::Error& e = batch.error();
      ++retries;
      if (retried.insert(e.cause).second || e.recourse == ff::Recourse::halt)
        std::printf("ERROR %s %s %s\n", std::string(ff::name(e.recourse)).c_str(), e.cause.c_str(), e.message.c_str());
      if (e.recourse == ff::Recourse::halt) {
        code = 4;
        break;
      }
    } else if (batch.value()) {
      const std::lock_guard lock(open.mutex);
      ff::SourceBatch b = std::move(*batch.value());
      if (records == 0) first_record = Clock::now(), first_cpu = cpu_seconds();
      records += static_cast<std::int64_t>(b.batch.records.size());
      ++batches;
      last_record = Clock::now();
      const auto position = open.position.find(b.partition);
      if (position == open.position.end() || position->second != b.after) {
        std::printf("OVERTAKEN %s\n", partitions.name_of(b.partition).c_str());
        continue;
      }
      position->second = b.last_position;
      open.batches[b.partition].push_back(std::move(b));
    }
    if (const auto stall = words.number("stall_ms", 0); stall > 0 && records > 0) {
      std::printf("STALL %lld records, rss %ld KB\n", static_cast<long long>(records), rss_kb());
      std::this_thread::sleep_for(std::chrono::milliseconds(stall));
      std::printf("STALLED queue %lld bytes, rss %ld KB\n", static_cast<long long>(source.stats().queue_bytes),
                  rss_kb());
      words.all["stall_ms"] = "0";
    }
    if (Clock::now() - last_commit > commit_every) commit();
    if (idle_ms > 0 && Clock::now() - last_record > std::chrono::milliseconds(idle_ms)) break;
  }
  if (code == 0) commit();
  const double seconds = std::chrono::duration<double>(last_record - first_record).count();
  const ff::KafkaStats stats = source.stats();
  std::int64_t lag = 0;
  for (const auto& p : stats.partitions) lag += std::max<std::int64_t>(0, p.lag);
  std::printf(
      "DONE {\"records\": %lld, \"batches\": %lld, \"seconds\": %.3f, \"cpu_us_per_record\": %.3f, \"retries\": %lld, "
      "\"partitions\": %zu, \"lag\": %lld, \"rebalances\": %lld, \"rtt_us\": %lld, \"received_bytes\": %lld, "
      "\"brokers_up\": %lld, \"heard_until\": %lld, \"rss_kb\": %ld}\n",
      static_cast<long long>(records), static_cast<long long>(batches), seconds,
      records > 0 ? (cpu_seconds() - first_cpu) * 1e6 / static_cast<double>(records) : 0.0,
      static_cast<long long>(retries), stats.partitions.size(), static_cast<long long>(lag),
      static_cast<long long>(stats.rebalances), static_cast<long long>(stats.rtt_us),
      static_cast<long long>(stats.received_bytes), static_cast<long long>(stats.brokers_up),
      static_cast<long long>(source.heard_until()), rss_kb());
  return code;
}
