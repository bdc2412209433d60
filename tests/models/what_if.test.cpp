// SPDX-License-Identifier: MIT
// Pairs of rows of which one column is changed.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/models/rows_meeting.hpp>
#include <rowsmith/models/what_if.hpp>

#include "../deploy/small_models.hpp"
#include "../support/alike.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;
using rs::where;

namespace {

// Of the columns of small::table(), whose columns depend on each other.
const rs::TableModel& a_model() {
  static const rs::TableModel model = [] {
    for (const auto& [name, one] : small::models())
      if (one.schema().columns() == small::table().schema().columns() && !one.conditional() &&
          one.encoder().number_columns() == 0 && one.parts().decoding == rs::Decoding::sample &&
          std::holds_alternative<rs::AutoregressiveNetwork>(one.heads()))
        return one;
    throw rs::Error("there is none");
  }();
  return model;
}
double alike_cells(const rs::Table& a, const rs::Table& b, const std::vector<std::string>& columns) {
  std::size_t same = 0;
  for (const auto& name : columns)
    for (std::size_t row = 0; row < a.rows(); ++row)
      same += alike::cell_text(a, a.schema().index_of(name), row) ==
                      alike::cell_text(b, b.schema().index_of(name), row)
                  ? 1U
                  : 0U;
  return static_cast<double>(same) / static_cast<double>(columns.size() * a.rows());
}

} // namespace

TEST_CASE("both rows of a what-if pair are distributed as the model has them", "[models]") {
  const auto& model = a_model();
  const auto pairs = rs::what_if(
      model, 700, {.seed = 5, .conditions = {where("age").is(42)}, .change = where("city").is("Oslo")});
  CHECK(pairs.kept == std::vector<std::string>{"age"});
  CHECK(pairs.impossible.empty());
  alike::check(model.sample(700, {.seed = 6, .conditions = {where("age").is(42)}}), pairs.before);
  alike::check(model.sample(700, {.seed = 7, .conditions = {where("age").is(42), where("city").is("Oslo")}}),
               pairs.after);
}

TEST_CASE("kept cells are shared, missing ones among them, and the changed one is changed", "[models]") {
  const auto& model = a_model();
  const auto pairs =
      rs::what_if(model, 200, {.seed = 5, .change = where("age").is(30), .keep = {"city", "amount"}});
  const std::size_t age = model.schema().index_of("age");
  std::size_t missing = 0;
  std::size_t differ = 0;
  for (std::size_t row = 0; row < 200; ++row) {
    for (const char* name : {"city", "amount"}) {
      const std::size_t c = model.schema().index_of(name);
      REQUIRE(alike::cell_text(pairs.before, c, row) == alike::cell_text(pairs.after, c, row));
      missing += pairs.before[c].is_missing(row) ? 1U : 0U;
    }
    CHECK(pairs.after[age].values[row] == 30);
    differ += pairs.before[age].values[row] == 30 ? 0U : 1U;
  }
  CHECK(missing > 0); // else nothing is shown of them
  CHECK(differ > 100);
}

TEST_CASE("a pair differs in what the change asks for, and in little else", "[models]") {
  const auto& model = a_model();
  const std::vector<std::string> drawn{"age", "shade", "rich"};
  const rs::WhatIfOptions options{
      .seed = 5, .conditions = {where("city").is("Oslo")}, .change = where("amount").is(0)};
  constexpr std::size_t rows = 1000;
  const auto pairs = rs::what_if(model, rows, options);
  // Rows of other random numbers are alike by chance.
  auto other = options;
  other.seed = 6;
  const double by_chance = alike_cells(rs::what_if(model, rows, other).before, pairs.after, drawn);
  const double error = std::sqrt(2 * by_chance * (1 - by_chance) / static_cast<double>(drawn.size() * rows));
  CHECK(alike_cells(pairs.before, pairs.after, drawn) > by_chance + 3 * error);
  // A row that has the value already is its own pair.
  auto same = options;
  same.change = where("city").is("Oslo");
  const auto unchanged = rs::what_if(model, 100, same);
  for (std::size_t c = 0; c < unchanged.before.size(); ++c)
    for (std::size_t row = 0; row < 100; ++row)
      REQUIRE(alike::cell_text(unchanged.before, c, row) == alike::cell_text(unchanged.after, c, row));
}

TEST_CASE("a pair depends on the model, the seed, the options and its number only", "[models][threads]") {
  const auto& model = a_model();
  rs::WhatIfOptions options{
      .seed = 5, .conditions = {where("age").at_least(30)}, .change = where("city").is("Oslo"), .threads = 4};
  const auto all = rs::what_if(model, 60, options);
  options.threads = 1;
  options.first_row = 40;
  const auto part = rs::what_if(model, 5, options);
  for (std::size_t c = 0; c < part.before.size(); ++c)
    for (std::size_t row = 0; row < 5; ++row) {
      REQUIRE(alike::cell_text(all.before, c, 40 + row) == alike::cell_text(part.before, c, row));
      REQUIRE(alike::cell_text(all.after, c, 40 + row) == alike::cell_text(part.after, c, row));
    }
}

