// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/prepare/preparation.hpp>

#include "columns.hpp"

namespace rs = rowsmith;
using test::missing;
using test::names;

namespace {
constexpr std::size_t row_count = 300;

double rounded(double x, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return std::round(x * scale) / scale;
}

/// Orders: total = price · amount − discount + shipping, and the like.
rs::Table orders(std::uint64_t seed) {
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
  rs::Column amount = rs::Column::numerical("amount", {}, 0);
  auto price = rs::Column::numerical("price", {}, 2);
  auto goods = rs::Column::numerical("goods", {}, 2);
  auto tax = rs::Column::numerical("tax", {}, 2);
  auto shipping = rs::Column::numerical("shipping", {}, 2);
  auto discount = rs::Column::numerical("discount", {}, 2);
  auto total = rs::Column::numerical("total", {}, 2);
  auto share = rs::Column::numerical("share", {}, 3);
  auto born = rs::Column::numerical("born", {}, 0);
  auto age = rs::Column::numerical("age", {}, 0);
  for (std::size_t r = 0; r < row_count; ++r) {
    amount.values.push_back(static_cast<double>(1 + random.below(9)));
    price.values.push_back(rounded(1 + 99 * random.uniform(), 2));
    goods.values.push_back(rounded(amount.values[r] * price.values[r], 2));
    tax.values.push_back(rounded(5 * random.uniform(), 2));
    shipping.values.push_back(random.below(3) == 0 ? 0 : rounded(9 * random.uniform(), 2));
    discount.values.push_back(random.below(2) == 0 ? 0 : rounded(3 * random.uniform(), 2));
    total.values.push_back(
        rounded(goods.values[r] + tax.values[r] + shipping.values[r] - discount.values[r], 2));
    share.values.push_back(rounded(tax.values[r] / goods.values[r], 3));
    born.values.push_back(static_cast<double>(1940 + random.below(60)));
    age.values.push_back(2024 - born.values[r]);
  }
  return rs::Table({amount, price, goods, tax, shipping, discount, total, share, born, age});
}

std::vector<rs::FormulaColumn> formulas(const rs::Preparation& preparation) {
  std::vector<rs::FormulaColumn> found;
  for (const auto& transform : preparation.transforms())
    if (const auto* formula = std::get_if<rs::FormulaColumn>(&transform))
      found.push_back(*formula);
  return found;
}
} // namespace

TEST_CASE("columns that others give are found, taken out and computed", "[prepare]") {
  const auto table = orders(1);
  const auto preparation = rs::Preparation::fit(table);
  CHECK(names(preparation.model_schema()) ==
        std::vector<std::string>{"amount", "price", "tax", "shipping", "discount", "born"});
  const auto back = preparation.backward(preparation.forward(table));
  REQUIRE(back.schema() == table.schema());
  for (std::size_t c = 0; c < table.size(); ++c) {
    INFO("column " << table[c].name);
    CHECK(back[c].decimals == table[c].decimals);
    for (std::size_t r = 0; r < row_count; ++r)
      CHECK(back[c].values[r] == Approx(table[c].values[r]).margin(0.0051).epsilon(0));
  }
  // Sums come back to the last bit.
  CHECK(back["total"].values == table["total"].values);
  CHECK(back["age"].values == table["age"].values);
}

TEST_CASE("other rows keep the formulas when they are computed, and those that do not are refused",
          "[prepare]") {
  const auto preparation = rs::Preparation::fit(orders(1));
  auto other = orders(2);
  CHECK_NOTHROW(preparation.forward(other));
  auto columns = std::move(other).into_columns();
  columns[6].values[7] += 0.01;
  std::vector<std::size_t> refused;
  CHECK(preparation.forward(rs::Table(columns), refused).rows() == row_count - 1);
  CHECK(refused == std::vector<std::size_t>{7});
  CHECK_THROWS_WITH(preparation.forward(rs::Table(columns)),
                    Catch::Contains("'total', row 8") && Catch::Contains("'tax'"));
}

TEST_CASE("a formula is missing where its operands are", "[prepare]") {
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  auto a = rs::Column::numerical("a", {}, 1);
  auto b = rs::Column::numerical("b", {}, 1);
  auto c = rs::Column::numerical("c", {}, 1);
  for (std::size_t r = 0; r < row_count; ++r) {
    a.values.push_back(r % 7 == 0 ? missing : rounded(9 * random.uniform(), 1));
    b.values.push_back(rounded(9 * random.uniform(), 1));
    c.values.push_back(rounded(a.values[r] + b.values[r], 1));
  }
  const rs::Table table({a, b, c});
  const auto preparation = rs::Preparation::fit(table);
  REQUIRE(formulas(preparation).size() == 1);
  const auto back = preparation.backward(preparation.forward(table));
  for (std::size_t r = 0; r < row_count; ++r) {
    CHECK(back["c"].is_missing(r) == table["c"].is_missing(r));
    if (!table["c"].is_missing(r))
      CHECK(back["c"].values[r] == table["c"].values[r]);
  }
  // Missing by itself in one row: no formula of all rows.
  c.values[5] = missing;
  CHECK(formulas(rs::Preparation::fit(rs::Table({a, b, c}))).empty());
}

