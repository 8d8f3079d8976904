#include "ops/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "ops/metric_list.h"

namespace ff::ops {
namespace {

/// The fields of /proc/self/stat by their number in proc(5), from 1; the name in field 2 may hold anything and is skipped.
struct Stat {
  static constexpr int first_field = 3;
  std::vector<std::string> fields;

  Stat() {
    std::ifstream in("/proc/self/stat");
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return;
    std::istringstream rest(text.substr(name_end + 1));
    fields.assign(std::istream_iterator<std::string>(rest), {});
  }
  double operator[](std::size_t number) const { return std::stod(fields.at(number - first_field)); }
};

double boot_time() {
  std::ifstream in("/proc/stat");
  for (std::string word; in >> word;)
    if (double seconds = 0; word == "btime" && in >> seconds) return seconds;
  return 0;
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  std::vector<prometheus::MetricFamily> out;
  const auto add = [&](Metric metric, double value) {
    prometheus::MetricFamily& family = out.emplace_back();
    family.name = spec(metric).name;
    family.help = spec(metric).meaning;
    family.metric.emplace_back();
    if (spec(metric).type == MetricType::counter) {
      family.type = prometheus::MetricType::Counter;
      family.metric.back().counter.value = value;
    } else {
      family.type = prometheus::MetricType::Gauge;
      family.metric.back().gauge.value = value;
    }
  };
  const Stat stat;
  if (stat.fields.size() > 24 - Stat::first_field) {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    add(Metric::process_cpu, (stat[14] + stat[15]) / ticks);
    add(Metric::process_threads, stat[20]);
    add(Metric::process_start, boot_time() + stat[22] / ticks);
    add(Metric::process_virtual, stat[23]);
    add(Metric::process_resident, stat[24] * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (!error) add(Metric::process_open_fds, static_cast<double>(std::distance(files, {})));
  if (rlimit limit{}; getrlimit(RLIMIT_NOFILE, &limit) == 0)
    add(Metric::process_max_fds, static_cast<double>(limit.rlim_cur));
  return out;
}

}  // namespace ff::ops
