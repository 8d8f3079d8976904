#include "report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "report/words.h"

namespace ff {
namespace {

constexpr const char* nothing = "<p class=\"nothing\">Nothing to show.</p>";

/// A round step of 1, 2 or 5 times a power of ten that cuts `most` into at most five.
double step_of(double most) {
  const double power = std::pow(10, std::floor(std::log10(std::max(most, 1.0) / 5)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0})
    if (most / (factor * power) <= 5) return std::max(1.0, factor * power);
  return std::max(1.0, most);
}

double total_of(const std::vector<Cell>& row) {
  double total = 0;
  for (std::size_t c = 1; c < row.size(); ++c) total += number(row[c]);
  return total;
}

double greatest_total(const Table& table) {
  double most = 0;
  for (const auto& row : table.rows) most = std::max(most, total_of(row));
  return most;
}

std::string hint(const Table& table, const std::vector<Cell>& row) {
  std::string text = escaped(row[0].value_or("–"));
  for (std::size_t c = 1; c < row.size(); ++c)
    text +=
        fmt::format("{} {} {}", c > 1 ? "," : ":", words(table.columns[c], row[c]), escaped(heading(table.columns[c])));
  return "<title>" + text + "</title>";
}

std::string legend(const Table& table) {
  if (table.columns.size() < 3) return "";
  std::string out = "<p class=\"legend\">";
  for (std::size_t c = 1; c < table.columns.size(); ++c)
    out += fmt::format("<span><i class=\"{}\"></i>{}</span>", table.columns[c], escaped(heading(table.columns[c])));
  return out + "</p>";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string columns_chart(const Table& table, double width) {
  if (table.rows.empty()) return nothing;
  constexpr double height = 250, left = 58, right = 6, top = 14, bottom = 24;
  const double most = std::max(1.0, greatest_total(table)),
               slot = (width - left - right) / static_cast<double>(table.rows.size());
  const double bar = slot * (slot > 40 ? 0.6 : 0.84);
  const auto y_of = [&](double value) { return top + (height - top - bottom) * (1 - value / most); };
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">", width, height);
  for (double tick = 0; tick <= most; tick += step_of(most))
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/><text class=\"end\" x=\"{3}\" "
        "y=\"{4:.1f}\">{5}</text>",
        left, width - right, y_of(tick), left - 6, y_of(tick) + 4, grouped(fmt::format("{:.0f}", tick)));
  std::size_t longest = 1;
  for (const auto& row : table.rows) longest = std::max(longest, row[0].value_or("–").size());
  const double label_width = 6.5 * static_cast<double>(longest) + 6;
  const auto every = static_cast<std::size_t>(std::ceil(label_width / slot));
  double x = left;
  for (std::size_t r = 0; r < table.rows.size(); ++r, x += slot) {
    const auto& row = table.rows[r];
    out += "<g class=\"hover\">" + hint(table, row) +
           fmt::format("<rect class=\"behind\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>", x, top, slot,
                       height - top - bottom);
    double below = 0;
    for (std::size_t c = 1; c < row.size(); ++c) {
      const double value = number(row[c]);
      if (value > 0)
        out += fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
                           table.columns[c], x + (slot - bar) / 2, y_of(below + value), bar,
                           y_of(below) - y_of(below + value));
      below += value;
    }
    out += "</g>";
    const std::string label = row[0].value_or("–");
    if (r % every == 0)
      out += fmt::format("<text class=\"middle\" x=\"{:.1f}\" y=\"{}\">{}</text>", x + slot / 2, height - 6,
                         escaped(label));
    if (label.starts_with("+0 "))
      out += fmt::format(
          "<line class=\"promise\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/><text class=\"middle\" "
          "x=\"{0:.1f}\" y=\"{3}\">promised</text>",
          x, top, height - bottom, top - 3);
  }
  return legend(table) + out + "</svg>";
}

