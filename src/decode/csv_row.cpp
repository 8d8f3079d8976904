#include "decode/csv_row.h"

namespace ff {

CsvRow split_csv_row(std::string_view text, const CsvDialect& dialect, std::vector<CsvCell>& cells) {
  CsvRow row;
  std::size_t count = 0, at = 0;
  const auto next_cell = [&]() -> CsvCell& {
    if (count == cells.size()) cells.emplace_back();
    CsvCell& cell = cells[count++];
    cell.text.clear();
    cell.is_quoted = false;
    return cell;
  };
  const auto ended = [&](CsvRow::End how, std::size_t bytes, std::size_t consumed) {
    cells.resize(count);
    row.end = how;
    row.bytes = text.substr(0, bytes);
    row.consumed = consumed;
    return row;
  };
  for (;;) {
    CsvCell& cell = next_cell();
    if (at < text.size() && text[at] == dialect.quote) {
      cell.is_quoted = true;
      for (++at;; at += 2) {
        const std::size_t quote = text.find(dialect.quote, at);
        if (quote == std::string_view::npos) return ended(CsvRow::End::open_quote, 0, 0);
        cell.text.append(text.substr(at, quote - at));
        at = quote;
        if (at + 1 >= text.size() || text[at + 1] != dialect.quote) break;
        cell.text += dialect.quote;
      }
      ++at;
    }
    const std::size_t from = at;
    while (at < text.size() && text[at] != dialect.delimiter && text[at] != '\n') ++at;
    std::string_view plain = text.substr(from, at - from);
    const bool is_line = at < text.size() && text[at] == '\n';
    const bool is_text_end = at == text.size();
    const bool carriage = (is_line || is_text_end) && !plain.empty() && plain.back() == '\r';
    if (carriage) plain.remove_suffix(1);
    if (cell.is_quoted && !plain.empty()) row.broken = "text follows a closing quote";
    cell.text.append(plain);
    if (is_line) return ended(CsvRow::End::newline, at - carriage, at + 1);
    if (is_text_end) return ended(CsvRow::End::open, at - carriage, at);
    ++at;  // the delimiter
  }
}

}  // namespace ff
