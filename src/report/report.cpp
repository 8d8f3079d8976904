#include "report/report.h"

#include "embedded/report_sql.h"

namespace ff {

Result<Report> ask_report(Lake& lake) {
  constexpr std::string_view marker = "-- name: ";
  Report report;
  const std::string_view all = embedded::report_sql;
  for (auto at = all.find(marker); at != std::string_view::npos;) {
    const auto end_of_line = all.find('\n', at);
    const auto next = all.find(marker, end_of_line);
    const std::string name(all.substr(at + marker.size(), end_of_line - at - marker.size()));
    report[name] = FF_TRY(lake.query(std::string(all.substr(end_of_line, next - end_of_line))));
    at = next;
  }
  return report;
}

}  // namespace ff
