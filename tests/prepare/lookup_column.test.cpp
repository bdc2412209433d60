// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/prepare/preparation.hpp>

#include "columns.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;
using test::missing;
using test::names;

namespace {
/// A level of education, its number, the year that it takes to, a town, and its postcode, which is missing
/// for one town; income follows from nothing.
rs::Table people(std::size_t rows = 400) {
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  auto level = rs::Column::categorical("level");
  auto number = rs::Column::numerical("number", {}, 0);
  auto years = rs::Column::numerical("years", {}, 1);
  auto town = rs::Column::categorical("town");
  auto postcode = rs::Column::categorical("postcode");
  auto income = rs::Column::numerical("income", {}, 0);
  const std::vector<std::string> levels{"none", "school", "college", "doctor"};
  const double takes[] = {0, 9.5, 13, 13};
  for (std::size_t r = 0; r < rows; ++r) {
    const auto k = random.below(4);
    level.codes.push_back(level.dictionary.insert(levels[k]));
    number.values.push_back(static_cast<double>(k));
    years.values.push_back(takes[k]);
    const auto t = random.below(7);
    town.codes.push_back(t == 6 ? rs::missing_code : town.dictionary.insert("town " + std::to_string(t)));
    postcode.codes.push_back(t == 2   ? rs::missing_code
                             : t == 6 ? postcode.dictionary.insert("abroad")
                                      : postcode.dictionary.insert(std::to_string(9000 - t / 2)));
    income.values.push_back(std::round(1000 * random.uniform()));
  }
  return rs::Table({level, number, years, town, postcode, income});
}
void check_same(const rs::Table& a, const rs::Table& b) {
  REQUIRE(a.schema() == b.schema());
  REQUIRE(a.rows() == b.rows());
  std::size_t different = 0;
  for (std::size_t c = 0; c < a.size(); ++c)
    for (std::size_t r = 0; r < a.rows(); ++r)
      different += a[c].cell(r).text() != b[c].cell(r).text() || a[c].is_missing(r) != b[c].is_missing(r) ||
                           (a[c].cell(r).is_number() && a[c].values[r] != b[c].values[r])
                       ? 1
                       : 0;
  CHECK(different == 0);
}
rs::PreparationOptions only_lookups() { return {.formulas = false}; }
} // namespace

TEST_CASE("columns that another gives are found, taken out and looked up", "[prepare]") {
  const auto table = people();
  const auto preparation = rs::Preparation::fit(table, only_lookups());
  CHECK(names(preparation.model_schema()) == std::vector<std::string>{"level", "town", "income"});
  check_same(preparation.backward(preparation.forward(table)), table);
  CHECK(rs::Preparation::fit(table, {.formulas = false, .lookups = false, .orders = false})
            .transforms()
            .empty());
}

TEST_CASE("the label stays, and is a key", "[prepare]") {
  const auto labelled = rs::Table(people().into_columns(), "postcode");
  CHECK(names(rs::Preparation::fit(labelled, only_lookups()).model_schema()) ==
        std::vector<std::string>{"level", "town", "postcode", "income"});
}

TEST_CASE("a column is not looked up for one row that differs, or where chance could do it", "[prepare]") {
  auto columns = people().into_columns();
  columns[2].values[17] += 1;
  CHECK(names(rs::Preparation::fit(rs::Table(columns), only_lookups()).model_schema()) ==
        std::vector<std::string>{"level", "years", "town", "income"});
  // Ten rows of seven towns: hardly any town comes twice.
  const auto few = rs::Preparation::fit(people(10), only_lookups());
  CHECK(few.transforms().empty());
  // Keys that are nearly all different say nothing.
  auto key = rs::Column::categorical("key");
  auto value = rs::Column::categorical("value");
  for (int r = 0; r < 300; ++r) {
    key.codes.push_back(key.dictionary.insert("key " + std::to_string(r < 290 ? r : r - 10)));
    value.codes.push_back(value.dictionary.insert(r % 2 == 0 ? "a" : "b"));
  }
  CHECK(rs::Preparation::fit(rs::Table({key, value}), only_lookups()).transforms().empty());
}

