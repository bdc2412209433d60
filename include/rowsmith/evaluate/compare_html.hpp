// SPDX-License-Identifier: MIT
/// \file
/// A comparison of two tables as one HTML page that needs nothing else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/evaluate/axis_text.hpp>
#include <rowsmith/evaluate/compare.hpp>
#include <rowsmith/evaluate/html_drawing.hpp>
#include <rowsmith/evaluate/html_figures.hpp>
#include <rowsmith/evaluate/roc_figure.hpp>
#include <rowsmith/evaluate/text.hpp>
#include <rowsmith/table/column_format.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// What the head of a comparison's page says.
struct CompareHtmlOptions {
  std::string title = "Two tables";
  std::string date{};
  std::string first{}; ///< where the tables come from, such as file names
  std::string second{};
  /// How the first table's file writes its columns, found by name: so do the axes. Those of other columns
  /// have the numbers of the table.
  std::vector<ColumnFormat> formats{};
};

namespace detail {

/// The picture of a column, with an axis as its file writes numbers.
inline std::string compared_picture(const Marginal& column, const std::vector<ColumnFormat>& formats) {
  const auto format = std::find_if(formats.begin(), formats.end(),
                                   [&](const ColumnFormat& one) { return one.name == column.name; });
  return format == formats.end() ? marginal_picture(column)
                                 : marginal_picture(column, AxisText(*format, column.decimals));
}

} // namespace detail

/// The comparison as a page in the style of a report's. At most 200 columns are drawn, those that are off
/// most before the others.
inline std::string to_html(const Comparison& result, const CompareHtmlOptions& options = {}) {
  using namespace detail; // the pieces of pages
  const auto title = shortened(readable_utf8(options.title), 80);
  const auto first = html_shortened(options.first.empty() ? "the first table" : options.first, 80);
  const auto second = html_shortened(options.second.empty() ? "the second table" : options.second, 80);
  std::string page = concat(html_begin(title), "<p class=\"sub\">", first, " and ", second, "</p>");
  if (!options.date.empty())
    page += concat("<p class=\"note\">", html_escape(options.date), "</p>");
  if (result.options.quick)
    page += "<p class=\"warn\">Quick run: one seed, small models, few rows. The figures are coarse.</p>";
  page += concat("</header>\n<p>", compared_text(result),
                 "</p><div class=\"scroll\"><table class=\"stack\"><thead><tr><th>Figure</th><th "
                 "class=\"n\">second</th><th class=\"n\">other rows of the first</th></tr></thead><tbody>");
  for (const auto& line : compared_figures(result))
    page += concat("<tr><td class=\"w\">", html_escape(line.title), "</td><td class=\"n\" data-l=\"\"><b>",
                   html_escape(line.second), "</b></td><td class=\"n\" data-l=\"other rows of the first\">",
                   html_escape(line.other), "</td></tr>");
  page += concat("</tbody></table></div><p class=\"note\">", found_text(result),
                 " ± is the standard deviation over seeds, or over other samples of rows.</p>\n");
  for (const auto* note : {result.efficacy ? &result.efficacy->note : nullptr,
                           result.regression ? &result.regression->note : nullptr})
    if (note != nullptr && !note->empty())
      page += concat("<p class=\"warn\">", html_shortened(*note, 400), "</p>");

  page += concat("<h2>What tells them apart</h2><div class=\"two\">",
                 roc_figure(result.second.detection, "rows of the first called the second’s",
                            "rows of the second found"));
  std::vector<std::pair<std::string, double>> items;
  const auto& importances = result.second.detection.back().importances;
  items.assign(importances.begin(), importances.begin() + static_cast<std::ptrdiff_t>(
                                                              std::min<std::size_t>(12, importances.size())));
  page += bar_list("Most telling columns", "share of the boosted trees’ gain", items, 0);
  items.clear();
  for (std::size_t p = 0; p < std::min<std::size_t>(12, result.second.trends.pairs.size()); ++p) {
    const auto& pair = result.second.trends.pairs[p];
    items.emplace_back(pair.first_name + " × " + pair.second_name, pair.error.value);
  }
  page += bar_list("Pairs that are off most", "trend error", items, 0);

  constexpr std::size_t most = 200;
  const auto& shapes = result.second.shapes.columns;
  std::vector<std::size_t> order(shapes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return shapes[a].error.value > shapes[b].error.value;
  });
  page += concat(
      "</div>\n<h2>Column by column</h2><p class=\"note\">Shares of the rows, in per cent, columns that "
      "are off most first; behind each error that of other rows of the first. The outer bars of "
      "numbers hold all that lies beyond.</p>",
      legend({first, second}), "<div class=\"grid\">");
  for (std::size_t k = 0; k < std::min(most, order.size()); ++k) {
    const auto c = order[k];
    page += concat("<figure><figcaption><b>", html_shortened(result.marginals[c].name, 80),
                   "</b><span>error ", per_cent(shapes[c].error.value, 1), " (",
                   per_cent(result.other.shapes.columns[c].error.value, 1), ")</span></figcaption>",
                   compared_picture(result.marginals[c], options.formats), "</figure>\n");
  }
  page += "</div>\n";
  if (order.size() > most)
    page +=
        concat("<p class=\"note\">and ", grouped(order.size() - most), " columns that are off less.</p>\n");
  return page.append(concat("<p class=\"note\">Made by rowsmith " ROWSMITH_VERSION ", seed ",
                            std::to_string(result.options.seed), ".</p>\n", html_end));
}

} // namespace evaluate
ROWSMITH_END
