// SPDX-License-Identifier: MIT
// Partial rows that are completed.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/models/imputation.hpp>

#include "../deploy/small_models.hpp"
#include "../support/alike.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;
using rs::where;

namespace {

bool completes(const rs::TableModel& model) {
  return model.encoder().number_columns() == 0 && model.parts().decoding == rs::Decoding::sample &&
         !std::holds_alternative<rs::JointCodes>(model.heads());
}

// So many rows of one city and one age or amount, and nothing else.
rs::Table of_city(std::size_t rows, const std::string& city, const std::string& number, double value) {
  return rs::Table({rs::Column::categorical("city", std::vector<std::string>(rows, city)),
                    rs::Column::numerical(number, std::vector<double>(rows, value), 2)});
}

// With cells taken away, one in `every`.
rs::Table with_holes(const rs::Table& whole, std::uint32_t every) {
  auto columns = rs::Table(whole).into_columns();
  rs::RandomSequence random(rs::RandomStream(23, rs::Purpose::user));
  for (auto& column : columns)
    for (std::size_t row = 0; row < column.rows(); ++row)
      if (random.below(every) == 0) {
        if (column.kind == rs::ColumnKind::numerical)
          column.values[row] = std::nan("");
        else
          column.codes[row] = rs::missing_code;
      }
  return rs::Table(std::move(columns), whole.schema().label());
}

} // namespace

TEST_CASE("cells are filled as the model has them in rows with the others", "[models]") {
  std::size_t compared = 0;
  for (const auto& [name, model] : small::models()) {
    if (model.schema().columns() != small::table().schema().columns() || !completes(model))
      continue;
    CAPTURE(name);
    // 0 has a code of its own, 42 is a code or in a bin.
    for (const bool by_amount : {true, false}) {
      const std::string column = by_amount ? "amount" : "age";
      const double value = by_amount ? 0 : 42;
      const std::vector<rs::Condition> conditions{where("city").is("Oslo"), where(column).is(value)};
      if (model.resolve(conditions, true).support().effective < 16)
        continue; // what was never trained may hardly ever draw such rows
      const auto asked = model.sample(400, {.seed = 2, .conditions = conditions});
      const auto made = rs::impute(model, of_city(400, "Oslo", column, value), {.seed = 3, .effective = 48});
      CAPTURE(column);
      CHECK(made.unsure.empty());
      CHECK(made.broken.empty());
      CHECK(made.left_missing == 0);
      alike::check(asked, made.table);
      ++compared;
    }
  }
  CHECK(compared > 8);
}

