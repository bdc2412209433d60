// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <rowsmith/core/utf8.hpp>
#include <rowsmith/evaluate/axis_text.hpp>
#include <rowsmith/evaluate/description_html.hpp>
#include <rowsmith/evaluate/html_figures.hpp>
#include <rowsmith/evaluate/line_chart.hpp>

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

bool all_utf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto length = rs::utf8_length(std::string_view(text).substr(i));
    if (length == 0)
      return false;
    i += length;
  }
  return true;
}

} // namespace

TEST_CASE("the page of a description escapes whatever it is told, and is of bounded size", "[evaluate]") {
  const std::string markup = "</style><script>alert('&')</script>\"";
  const std::string bytes(20'000, '\x80'); // no UTF-8 at all
  rs::Description description{.title = markup + bytes, .subtitle = bytes};
  for (std::size_t c = 0; c < 1000; ++c)
    description.columns.push_back({.name = c % 2 == 0 ? markup + bytes : std::string(),
                                   .role = markup,
                                   .facts = {{"missing", ""}, {"values", markup + bytes}},
                                   .notes = std::vector<std::string>(30, markup + bytes),
                                   .warnings = {bytes},
                                   .picture = "<svg></svg>"});
  for (auto* texts : {&description.relations, &description.notes, &description.warnings})
    texts->assign(1000, markup + bytes);
  description.remarks = {markup};
  const auto page = to_html(description);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(all_utf8(page));
  CHECK(page.size() < 20'000'000);
  CHECK(count_of(page, "<svg>") == rs::evaluate::described_pictures);
  CHECK_THAT(page, Contains("Columns 201 to 1,000, without pictures") && Contains("(no name)"));
  CHECK_THAT(page, Contains("and 800 more relations.") && Contains("and 22 more."));
  CHECK(page.find("missing ") == std::string::npos); // what is empty is not told
  CHECK(count_of(page, "</style>") == 1);
}

TEST_CASE("one table's marginal has the shares of its rows, whatever its range", "[evaluate]") {
  const double most = std::numeric_limits<double>::max();
  for (const auto& values : {std::vector<double>{-most, most, most, -most}, std::vector<double>(4, most),
                             std::vector<double>(4, -1e300), std::vector<double>{5e-324, 0, 0, 5e-324}}) {
    rs::Column column{.name = "x", .kind = rs::ColumnKind::numerical, .values = values};
    const rs::Table table({column});
    const auto found = rs::evaluate::detail::marginal(table, nullptr, rs::evaluate::SharedCodes({&table}), 0);
    CHECK(found.synthetic.empty());
    double sum = 0;
    for (const double share : found.real)
      sum += share;
    CHECK(sum == Approx(1));
    for (std::size_t k = 0; k + 1 < found.edges.size(); ++k)
      CHECK(found.edges[k] <= found.edges[k + 1]);
    CHECK(std::isfinite(found.edges.front()));
    CHECK(std::isfinite(found.edges.back()));
    const auto picture = rs::evaluate::detail::marginal_picture(found);
    CHECK(picture.find("nan") == std::string::npos);
    CHECK_THAT(picture, Contains("<path"));
  }
}

TEST_CASE("a chart's lines stay within its frame", "[evaluate]") {
  const double most = std::numeric_limits<double>::max();
  const auto chart = rs::evaluate::detail::line_chart("losses", "steps", {1, 2, 3}, {{-most, 0, most}});
  CHECK_THAT(chart, Contains("points=\"56.0,194.0 254.0,101.0 452.0,8.0 \""));
  CHECK(rs::evaluate::detail::line_chart("losses", "steps", {}, {std::vector<double>{}}).empty());
}

TEST_CASE("a chart of a single place has dots, since a line of one point is not seen", "[evaluate]") {
  const auto chart = rs::evaluate::detail::line_chart("losses", "steps", {7}, {{1.0}, {3.0}});
  CHECK(count_of(chart, "<polyline") == 0);
  CHECK(count_of(chart, "<circle") == 2);
  CHECK_THAT(chart, Contains("class=\"lr\" cx=\"254.0\" cy=\"194.0\"") &&
                        Contains("class=\"ls\" cx=\"254.0\" cy=\"8.0\""));
}

TEST_CASE("axes tell numbers as the file writes them, and places between them with one decimal more",
          "[evaluate]") {
  using rs::evaluate::detail::AxisText;
  const AxisText whole({.role = rs::ColumnRole::integer}, 0);
  CHECK(whole(1) == "1");
  CHECK(whole(0.5) == "0.5");
  CHECK(whole(-53.5) == "-53.5");
  CHECK(whole(3 + 1e-13) == "3"); // computed as the edge of a bin
  const AxisText price({.role = rs::ColumnRole::real, .marks = {.prefix = "$", .thousands = ','}}, 2);
  CHECK(price(1234.5) == "$1,234.50");
  CHECK(price(1234.125) == "$1,234.125");
  CHECK(AxisText({.role = rs::ColumnRole::real}, -1)(0.25) == "0.25");
  // What a table holds of dates and of keys would say nothing, however long their texts are.
  CHECK(AxisText({.role = rs::ColumnRole::date, .pattern = "DD.MM.YYYY"}, 0)(19'723) == "01.01.2024");
  CHECK(AxisText({.role = rs::ColumnRole::date, .pattern = "YYYY-MM-DDThh:mm:ss"}, 0)(86'400.0 * 19'723) ==
        "2024-01-01T00:00:00");
  CHECK(AxisText({.role = rs::ColumnRole::integer, .origin = {.magnitude = 9'007'199'254'740'993'000U}},
                 0)(7) == "9007199254740993007");

  rs::Column flag{.name = "flag", .kind = rs::ColumnKind::numerical, .values = {0, 1, 1, 0}, .decimals = 0};
  const rs::Table table({flag});
  const auto found = rs::evaluate::detail::marginal(table, nullptr, rs::evaluate::SharedCodes({&table}), 0);
  CHECK_THAT(rs::evaluate::detail::marginal_picture(found, whole),
             Contains(">0</text>") && Contains(">0.5</text>") && Contains(">1</text>"));
}
