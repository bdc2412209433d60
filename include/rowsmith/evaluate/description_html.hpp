// SPDX-License-Identifier: MIT
/// \file
/// What is known of a table, or of what a model holds, as one HTML page that needs nothing else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/evaluate/html_drawing.hpp>
#include <rowsmith/evaluate/text.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// A column of a description. All texts may hold anything, in any length.
struct DescribedColumn {
  std::string name{};
  std::string role{};
  std::vector<std::pair<std::string, std::string>>
      facts{}; ///< such as ("missing", "2.1 %"); empty ones count
  std::vector<std::string> notes{};
  std::vector<std::string> warnings{};
  std::string picture{}; ///< HTML, of a bounded size; empty: none
};

/// What a page says of a table or a model.
struct Description {
  std::string title{};    ///< such as the file's name
  std::string subtitle{}; ///< one line on all of it
  std::vector<DescribedColumn> columns{};
  std::string columns_note{}; ///< a sentence before them
  std::vector<std::string> relations{};
  std::string relations_note{};
  std::vector<std::string> notes{}; ///< on the whole
  std::vector<std::string> warnings{};
  std::string more{};                 ///< HTML behind the columns, such as pictures of a training
  std::vector<std::string> remarks{}; ///< at the end
};

namespace detail {

/// Bounds of a page, so that a table of any width and with any texts gives one that a browser shows.
struct DescriptionBounds {
  std::size_t pictures = 200;   ///< columns with a picture; the others have a line in a table
  std::size_t columns = 5000;   ///< of all
  std::size_t notes = 8;        ///< of a column
  std::size_t lines = 200;      ///< of a list
  std::size_t name = 80;        ///< characters
  std::size_t characters = 400; ///< of any other text
};

class DescriptionWriter {
public:
  explicit DescriptionWriter(const Description& from) : from_(from) {}

  std::string write() {
    put(html_begin(shortened(readable_utf8(from_.title), bounds_.name)), "<p class=\"sub\">",
        html_shortened(from_.subtitle, bounds_.characters), "</p></header>\n");
    list(from_.warnings, "warn", "warnings");
    list(from_.notes, "note", "notes");
    if (!from_.relations.empty()) {
      put("<h2>Relations</h2><p class=\"note\">", html_shortened(from_.relations_note, bounds_.characters),
          "</p>");
      list(from_.relations, "", "relations");
    }
    columns();
    put(from_.more);
    if (!from_.remarks.empty())
      put("<h2>Remarks</h2>");
    for (const auto& remark : from_.remarks)
      put("<p class=\"note\">", html_shortened(remark, 4000), "</p>");
    put("<p class=\"note\">Made by rowsmith " ROWSMITH_VERSION ".</p>\n", html_end);
    return std::move(out_);
  }

private:
  template <class... Parts>
  void put(const Parts&... parts) {
    (out_.append(parts), ...);
  }
  void list(const std::vector<std::string>& texts, std::string_view style_class, std::string_view what) {
    for (std::size_t k = 0; k < std::min(texts.size(), bounds_.lines); ++k)
      put("<p class=\"", style_class, "\">", html_shortened(texts[k], bounds_.characters), "</p>");
    if (texts.size() > bounds_.lines)
      put("<p class=\"note\">and ", grouped(texts.size() - bounds_.lines), " more ", what, ".</p>");
    put("\n");
  }
  std::string name_of(const DescribedColumn& column) const {
    return column.name.empty() ? "(no name)" : html_shortened(column.name, bounds_.name);
  }
  void remarks_on(const DescribedColumn& column) {
    for (const auto& [texts, style_class] :
         {std::pair{&column.warnings, "warn"}, std::pair{&column.notes, "note"}}) {
      for (std::size_t k = 0; k < std::min(texts->size(), bounds_.notes); ++k)
        put("<p class=\"", style_class, "\">", html_shortened((*texts)[k], bounds_.characters), "</p>");
      if (texts->size() > bounds_.notes)
        put("<p class=\"note\">and ", grouped(texts->size() - bounds_.notes), " more.</p>");
    }
  }
  std::string facts_of(const DescribedColumn& column) const {
    std::string text;
    for (const auto& [name, value] : column.facts)
      if (!value.empty())
        text += concat(text.empty() ? "" : " · ", html_escape(name), name.empty() ? "" : " ",
                       html_shortened(value, bounds_.characters));
    return text;
  }
  void columns() {
    const auto& all = from_.columns;
    const std::size_t drawn = std::min(all.size(), bounds_.pictures);
    const std::size_t told = std::min(all.size(), bounds_.columns);
    put("<h2>Column by column</h2>");
    if (!from_.columns_note.empty())
      put("<p class=\"note\">", html_shortened(from_.columns_note, bounds_.characters), "</p>");
    put("<div class=\"grid\">");
    for (std::size_t c = 0; c < drawn; ++c) {
      put("<figure><figcaption><b>", name_of(all[c]), "</b><span>", html_shortened(all[c].role, bounds_.name),
          "</span></figcaption>", all[c].picture, "<p class=\"note\">", facts_of(all[c]), "</p>");
      remarks_on(all[c]);
      put("</figure>\n");
    }
    put("</div>\n");
    if (told > drawn) {
      put("<h3 style=\"margin-top:18px\">Columns ", grouped(drawn + 1), " to ", grouped(told),
          ", without pictures</h3><div class=\"scroll\"><table><thead><tr><th>Column</th><th>Role</th>"
          "<th></th></tr></thead><tbody>");
      for (std::size_t c = drawn; c < told; ++c) {
        put("<tr><td>", name_of(all[c]), "</td><td>", html_shortened(all[c].role, bounds_.name), "</td><td>",
            facts_of(all[c]));
        remarks_on(all[c]);
        put("</td></tr>\n");
      }
      put("</tbody></table></div>\n");
    }
    if (all.size() > told)
      put("<p class=\"note\">and ", grouped(all.size() - told), " more columns.</p>\n");
  }

  const Description& from_;
  DescriptionBounds bounds_;
  std::string out_;
};

} // namespace detail

/// How many of a description's columns a page shows with a picture: others need none.
inline constexpr std::size_t described_pictures = detail::DescriptionBounds{}.pictures;

/// The description as one page, in the style of a report's: no scripts, nothing from elsewhere. All texts are
/// escaped, and its size is bounded whatever the table.
inline std::string to_html(const Description& description) {
  return detail::DescriptionWriter(description).write();
}

} // namespace evaluate
using evaluate::Description;
ROWSMITH_END
