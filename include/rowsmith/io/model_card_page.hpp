// SPDX-License-Identifier: MIT
/// \file
/// The card of a model as a page for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/evaluate/axis_text.hpp>
#include <rowsmith/evaluate/description_html.hpp>
#include <rowsmith/evaluate/html_drawing.hpp>
#include <rowsmith/evaluate/line_chart.hpp>
#include <rowsmith/evaluate/text.hpp>
#include <rowsmith/io/model_card.hpp>

ROWSMITH_BEGIN

namespace detail {

/// \param drawn  with a picture
inline evaluate::DescribedColumn described(const CardColumn& column, bool drawn) {
  evaluate::DescribedColumn result{.name = column.name, .role = column.role};
  result.facts = {{"repeats", copied_text(column)}, {"", column.otherwise}};
  std::string held;
  for (const auto& value : column.held)
    held += (held.empty() ? "" : ", ") + value;
  result.facts.emplace_back("held:", held);
  // Edges that are marked lie midway between values; values that are repeated stand below the line.
  if (drawn)
    result.picture = evaluate::detail::number_line(
        "Edges of bins, and values that are repeated", column.edges, column.values,
        evaluate::detail::AxisText(column.format, column.decimals));
  return result;
}

/// The losses of a stage against its steps.
inline std::string curve_figure(const LearningCurve& curve) {
  using evaluate::detail::concat;
  using evaluate::detail::html_escape;
  const std::vector<double> places(curve.steps.begin(), curve.steps.end());
  std::vector<std::vector<double>> lines;
  std::vector<std::string> names;
  for (std::size_t f = 0; f < curve.figures.size(); ++f) {
    lines.push_back(curve.line(f));
    names.push_back(html_escape(curve.figures[f]));
  }
  return concat("<figure><figcaption>", html_escape(curve.stage), "<span>", end_text(curve.end),
                "</span></figcaption>",
                evaluate::detail::line_chart("Losses against steps", "steps", places, lines),
                evaluate::detail::legend(names), "<p class=\"note\">",
                html_escape(curve_line(curve, loss_text)), ".</p></figure>\n");
}

} // namespace detail

/// What a model says about itself, for `evaluate::to_html`. \param title  such as the name of its file
inline evaluate::Description description_of(const ModelCard& card, std::string title) {
  evaluate::Description page{.title = std::move(title)};
  page.subtitle = detail::head_text(card);
  page.columns_note = "What the file of the model holds. Tall marks are edges of bins, between which numbers "
                      "are drawn, short "
                      "ones values that are repeated as they are; of more than 200 some are shown.";
  page.relations = card.relations;
  page.relations_note = "Generated rows keep these.";
  const auto add = [&page](const CardColumn& column) {
    page.columns.push_back(detail::described(column, page.columns.size() < evaluate::described_pictures));
  };
  for (const auto& column : card.columns)
    add(column);
  for (const auto& column : card.made) {
    add(column);
    page.columns.back().facts.emplace_back("", "learnt in place of columns that are put back");
  }
  if (!card.training.empty()) {
    page.more =
        "<h2>Training</h2><p class=\"note\">Losses a row against steps: the means of at most 200 epochs of "
        "each stage; validation is the loss of rows that were held out. The weights that are kept are the "
        "best of all epochs by it, where there is one.</p><div class=\"two\">\n";
    for (const auto& curve : card.training)
      page.more += detail::curve_figure(curve);
    page.more += "</div>\n";
  }
  page.remarks = {"The file of the model holds what is repeated as it was in the training rows. Ranges are "
                  "rounded outwards.",
                  "Privacy: " + card.privacy};
  return page;
}

ROWSMITH_END
