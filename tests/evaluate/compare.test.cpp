// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include <rowsmith/evaluate/compare.hpp>
#include <rowsmith/evaluate/compare_html.hpp>

#include "small_tables.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

TEST_CASE("rows of one source are told from the first table no better than its own other rows are",
          "[evaluate]") {
  const auto first = small_tables::people(1200, 1);
  const rs::CompareOptions options{.target = "y", .quick = true};
  const auto alike = rs::compare(first, small_tables::people(700, 2), options);
  CHECK(alike.rows == 600); // half of the first, fewer than the second has
  CHECK(alike.second.shapes.real_rows == 600);
  CHECK(alike.second.shapes.synthetic_rows == 600);
  CHECK(alike.other.shapes.synthetic_rows == 600);
  CHECK(alike.second.detection[1].rows == 600);
  CHECK(alike.second.detection[1].auc.mean == Approx(0.5).margin(0.06));
  CHECK(alike.other.detection[1].auc.mean == Approx(0.5).margin(0.06));
  CHECK(alike.found_in_all.value == 0);
  REQUIRE(alike.efficacy);
  CHECK(alike.efficacy->ratio.mean > 0.9);

  // Moved by half a deviation in one column, with a quarter of its rows from the first table.
  const auto moved = small_tables::leaking(first, small_tables::people(400, 3, 0.8), 0.25, 0, 4);
  const auto apart = rs::compare(first, moved, options);
  CHECK(apart.rows == 400);
  CHECK(apart.second.detection[0].auc.mean > 0.6);
  CHECK(apart.second.detection[1].auc.mean > apart.other.detection[1].auc.mean + 0.1);
  CHECK(apart.second.shapes.columns[apart.second.shapes.worst].name == "a");
  CHECK(apart.other.shapes.mean.value < apart.second.shapes.mean.value);
  CHECK(apart.found_in_all.value == Approx(0.25).margin(0.08));
  CHECK(apart.second.found.value < apart.found_in_all.value); // a third of the first is in the part
  CHECK(apart.other.found.value == 0);

  const auto json = nlohmann::json::parse(to_json(apart));
  CHECK(json["n"] == 400);
  CHECK(json["second"]["detection"].size() == 2);
  CHECK(json["regression"].is_null());
  std::ostringstream text;
  text << apart;
  CHECK_THAT(text.str(), Contains("n = 400 rows by chance") && Contains("Of the 400 rows of the second"));
  const auto page = to_html(apart, {.title = "<i>", .first = "a&b.csv", .second = "\xff"});
  CHECK_THAT(page, Contains("&lt;i&gt;") && Contains("a&amp;b.csv") && !Contains("\xff") &&
                       Contains("n = 400") && Contains("</html>"));
  // Numbers of a column that are days, as the file has them.
  CHECK_THAT(page, !Contains(">1970-01-"));
  CHECK_THAT(
      to_html(apart, {.formats = {{.name = "a", .role = rs::ColumnRole::date, .pattern = "YYYY-MM-DD"}}}),
      Contains(">1969-12-") && Contains(">1970-01-"));
}

TEST_CASE("the same tables and seed give the same comparison, other threads too", "[evaluate][threads]") {
  const auto first = small_tables::people(300, 1);
  const auto second = small_tables::people(150, 2);
  const auto once = to_json(rs::compare(first, second, {.target = "b", .quick = true, .threads = 1}));
  CHECK(once == to_json(rs::compare(first, second, {.target = "b", .quick = true, .threads = 2})));
  CHECK(once != to_json(rs::compare(first, second, {.target = "b", .quick = true, .seed = 1})));
}

TEST_CASE("tables that cannot be compared are refused", "[evaluate]") {
  const auto table = small_tables::people(300, 1);
  CHECK_THROWS_AS(rs::compare(small_tables::people(199, 1), table), rs::ShapeError);
  CHECK_THROWS_AS(rs::compare(table, small_tables::people(99, 1)), rs::ShapeError);
  CHECK_THROWS_AS(rs::compare(table, table, {.target = "z"}), rs::SchemaError);
  CHECK_THROWS_AS(rs::compare(table, table, {.max_rows = 99}), rs::OptionError);
  auto columns = table.columns();
  columns.pop_back();
  CHECK_THROWS_AS(rs::compare(table, rs::Table(columns)), rs::SchemaError);
}
