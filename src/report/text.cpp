#include <algorithm>

#include "report/report.h"
#include "report/words.h"

namespace ff {
namespace {

std::size_t width_of(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// `share` of 1 as a bar of at most `width` characters, to an eighth of one.
std::string bar(double share, int width) {
  static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int parts = static_cast<int>(std::clamp(share, 0.0, 1.0) * width * 8 + 0.5);
  std::string out;
  for (int i = 0; i < parts / 8; ++i) out += "█";
  return out + eighths[parts % 8];
}

/// Numbers to the right, words to the left; `bar_column`, if not empty, is drawn after the row as a share of the greatest
/// (or of 1, for rates).
std::string laid_out(const Table& table, std::string_view bar_column = {}) {
  const std::size_t columns = table.columns.size();
  std::vector<std::vector<std::string>> lines(1);
  std::vector<std::size_t> widths(columns);
  std::vector<bool> right(columns);
  double most = bar_column.ends_with("rate") ? 1 : 0;
  std::size_t drawn = columns;
  for (std::size_t c = 0; c < columns; ++c) {
    lines[0].push_back(heading(table.columns[c]));
    if (table.columns[c] == bar_column) drawn = c;
  }
  for (const auto& row : table.rows) {
    auto& line = lines.emplace_back();
    for (std::size_t c = 0; c < columns; ++c) {
      line.push_back(words(table.columns[c], row[c]));
      if (is_number(table.columns[c], row[c])) right[c] = true;
    }
    if (drawn < columns && most != 1) most = std::max(most, number(row[drawn]));
  }
  for (const auto& line : lines)
    for (std::size_t c = 0; c < columns; ++c) widths[c] = std::max(widths[c], width_of(line[c]));
  std::string out;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    std::string text = "  ";
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string pad(widths[c] - width_of(lines[l][c]), ' ');
      text += (right[c] ? pad + lines[l][c] : lines[l][c] + pad) + "  ";
    }
    if (drawn < columns && l > 0 && most > 0) text += bar(number(table.rows[l - 1][drawn]) / most, 24);
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

}  // namespace

std::string report_text(const Report& report) {
  const Table& head = report.at("headline");
  const auto say = [&](const char* column) { return words(column, cell_of(head, column)); };
  std::string out = "FleetFlow · as of " + say("as_of") + " UTC\n" + std::string(78, '=') + "\n";
  out +=
      "  " + say("shipments") + " shipments · " + say("events") + " events · " + say("drivers") + " drivers on duty\n";
  out += "  " + say("on_time_rate") + " on time of " + say("delivered") + " delivered, " + say("first_attempt_rate") +
         " at the first attempt\n";
  out += "  " + say("open") + " shipments open, of these " + say("breached") + " past their promise\n";
  out += "  " + say("exceptions_open") + " exceptions open, of these " + say("critical_open") + " critical\n";
  const auto section = [&](const char* title, const char* name, std::string_view bar_column = {}) {
    const Table& table = report.at(name);
    out +=
        "\n" + std::string(title) + "\n" + (table.rows.empty() ? "  nothing to tell\n" : laid_out(table, bar_column));
  };
  section("On time by carrier (of what was delivered, by promise + grace)", "on_time_by_carrier", "on_time_rate");
  section("Worst lanes", "worst_lanes", "on_time_rate");
  section("Promises, by service level", "sla_by_level");
  section("Why promises were broken", "breach_reasons", "shipments");
  section("Utilization: driving / on duty, driver-days by tenths", "utilization", "driver_days");
  section("Busiest drivers (by pseudonym)", "busiest_drivers");
  section("Exceptions: what somebody must look at", "exceptions");
  section("Checks: what is wrong with the data itself", "checks", "findings");
  section("Sources", "sources");
  return out;
}

}  // namespace ff
