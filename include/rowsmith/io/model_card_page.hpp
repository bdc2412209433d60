// SPDX-License-Identifier: MIT
/// \file
/// The card of a model as a page for people.
#pragma once

#include <string>
#include <utility>

#include <rowsmith/evaluate/description_html.hpp>
#include <rowsmith/io/model_card.hpp>

ROWSMITH_BEGIN

namespace detail {

inline evaluate::DescribedColumn described(const CardColumn& column) {
  evaluate::DescribedColumn result{.name = column.name, .role = column.role};
  result.facts = {{"repeats", copied_text(column)}, {"", column.otherwise}};
  std::string held;
  for (const auto& value : column.held)
    held += (held.empty() ? "" : ", ") + value;
  result.facts.emplace_back("held:", held);
  // Edges that are marked lie midway between values; values that are repeated stand below the line.
  result.picture = evaluate::detail::number_line("Edges of bins, and values that are repeated", column.edges,
                                                 column.values);
  return result;
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
  for (const auto& column : card.columns)
    page.columns.push_back(detail::described(column));
  for (const auto& column : card.made) {
    page.columns.push_back(detail::described(column));
    page.columns.back().role += ", learnt in place of columns that are put back";
  }
  page.remarks = {"The file of the model holds what is repeated as it was in the training rows. Ranges are "
                  "rounded outwards.",
                  "Privacy: " + card.privacy};
  return page;
}

ROWSMITH_END
