// SPDX-License-Identifier: MIT
/// \file
/// Pictures that pages of the library have in common: of columns, and lists of bars.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/utf8.hpp>
#include <rowsmith/evaluate/html_drawing.hpp>
#include <rowsmith/evaluate/marginal.hpp>
#include <rowsmith/evaluate/text.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

/// The spread of a column's numbers. \param write  how the axis tells a number, as a text
template <class Write>
std::string histogram(const Marginal& column, const Write& write) {
  constexpr double width = 340;
  constexpr double height = 170;
  constexpr double bottom = 146;
  const std::string low = write(column.edges.front());
  const std::string middle = write(column.edges[column.real.size() / 2]);
  const std::string high = write(column.edges.back());
  std::string text =
      concat(svg(width, height, concat("Shares of ", shortened(readable_utf8(column.name), 60))),
             column.synthetic.empty() ? single_bars(column.real, width, bottom)
                                      : paired_bars(column.real, column.synthetic, width, bottom),
             label(0, bottom + 16, low), label(width, bottom + 16, high, "text-anchor=\"end\""));
  if (low.size() + middle.size() + high.size() <= 48) // there is room, which long dates leave none
    text += label(width / 2, bottom + 16, middle, "text-anchor=\"middle\"");
  if (column.real_missing > 0 || column.synthetic_missing > 0)
    text += label(width, 11,
                  concat("missing ", per_cent(column.real_missing, 1),
                         column.synthetic.empty() ? std::string()
                                                  : concat(" / ", per_cent(column.synthetic_missing, 1))),
                  "text-anchor=\"end\"");
  return text.append("</svg>");
}

/// The shares of a column's categories.
inline std::string category_bars(const Marginal& column) {
  constexpr double width = 340;
  constexpr double names = 118;
  constexpr double row = 22;
  const double space = width - names - 70;
  const bool two = !column.synthetic.empty();
  const auto made = [&](std::size_t k) { return two ? column.synthetic[k] : 0.0; };
  double highest = 1e-12;
  for (std::size_t k = 0; k < column.labels.size(); ++k)
    highest = std::max({highest, column.real[k], made(k)});
  std::string text = svg(width, row * static_cast<double>(column.labels.size()) + 4,
                         concat("Shares of ", shortened(readable_utf8(column.name), 60)));
  for (std::size_t k = 0; k < column.labels.size(); ++k) {
    const double y = row * static_cast<double>(k) + 2;
    text += label(names - 6, y + 13, shortened(readable_utf8(column.labels[k]), 16), "text-anchor=\"end\"");
    text += rectangle(names, y + (two ? 1 : 3), column.real[k] / highest * space, two ? 8 : 14,
                      "class=\"r\" rx=\"1\"");
    if (two)
      text += rectangle(names, y + 10, made(k) / highest * space, 8, "class=\"s\" rx=\"1\"");
    text += label(names + std::max(column.real[k], made(k)) / highest * space + 4, y + 13,
                  two ? concat(fixed(100 * column.real[k], 1), " / ", fixed(100 * made(k), 1))
                      : per_cent(column.real[k], 1));
  }
  return text.append("</svg>");
}

/// How a column's values are spread.
template <class Write>
std::string marginal_picture(const Marginal& column, const Write& write) {
  return column.kind == ColumnKind::numerical ? histogram(column, write) : category_bars(column);
}
inline std::string marginal_picture(const Marginal& column) { return marginal_picture(column, short_number); }

/// Horizontal bars from `from` on.
inline std::string bar_list(std::string_view title, std::string_view unit,
                            const std::vector<std::pair<std::string, double>>& items, double from) {
  constexpr double width = 410;
  constexpr double names = 196;
  constexpr double row = 22;
  double most = 1e-9;
  for (const auto& item : items)
    most = std::max(most, item.second - from);
  std::string text = concat("<figure><figcaption>", title, "<span>", unit, "</span></figcaption>",
                            svg(width, row * static_cast<double>(items.size()) + 4, title));
  for (std::size_t k = 0; k < items.size(); ++k) {
    const double y = row * static_cast<double>(k) + 2;
    const double length = std::max(0.0, (items[k].second - from) / most) * (width - names - 54);
    text += label(names - 8, y + 14, shortened(readable_utf8(items[k].first), 31), "text-anchor=\"end\"");
    text += rectangle(names, y + 3, length, 14, "class=\"s\" rx=\"2\"");
    text += label(names + length + 5, y + 14, fixed(items[k].second, 3), "class=\"ink\"");
  }
  return text.append("</svg></figure>");
}

} // namespace evaluate::detail
ROWSMITH_END