TEST_CASE("a change that contradicts what is kept is said", "[models]") {
  // next = 10 - age
  const rs::TableModel model(small::with_constants(small::all_parts()[5].model));
  const rs::WhatIfOptions options{.seed = 1, .change = where("age").is(30), .keep = {"next"}};
  const auto pairs = rs::what_if(model, 20, options);
  std::size_t agree = 0;
  for (const double next : pairs.before["next"].values)
    agree += next == -20 ? 1U : 0U;
  CHECK(pairs.impossible.size() == 20 - agree);
  // What is not kept follows.
  const auto follows = rs::what_if(model, 20, {.seed = 1, .change = where("age").is(30)});
  CHECK(follows.impossible.empty());
  for (const double next : follows.after["next"].values)
    CHECK(next == -20);
}

TEST_CASE("a change is of one value that the model knows", "[models]") {
  const auto& model = a_model();
  const auto refused = [&](const rs::Condition& change, const std::string& text,
                           const std::vector<std::string>& keep = {}) {
    CHECK_THROWS_WITH(rs::what_if(model, 2, {.change = change, .keep = keep}), Contains(text));
  };
  refused(where("city").one_of({"Oslo", "a\\b"}), "expected to be one value");
  refused(where("city").is_not("Oslo"), "expected to be one value");
  refused(where("age").at_least(3), "expected to be one value");
  refused(where("city").is("Atlantis"), "'Atlantis'");
  refused(where("height").is(3), "height");
  refused(where("city").is("Oslo"), "changed and kept", {"city"});
  refused(where("city").is("Oslo"), "height", {"height"});
}

TEST_CASE("changes of pairs are the means and the errors of their differences", "[models]") {
  const double nan = std::nan("");
  const rs::Table before({rs::Column::numerical("wage", {10, 20, 30, nan}, 0),
                          rs::Column::categorical("job", {"a", "b", "a", "a"})});
  const rs::Table after({rs::Column::numerical("wage", {12, 20, 37, 9}, 0),
                         rs::Column::categorical("job", {"b", "b", "a", "b"})});
  const auto changes = rs::paired_changes(before, after);
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].column == "wage");
  CHECK(changes[0].pairs == 3);
  CHECK(changes[0].before == Approx(20));
  CHECK(changes[0].after == Approx(19.5)); // of all four
  CHECK(changes[0].change == Approx(3));   // 2, 0 and 7
  CHECK(changes[0].error == Approx(std::sqrt(13.0 / 3)));
  CHECK(changes[0].same == Approx(0.25));
  CHECK(changes[1].value == "a");
  CHECK(changes[1].before == Approx(0.75));
  CHECK(changes[1].after == Approx(0.25)); // although the second table counts its categories from b on
  CHECK(changes[1].change == Approx(-0.5));
  CHECK(changes[1].same == Approx(0.5));
  CHECK(changes[2].value == "b");
  CHECK(changes[2].change == Approx(0.5));
  CHECK_THROWS_AS(rs::paired_changes(before, before.select(std::vector<std::size_t>{0})), rs::SchemaError);
}

TEST_CASE("rows that meet conditions are found in any table", "[models]") {
  const rs::Table table({rs::Column::numerical("age", {10, 20, 30, std::nan("")}, 0),
                         rs::Column::categorical("town", {"Oslo", "", "Lima", "Oslo"})});
  const auto rows = [&](const std::vector<rs::Condition>& conditions) {
    return rs::rows_meeting(table, conditions);
  };
  using Rows = std::vector<std::size_t>;
  CHECK(rows({}) == Rows{0, 1, 2, 3});
  CHECK(rows({where("age").at_least(20)}) == Rows{1, 2});
  CHECK(rows({where("age").above(10), where("age").below(30)}) == Rows{1});
  CHECK(rows({where("age").is("20")}) == Rows{1});
  CHECK(rows({where("age").is_not(20)}) == Rows{0, 2});
  CHECK(rows({where("age").is_missing()}) == Rows{3});
  CHECK(rows({where("age").is_present()}) == Rows{0, 1, 2});
  CHECK(rows({where("town").is("Oslo"), where("age").is_present()}) == Rows{0});
  CHECK(rows({where("town").one_of({"Lima", "Paris"})}) == Rows{2});
  CHECK(rows({where("town").is("Paris")}).empty());
  CHECK_THROWS_AS(rows({where("town").at_least(3)}), rs::SchemaError);
  CHECK_THROWS_AS(rows({where("age").is("old")}), rs::SchemaError);
  CHECK_THROWS_AS(rows({where("height").is(3)}), rs::SchemaError);
}