TEST_CASE("the best guess is the mean, and the most frequent category, of what is drawn", "[models]") {
  const auto model = [] {
    for (const auto& [name, one] : small::models())
      if (completes(one) && std::holds_alternative<rs::AutoregressiveNetwork>(one.heads()) &&
          !one.conditional())
        return one;
    throw rs::Error("there is none");
  }();
  const std::size_t rows = 600;
  auto columns = of_city(rows, "Oslo", "age", 30).into_columns();
  columns.push_back(rs::Column::numerical("amount", std::vector<double>(rows, std::nan("")), 2));
  auto shade = rs::Column::categorical("shade");
  shade.codes.assign(rows, rs::missing_code);
  columns.push_back(shade);
  const rs::Table given(std::move(columns));
  const auto drawn = rs::impute(model, given, {.seed = 3}).table;
  const std::vector<std::size_t> first{0}; // all rows are the same
  const auto guess =
      rs::impute(model, given.select(first),
                 {.seed = 4, .fill = rs::Fill::expect, .effective = 1000, .candidates = 20'000})
          .table;
  double mean = 0;
  double squares = 0;
  for (const double x : drawn["amount"].values) {
    REQUIRE_FALSE(std::isnan(x)); // although such rows may miss it
    mean += x / static_cast<double>(rows);
    squares += x * x / static_cast<double>(rows);
  }
  const double error = std::sqrt((squares - mean * mean) / static_cast<double>(rows));
  CHECK(guess["amount"].values[0] == Approx(mean).margin(4 * error));
  std::vector<std::size_t> counts(drawn["shade"].dictionary.size());
  for (const auto code : drawn["shade"].codes)
    ++counts[static_cast<std::size_t>(code)];
  const auto chosen = static_cast<std::size_t>(guess["shade"].codes[0]);
  for (const auto count : counts)
    CHECK(static_cast<double>(counts[chosen]) >
          static_cast<double>(count) - 4 * std::sqrt(static_cast<double>(count)));
}

TEST_CASE("a completed row depends on the model, the seed, its cells and its number only",
          "[models][threads]") {
  const auto model = small::models().at(6).model;
  REQUIRE(completes(model));
  const auto given = with_holes(small::table(60), 3);
  const auto all = rs::impute(model, given, {.seed = 5, .threads = 4});
  const auto again = rs::impute(model, given, {.seed = 5, .threads = 1});
  const std::vector<std::size_t> some{40, 41, 42};
  const auto part = rs::impute(model, given.select(some), {.seed = 5, .first_row = 40});
  std::size_t filled = 0;
  for (std::size_t c = 0; c < given.size(); ++c)
    for (std::size_t r = 0; r < given.rows(); ++r) {
      REQUIRE(alike::cell_text(all.table, c, r) == alike::cell_text(again.table, c, r));
      if (r >= 40 && r < 43)
        REQUIRE(alike::cell_text(all.table, c, r) == alike::cell_text(part.table, c, r - 40));
      REQUIRE_FALSE(all.table[c].is_missing(r));
      if (given[c].is_missing(r))
        ++filled;
      else
        REQUIRE(alike::cell_text(all.table, c, r) == alike::cell_text(given, c, r));
    }
  CHECK(all.filled == filled);
  CHECK(filled > 60);
}

TEST_CASE("cells that the model cannot know are kept, and said", "[models]") {
  const auto model = [] {
    for (const auto& [name, one] : small::models())
      if (completes(one) && one.schema().columns() == small::table().schema().columns() &&
          !one.encoder().codecs()[3].has_other)
        return one;
    throw rs::Error("there is none");
  }();
  auto city = rs::Column::categorical("city", {"Oslo", "Atlantis", "Atlantis"});
  auto age = rs::Column::numerical("age", {std::nan(""), std::nan(""), 30}, 0);
  auto amount = rs::Column::numerical("amount", {1.23456, 1e9, std::nan("")}, 5);
  const auto made = rs::impute(model, rs::Table({city, age, amount}));
  CHECK(made.unknown == 2);
  CHECK(made.table["city"].cell(1).text() == "Atlantis");
  CHECK(made.table["amount"].values[0] == 1.23456);
  CHECK(made.table["amount"].values[1] == 1e9);
  CHECK(made.table["amount"].decimals == 5);
  CHECK_FALSE(made.table["age"].is_missing(1));
  // Of columns that are not there cells may be missing, but not the label's.
  CHECK(made.table["rich"].missing_count() == 0);
}

TEST_CASE("completed rows keep the relations that the preparation keeps", "[models]") {
  const rs::TableModel model(small::related_parts());
  const auto given = with_holes(small::related_table(120), 6);
  for (const auto fill : {rs::Fill::draw, rs::Fill::expect}) {
    const auto made = rs::impute(model, given, {.fill = fill, .candidates = 1024});
    CAPTURE(static_cast<int>(fill), made.broken.size());
    CHECK(made.broken.size() < 3);
    for (std::size_t r = 0; r < given.rows(); ++r) {
      if (std::find(made.broken.begin(), made.broken.end(), r) != made.broken.end())
        continue;
      CAPTURE(r);
      CHECK(made.table["most"].values[r] >= made.table["age"].values[r]);
      CHECK(made.table["last"].values[r] >= made.table["age"].values[r]);
      CHECK(made.table["note"].is_missing(r) == made.table["amount"].is_missing(r));
      CHECK(made.table["rate"].is_missing(r) == made.table["amount"].is_missing(r));
    }
    for (std::size_t c = 0; c < given.size(); ++c)
      for (std::size_t r = 0; r < given.rows(); ++r)
        if (!given[c].is_missing(r))
          REQUIRE(alike::cell_text(made.table, c, r) == alike::cell_text(given, c, r));
  }
}

TEST_CASE("a number that often equals the one that is there does so as often", "[models]") {
  const rs::TableModel model(small::related_parts());
  const auto rows = model.sample(600, {.seed = 8});
  const auto equal = [](const rs::Table& table) {
    double count = 0;
    for (std::size_t r = 0; r < table.rows(); ++r)
      count += table["paid"].values[r] == table["amount"].values[r] ? 1 : 0;
    return count / static_cast<double>(table.rows());
  };
  const auto made = rs::impute(model, rs::Table({rows["paid"]}), {.seed = 9, .candidates = 2048});
  REQUIRE(equal(rows) > 0.1);
  CHECK(made.broken.empty());
  CHECK(equal(made.table) == Approx(equal(rows)).margin(4 * std::sqrt(2 * 0.25 / 600)));
}

TEST_CASE("a date that is there has the one that it follows before it", "[models]") {
  const rs::TableModel model(small::dated_parts());
  const auto rows = model.sample(60, {.seed = 8});
  const auto made = rs::impute(model, rs::Table({rows["sent"]}), {.seed = 9, .candidates = 512});
  CHECK(made.broken.empty());
  for (std::size_t r = 0; r < 60; ++r)
    if (!made.table["ordered"].is_missing(r)) {
      const double days = made.table["sent"].values[r] - std::floor(made.table["ordered"].values[r] / 86400);
      CHECK((days >= 0 && days <= 10));
    }
}

TEST_CASE("what known cells give is computed, one way and the other", "[models]") {
  const rs::TableModel model(small::with_constants(small::all_parts()[5].model));
  REQUIRE(completes(model));
  // next = 10 - age
  const rs::Table given({rs::Column::numerical("age", {std::nan(""), 33}, 0),
                         rs::Column::numerical("next", {-11, std::nan("")}, 0),
                         rs::Column::categorical("city", {"Oslo", "a\\b"})});
  const auto made = rs::impute(model, given);
  CHECK(made.broken.empty());
  CHECK(made.table["age"].values[0] == 21);
  CHECK(made.table["next"].values[1] == -23);
  CHECK(made.table["year"].values[0] == 2024.5);
  CHECK(made.table["zone"].is_missing(0));
  CHECK(made.table["zone"].cell(1).text() == "b");
  // A row that contradicts itself keeps its cells, and others of its relations.
  const auto wrong = rs::impute(
      model, rs::Table({rs::Column::numerical("age", {30}, 0), rs::Column::numerical("next", {5}, 0),
                        rs::Column::categorical("city", {"a\\b"})}));
  CHECK(wrong.broken == std::vector<std::size_t>{0});
  CHECK(wrong.table["next"].values[0] == 5);
  CHECK(wrong.table["zone"].cell(0).text() == "b");
  // So does one without a missing cell.
  const auto whole = rs::impute(model, wrong.table);
  CHECK(whole.broken == std::vector<std::size_t>{0});
  CHECK(whole.table["next"].values[0] == 5);
  // A column that is missing in all rows stays so, and is no reason to call a row broken.
  auto none = rs::Column::categorical("none");
  none.codes = {rs::missing_code, rs::missing_code};
  const auto empty = rs::impute(model, rs::Table({none, rs::Column::categorical("city", {"Oslo", "a\\b"})}));
  CHECK(empty.broken.empty());
  CHECK(empty.unsure.empty());
  CHECK(empty.left_missing == 2);
  // What is looked up tells which keys there can be.
  const auto keyed =
      rs::impute(model, rs::Table({rs::Column::categorical("zone", {"b", "a \"long\" name"})}));
  CHECK(keyed.broken.empty());
  CHECK(keyed.table["city"].cell(0).text().size() < 5);
  CHECK(keyed.table["city"].cell(1).text().size() >= 5);
}

TEST_CASE("models without a distribution, and tables of other columns, cannot be completed", "[models]") {
  std::size_t refused = 0;
  for (const auto& [name, model] : small::models())
    if (!completes(model)) {
      CAPTURE(name);
      CHECK_THROWS_WITH(rs::impute(model, rs::Table({rs::Column::numerical("age", {1})})),
                        Contains("no distribution"));
      ++refused;
    }
  CHECK(refused > 3);
  const auto model = small::models().at(6).model;
  CHECK_THROWS_WITH(rs::impute(model, rs::Table({rs::Column::numerical("height", {1})})), Contains("height"));
  CHECK_THROWS_WITH(rs::impute(model, rs::Table({rs::Column::numerical("city", {1})})),
                    Contains("'city'") && Contains("expected categorical"));
  CHECK_THROWS_AS(rs::impute(model, rs::Table({rs::Column::numerical("age", {1})}), {.candidates = 0}),
                  rs::OptionError);
}
