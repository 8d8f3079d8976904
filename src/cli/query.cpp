#include "cli/query.h"

#include <algorithm>
#include <iostream>

namespace ff::cli {
namespace {

std::size_t width_of(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string csv_cell(const std::optional<std::string>& cell) {
  if (!cell) return "";
  if (!cell->empty() && cell->find_first_of(",\"\r\n") == std::string::npos) return *cell;
  std::string out = "\"";
  for (const char c : *cell) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

}  // namespace

void print_table(const Table& table, const std::string& indent) {
  std::vector<std::size_t> widths;
  for (const auto& name : table.columns) widths.push_back(width_of(name));
  for (const auto& row : table.rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c] ? width_of(*row[c]) : 1);
  const auto line = [&](const auto& cell) {
    std::string out = indent;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const std::string text = cell(c);
      out += text;
      if (c + 1 < widths.size()) out.append(widths[c] - width_of(text) + 2, ' ');
    }
    std::cout << out << "\n";
  };
  line([&](std::size_t c) { return table.columns[c]; });
  line([&](std::size_t c) { return std::string(widths[c], '-'); });
  for (const auto& row : table.rows) line([&](std::size_t c) { return row[c].value_or("-"); });
}

Result<void> print_query(Lake& lake, const std::string& sql, const std::string& format) {
  if (format == "json") {
    const auto text = FF_TRY(lake.value("select coalesce(json_group_array(to_json(q)), '[]') from (" + sql + "\n) q"));
    std::cout << text.value_or("[]") << "\n";
    return {};
  }
  const Table table = FF_TRY(lake.query(sql));
  if (format == "table") return print_table(table), Result<void>();
  for (std::size_t c = 0; c < table.columns.size(); ++c) std::cout << (c ? "," : "") << csv_cell(table.columns[c]);
  std::cout << "\n";
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) std::cout << (c ? "," : "") << csv_cell(row[c]);
    std::cout << "\n";
  }
  return {};
}

}  // namespace ff::cli
