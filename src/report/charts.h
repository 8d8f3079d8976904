/// Drawings of a table, as SVG or HTML that needs nothing but the page's own style sheet.
///
/// The first column is the category, every other column a part of its bar, drawn in order. Colours are the style sheet's:
/// a part of column `late` has the class `late`. Every bar says its figures when pointed at.
#pragma once

#include <string>
#include <string_view>

#include "lake/lake.h"

namespace ff {

/// Upright stacked bars, for categories that have an order. A category that begins with '+0 ' gets a line at its left
/// edge: there the promise is. `width` in units of which a letter has about six.
std::string columns_chart(const Table& table, double width);

enum class Scale { amounts, shares };

/// Lying bars with their categories written out: amounts beside each other, or each bar's parts as shares of it.
std::string rows_chart(const Table& table, Scale scale);

/// A table (row, column, rate, of how many) as a grid of shaded rates; its columns in the table's order.
std::string heat_grid(const Table& table);

/// The table itself. `bar_column` gets a bar behind its figures: of 1 for rates, else of the greatest.
std::string html_table(const Table& table, std::string_view bar_column);

std::string escaped(std::string_view text);

}  // namespace ff