TEST_CASE("chance is no formula", "[prepare]") {
  // Twelve columns of small whole numbers: in ten rows some of 2,000 sums and products fit by chance.
  for (const std::size_t n : {std::size_t{3}, std::size_t{10}, std::size_t{1000}}) {
    rs::RandomSequence random(rs::RandomStream(4, rs::Purpose::user));
    std::vector<rs::Column> columns;
    for (int c = 0; c < 12; ++c) {
      columns.push_back(rs::Column::numerical("c" + std::to_string(c), {}, 0));
      for (std::size_t r = 0; r < n; ++r)
        columns.back().values.push_back(static_cast<double>(random.below(3)));
    }
    CHECK(formulas(rs::Preparation::fit(rs::Table(columns))).empty());
  }
}

TEST_CASE("a formula of one row is what it is of a table", "[prepare]") {
  const auto table = orders(1);
  const auto preparation = rs::Preparation::fit(table);
  const auto back = preparation.backward(preparation.forward(table));
  for (std::size_t r = 0; r < 20; ++r) {
    std::vector<double> numbers(preparation.slots(), missing);
    std::vector<std::int32_t> codes(preparation.slots());
    for (const auto slot : preparation.model_slots())
      numbers[slot] = table[slot].values[r];
    preparation.backward({numbers.data(), codes.data()});
    for (std::size_t c = 0; c < table.size(); ++c)
      CHECK(numbers[c] == back[c].values[r]);
    CHECK(preparation.forward({numbers.data(), codes.data()}));
    numbers[6] += 1;
    CHECK_FALSE(preparation.forward({numbers.data(), codes.data()}));
  }
}

TEST_CASE("what known cells give is found, one way and the other", "[prepare]") {
  const auto table = orders(1);
  const auto preparation = rs::Preparation::fit(table);
  std::vector<int> decimals(preparation.slots(), -1);
  for (std::size_t c = 0; c < table.size(); ++c)
    decimals[c] = table[c].decimals;
  std::size_t exact = 0;
  for (std::size_t missed = 0; missed < table.size(); ++missed) {
    if (table[missed].name == "amount" || table[missed].name == "price")
      continue; // several prices make goods of the same rounded worth
    for (std::size_t r = 0; r < 20; ++r) {
      std::vector<double> numbers(preparation.slots(), missing);
      std::vector<std::int32_t> codes(preparation.slots());
      std::vector<bool> known(preparation.slots(), false);
      for (std::size_t c = 0; c < table.size(); ++c)
        if (c != missed) {
          numbers[c] = table[c].values[r];
          known[c] = true;
        }
      CAPTURE(table[missed].name, r);
      CHECK(preparation.forward_known({numbers.data(), codes.data()}, known, decimals).empty());
      if (table[missed].name == "share" && !known[missed])
        continue;
      REQUIRE(known[missed]); // every column is part of a formula
      CHECK(numbers[missed] == Approx(table[missed].values[r]));
      ++exact;
    }
  }
  CHECK(exact >= 140);
  // Two that are open stay so, and a contradiction names who is in it.
  std::vector<double> numbers(preparation.slots(), missing);
  std::vector<std::int32_t> codes(preparation.slots());
  std::vector<bool> known(preparation.slots(), false);
  const auto born = table.schema().index_of("born");
  const auto age = table.schema().index_of("age");
  numbers[born] = 1980;
  numbers[age] = 30;
  known[born] = known[age] = true;
  CHECK(preparation.forward_known({numbers.data(), codes.data()}, known, decimals) ==
        std::vector<std::size_t>{age});
  CHECK_FALSE(known[0]);
}

TEST_CASE("formulas can be switched off, declared, and impossible ones are refused", "[prepare]") {
  const auto table = orders(1);
  CHECK(formulas(rs::Preparation::fit(table, {.formulas = false})).empty());
  const rs::FormulaColumn age{.column = 9, .operands = {8}, .signs = {-1}, .constant = 2024, .decimals = 0};
  const rs::Preparation declared(table.schema(), {age});
  CHECK(declared.model_schema().size() == 9);
  CHECK(declared.backward(declared.forward(table))["age"].values == table["age"].values);
  for (auto wrong : {rs::FormulaColumn{.column = 9, .operands = {9}, .signs = {1}},
                     rs::FormulaColumn{.column = 9, .operands = {8}, .signs = {2}},
                     rs::FormulaColumn{.column = 9, .operands = {80}, .signs = {1}},
                     rs::FormulaColumn{.column = 9, .form = 2, .operands = {8}},
                     rs::FormulaColumn{.column = 9, .operands = {8}, .signs = {1}, .constant = missing}})
    CHECK_THROWS_AS(rs::Preparation(table.schema(), {wrong}), rs::SchemaError);
}
