/// One row off the front of CSV text: cells, the row's exact bytes, and how it ended. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contract/contract.h"

namespace ff {

struct CsvCell {
  std::string text;
  bool is_quoted = false;  ///< then a null word is just text
};

struct CsvRow {
  enum class End : std::uint8_t {
    newline,
    open,        ///< the text ended first; in a file's last block that ends the row too
    open_quote,  ///< the text ended within quotes; `consumed` and `bytes` mean nothing
  };
  std::string_view bytes;    ///< without the line end
  std::size_t consumed = 0;  ///< with it
  End end = End::newline;
  std::string broken;  ///< what is wrong with the quoting; empty: nothing
};

/// Line ends are \n, \r\n; a quote inside quotes is doubled; text after a closing quote breaks the row.
/// `cells` is overwritten; its capacity is reused.
CsvRow split_csv_row(std::string_view text, const CsvDialect& dialect, std::vector<CsvCell>& cells);

}  // namespace ff
