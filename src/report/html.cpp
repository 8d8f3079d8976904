#include <sstream>

#include "embedded/page_html.h"
#include "report/charts.h"
#include "report/report.h"
#include "report/words.h"

namespace ff {
namespace {

/// What stands for '{{how what option}}' in page.html.
std::string filled(const Report& report, const std::string& place) {
  std::istringstream words_of(place);
  std::string how, what, option;
  words_of >> how >> what >> option;
  if (how == "value") return escaped(words(what, cell_of(report.at("headline"), what)));
  const Table& table = report.at(what);
  if (how == "columns") return columns_chart(table, option == "wide" ? 1280 : 640);
  if (how == "rows") return rows_chart(table, Scale::amounts);
  if (how == "shares") return rows_chart(table, Scale::shares);
  if (how == "heat") return heat_grid(table);
  FF_CHECK(how == "table");
  return html_table(table, option);
}

}  // namespace

std::string report_html(const Report& report) {
  const std::string_view page = embedded::page_html;
  std::string out;
  for (std::size_t at = 0;;) {
    const auto open = page.find("{{", at);
    out += page.substr(at, open - at);
    if (open == std::string_view::npos) return out;
    const auto close = page.find("}}", open);
    out += filled(report, std::string(page.substr(open + 2, close - open - 2)));
    at = close + 2;
  }
}

}  // namespace ff
