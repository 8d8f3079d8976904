#include "report/words.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace ff {
namespace {

std::string format(const char* pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

std::string duration(double seconds) {
  const char* sign = seconds < 0 ? "−" : "";
  const double s = std::abs(seconds);
  if (s < 60) return sign + format("%.0f s", s);
  if (s < 3600) return sign + format("%.0f min", s / 60);
  if (s < 100 * 3600) return sign + format("%.1f h", s / 3600);
  return sign + grouped(format("%.0f", s / 3600)) + " h";
}

bool is_share(std::string_view column) { return column.ends_with("rate") || column == "utilization"; }

}  // namespace

double number(const Cell& cell) { return cell ? std::strtod(cell->c_str(), nullptr) : 0; }

std::string grouped(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0 && out.back() != '-') out += ',';
    out += digits[i];
  }
  return out;
}

std::string heading(std::string_view column) {
  for (const std::string_view unit : {"_rate", "_s", "_cm"})
    if (column.ends_with(unit)) column.remove_suffix(unit.size());
  std::string out(column);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

bool is_number(std::string_view column, const Cell& cell) {
  if (!cell || cell->empty() || column == "day" || column == "driver") return false;
  char* end = nullptr;
  std::strtod(cell->c_str(), &end);
  return *end == '\0';
}

std::string words(std::string_view column, const Cell& cell) {
  if (!cell) return "–";
  if (!is_number(column, cell))
    return column.ends_with("_at") || column.starts_with("oldest") || column == "as_of" ? cell->substr(0, 16) : *cell;
  const double value = number(cell);
  if (is_share(column)) return format("%.1f %%", 100 * value);
  if (column.ends_with("_s")) return duration(value);
  if (column.ends_with("_cm")) return grouped(format("%.0f", value / 1e5)) + " km";
  return cell->find('.') == std::string::npos ? grouped(*cell) : format("%.2f", value);
}

const Cell& cell_of(const Table& table, std::string_view column) {
  static const Cell nothing;
  const auto at = std::find(table.columns.begin(), table.columns.end(), column);
  if (at == table.columns.end() || table.rows.empty()) return nothing;
  return table.rows[0][static_cast<std::size_t>(at - table.columns.begin())];
}

}  // namespace ff