std::string rows_chart(const Table& table, Scale scale) {
  if (table.rows.empty()) return nothing;
  constexpr double width = 640, left = 120, right = 64, line = 30;
  const double most = std::max(1.0, greatest_total(table)), room = width - left - right;
  std::string out =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">", width, line * static_cast<double>(table.rows.size()) + 4);
  double y = 4;
  for (const auto& row : table.rows) {
    const double total = total_of(row), whole = scale == Scale::shares ? std::max(1.0, total) : most;
    out += "<g class=\"hover\">" + hint(table, row) +
           fmt::format("<text class=\"end strong\" x=\"{}\" y=\"{}\">{}</text>", left - 10, y + 15,
                       escaped(heading(row[0].value_or("–"))));
    double x = left;
    for (std::size_t c = 1; c < row.size(); ++c) {
      const double part = room * number(row[c]) / whole;
      if (part <= 0) continue;
      out += fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>", table.columns[c],
                         x, y, part, line - 8);
      if (scale == Scale::shares && part > 34)
        out += fmt::format("<text class=\"middle inside\" x=\"{:.1f}\" y=\"{}\">{:.0f} %</text>", x + part / 2, y + 15,
                           100 * number(row[c]) / whole);
      x += part;
    }
    out +=
        fmt::format("<text x=\"{:.1f}\" y=\"{}\">{}</text></g>", x + 8, y + 15, grouped(fmt::format("{:.0f}", total)));
    y += line;
  }
  return legend(table) + out + "</svg>";
}

std::string heat_grid(const Table& table) {
  if (table.rows.empty()) return nothing;
  std::map<std::string, std::map<std::string, const std::vector<Cell>*>> grid;
  std::vector<std::string> columns;  // in the order of the table: that of time
  for (const auto& row : table.rows) {
    grid[row[0].value_or("–")][row[1].value_or("–")] = &row;
    const std::string column = row[1].value_or("–");
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
  }
  std::string out = "<div class=\"wide\"><table class=\"heat\"><thead><tr><th></th>";
  for (const std::string& column : columns) out += "<th>" + escaped(column) + "</th>";
  out += "</tr></thead><tbody>";
  for (const auto& [name, cells] : grid) {
    out += "<tr><th>" + escaped(name) + "</th>";
    for (const std::string& column : columns) {
      const auto at = cells.find(column);
      if (at == cells.end()) {
        out += "<td></td>";
        continue;
      }
      // Shaded by what is missing to 100 %, full at 40 % and more: the eye is to find the bad days.
      const double rate = number((*at->second)[2]), missing = std::min(1.0, (1 - rate) / 0.4);
      out += fmt::format("<td style=\"--bad-share:{:.0f}%\" title=\"{} of {} deliveries on time\">{:.0f}</td>",
                         100 * missing, words("rate", (*at->second)[2]), words("n", (*at->second)[3]), 100 * rate);
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

std::string html_table(const Table& table, std::string_view bar_column) {
  if (table.rows.empty()) return nothing;
  std::vector<bool> is_figure(table.columns.size());
  double most = bar_column.ends_with("rate") ? 1 : 0;
  for (const auto& row : table.rows)
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (is_number(table.columns[c], row[c])) is_figure[c] = true;
      if (table.columns[c] == bar_column && !bar_column.ends_with("rate")) most = std::max(most, number(row[c]));
    }
  std::string out = "<div class=\"wide\"><table><thead><tr>";
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    out += fmt::format("<th{}>{}</th>", is_figure[c] ? " class=\"figure\"" : "", escaped(heading(table.columns[c])));
  out += "</tr></thead><tbody>";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string text = escaped(words(table.columns[c], row[c]));
      if (table.columns[c] == bar_column && most > 0)
        out += fmt::format("<td class=\"figure bar\" style=\"--share:{:.1f}%\">{}</td>", 100 * number(row[c]) / most,
                           text);
      else if (table.columns[c] == "severity")
        out += fmt::format("<td><span class=\"tag {0}\">{0}</span></td>", text);
      else
        out += fmt::format("<td{}>{}</td>", is_figure[c] ? " class=\"figure\"" : "", text);
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

}  // namespace ff
