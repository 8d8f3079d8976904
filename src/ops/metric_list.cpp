#include "ops/metric_list.h"

namespace ff::ops {

std::string metric_page() {
  std::string out =
      "# Metrics\n\n"
      "`GET /metrics` of the service shows these, in Prometheus' text format. The page is made by `fleetflow metrics` "
      "from\n"
      "src/ops/metric_list.h, and a test holds it against it. No shipment and no driver is ever a label.\n\n"
      "| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n";
  for (const MetricSpec& each : metric_list) {
    out.append("| `").append(each.name).append("` | ").append(name(each.type)).append(" | ").append(each.unit);
    out += " | ";
    for (std::size_t i = 0; i < each.labels.size() && !each.labels[i].empty(); ++i)
      out.append(i ? ", " : "").append("`").append(each.labels[i]).append("`");
    out.append(" | ").append(each.meaning).append(" |\n");
  }
  return out;
}

}  // namespace ff::ops