TEST_CASE("numbers are keys, and the nearest one stands for others", "[prepare]") {
  auto columns = people().into_columns();
  const rs::Table table({columns[1], columns[0], columns[5]}); // number, level, income
  const auto preparation = rs::Preparation::fit(table, only_lookups());
  REQUIRE(names(preparation.model_schema()) == std::vector<std::string>{"number", "income"});
  auto drawn = rs::Table({rs::Column::numerical("number", {1.4, -7, 99, missing}, 0),
                          rs::Column::numerical("income", {1, 2, 3, 4}, 0)});
  const auto made = preparation.backward(drawn);
  CHECK(made["level"].cell(0).text() == "school");
  CHECK(made["level"].cell(1).text() == "none");
  CHECK(made["level"].cell(2).text() == "doctor");
  CHECK(made["level"].is_missing(3));
}

TEST_CASE("rows that are not what the key says are refused, each by its number", "[prepare]") {
  const auto table = people();
  const auto preparation = rs::Preparation::fit(table, only_lookups());
  auto columns = rs::Table(table).into_columns();
  columns[1].values[3] = 77;
  columns[3].codes[9] = columns[3].dictionary.insert("nowhere");
  CHECK_THROWS_WITH(preparation.forward(rs::Table(columns)),
                    (Contains("'number', row 4") && Contains("'level'")) ||
                        (Contains("'town', row 10") && Contains("nowhere")));
  std::vector<std::size_t> refused;
  CHECK(preparation.forward(rs::Table(columns), refused).rows() == 398);
  CHECK(refused == std::vector<std::size_t>{3, 9});
}

TEST_CASE("a single row is looked up as a table's rows are", "[prepare]") {
  const auto table = people();
  const auto preparation = rs::Preparation::fit(table, only_lookups());
  const auto empty = preparation.backward(preparation.forward(table).select(std::vector<std::size_t>{}));
  std::vector<double> numbers(preparation.slots());
  std::vector<std::int32_t> codes(preparation.slots());
  for (std::size_t r = 0; r < 50; ++r) {
    for (std::size_t c = 0; c < table.size(); ++c) {
      const bool text = table[c].kind == rs::ColumnKind::categorical;
      // Codes of keys count the texts in alphabetical order.
      codes[c] = rs::missing_code;
      numbers[c] = text ? missing : table[c].values[r];
      if (text && !table[c].is_missing(r)) {
        auto texts = table[c].dictionary.texts();
        std::sort(texts.begin(), texts.end());
        codes[c] = static_cast<std::int32_t>(std::find(texts.begin(), texts.end(), table[c].cell(r).text()) -
                                             texts.begin());
      }
    }
    const auto wanted_numbers = numbers;
    const auto wanted_codes = codes;
    REQUIRE(preparation.forward({numbers.data(), codes.data()}));
    numbers[1] = numbers[2] = -1;
    codes[4] = -5;
    CHECK_FALSE(preparation.forward({numbers.data(), codes.data()}));
    preparation.backward({numbers.data(), codes.data()});
    CHECK(numbers[1] == wanted_numbers[1]);
    CHECK(numbers[2] == wanted_numbers[2]);
    CHECK(codes[4] == wanted_codes[4]);
  }
  CHECK(empty["postcode"].dictionary.texts().size() == 4); // in the order that codes count
}

TEST_CASE("a lookup that is impossible is refused", "[prepare]") {
  const auto fitted = rs::Preparation::fit(people(), only_lookups());
  const auto refused = [&](auto&& change) {
    auto transforms = fitted.transforms();
    for (auto& transform : transforms)
      if (auto* lookup = std::get_if<rs::LookupColumn>(&transform); lookup != nullptr && lookup->column == 2)
        change(*lookup);
    CHECK_THROWS_AS(rs::Preparation(people().schema(), transforms), rs::SchemaError);
  };
  refused([](rs::LookupColumn& lookup) { lookup.places.pop_back(); });
  refused([](rs::LookupColumn& lookup) { lookup.places[0] = 9; });
  refused([](rs::LookupColumn& lookup) { lookup.places[0] = -2; });
  refused([](rs::LookupColumn& lookup) { lookup.key = 99; });
  refused([](rs::LookupColumn& lookup) { lookup.key = lookup.column; });
  refused([](rs::LookupColumn& lookup) {
    lookup.key = 3;
    lookup.key_texts = {"b", "a"};
  });
  refused([](rs::LookupColumn& lookup) { lookup.numbers = {1, 1, 2}; });
  refused([](rs::LookupColumn& lookup) { lookup.numbers.clear(); });
  refused([](rs::LookupColumn& lookup) { lookup.categorical = true; });
}
