// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <rowsmith/evaluate/linear_model.hpp>

#include "small_tables.hpp"

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;
using small_tables::people;

namespace {

std::vector<std::uint32_t> all_rows(std::size_t n) {
  std::vector<std::uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

ev::LinearRows rows_of(const rs::Table& table, std::size_t max_categories = 64) {
  const rs::Table* const tables[] = {&table};
  return ev::linear_rows(tables, ev::SharedCodes(tables), ev::SharedCodes::none, max_categories);
}

double score(const ev::LinearRows& x, std::size_t row, const std::vector<double>& weights) {
  double sum = weights.back();
  for (std::size_t f = 0; f < x.features; ++f)
    sum += weights[x.position[row * x.features + f]] * x.value[row * x.features + f];
  return sum;
}

} // namespace

TEST_CASE("the gradient of the penalised likelihood vanishes at the solution", "[evaluate]") {
  const auto table = people(500, 1);
  const auto x = rows_of(table);
  std::vector<std::uint16_t> labels;
  for (std::size_t i = 0; i < 500; ++i)
    labels.push_back(static_cast<std::uint16_t>(table["y"].codes[i]));
  const auto rows = all_rows(400); // the others must not matter
  for (const double penalty : {0.1, 5.0}) {
    const auto model = ev::LogisticRegression::fit(x, rows, labels, 2, {.penalty = penalty});
    const auto& weights = model.weights()[0];
    REQUIRE(weights.size() == x.width + 1);
    std::vector<double> gradient(weights.size());
    for (std::size_t k = 0; k < x.width; ++k)
      gradient[k] = penalty * weights[k];
    for (const auto row : rows) {
      const double residual = 1 / (1 + std::exp(-score(x, row, weights))) - labels[row];
      for (std::size_t f = 0; f < x.features; ++f)
        gradient[x.position[row * x.features + f]] += residual * x.value[row * x.features + f];
      gradient.back() += residual;
    }
    for (const double slope : gradient)
      CHECK(slope == Approx(0).margin(1e-3));
  }
}

TEST_CASE("so does that of the penalised squares", "[evaluate]") {
  const auto table = people(300, 2);
  const auto x = rows_of(table);
  const auto rows = all_rows(300);
  const auto& targets = table["b"].values;
  const auto model = ev::RidgeRegression::fit(x, rows, targets, {.penalty = 2});
  std::vector<double> gradient(x.width + 1);
  for (std::size_t k = 0; k < x.width; ++k)
    gradient[k] = 2 * model.weights()[k];
  const auto predicted = model.predict(x, rows);
  for (const auto row : rows) {
    for (std::size_t f = 0; f < x.features; ++f)
      gradient[x.position[row * x.features + f]] +=
          (predicted[row] - targets[row]) * x.value[row * x.features + f];
    gradient.back() += predicted[row] - targets[row];
  }
  for (const double slope : gradient)
    CHECK(slope == Approx(0).margin(1e-8));
}

TEST_CASE("a design matrix has numbers of unit variance and a column a category", "[evaluate]") {
  const rs::Table table({rs::Column::numerical("x", {1, 2, 3, std::nan("")}),
                         rs::Column::categorical("g", {"a", "b", "a", "c"})});
  const auto x = rows_of(table);
  CHECK(x.width == 6); // x, x missing, g: a, b, c and the missing one
  CHECK(x.value[0] == Approx(-std::sqrt(1.5)));
  CHECK(x.position[3 * 2] == 1);
  CHECK(x.value[3 * 2] == 1);
  CHECK(x.position[1] == x.position[2 * 2 + 1]);
  CHECK(x.position[1] != x.position[3]);
  CHECK(rows_of(table, 2).width == 4); // b, c and missing share a column
}

TEST_CASE("probabilities of three classes add up to 1 and follow the classes", "[evaluate]") {
  std::vector<double> v;
  std::vector<std::uint16_t> labels;
  for (int i = 0; i < 90; ++i) {
    v.push_back(i);
    labels.push_back(static_cast<std::uint16_t>(i / 30));
  }
  const auto x = rows_of(rs::Table({rs::Column::numerical("v", v), rs::Column::numerical("w", v)}));
  const auto model = ev::LogisticRegression::fit(x, all_rows(90), labels, 3);
  const auto p = model.predict_probability(x, all_rows(90));
  for (std::size_t i = 0; i < 90; ++i)
    CHECK(p[3 * i] + p[3 * i + 1] + p[3 * i + 2] == Approx(1));
  CHECK(p[0] > p[1]);
  CHECK(p[3 * 89 + 2] > p[3 * 89 + 1]);
}

TEST_CASE("one class, separable classes and constant columns end well", "[evaluate]") {
  const rs::Table table({rs::Column::numerical("x", {1, 2, 3, 4}), rs::Column::numerical("k", {5, 5, 5, 5})});
  const auto x = rows_of(table);
  for (const auto& labels : {std::vector<std::uint16_t>{0, 0, 0, 0}, {0, 0, 1, 1}, {1, 1, 1, 1}}) {
    const auto p = ev::LogisticRegression::fit(x, all_rows(4), labels, 2).predict_probability(x, all_rows(4));
    for (const double each : p)
      CHECK((each >= 0 && each <= 1));
    if (labels[0] == labels[3])
      CHECK(p[labels[0]] > 0.9);
  }
  CHECK_THROWS_AS(ev::LogisticRegression::fit(x, {}, std::vector<std::uint16_t>(4), 2), rs::ShapeError);
  CHECK_THROWS_AS(ev::LogisticRegression::fit(x, all_rows(4), std::vector<std::uint16_t>(3), 2),
                  rs::ShapeError);
  CHECK_THROWS_AS(ev::RidgeRegression::fit(x, all_rows(4), std::vector<double>(4), {.penalty = 0}),
                  rs::OptionError);
}

TEST_CASE("linear models have the same bits on any number of threads", "[evaluate][threads]") {
  const auto table = people(800, 3);
  const auto x = rows_of(table);
  std::vector<std::uint16_t> labels;
  for (const auto code : table["y"].codes)
    labels.push_back(static_cast<std::uint16_t>(code));
  const auto one = ev::LogisticRegression::fit(x, all_rows(800), labels, 2, {.threads = 1}).weights();
  CHECK(one == ev::LogisticRegression::fit(x, all_rows(800), labels, 2, {.threads = 3}).weights());
}

TEST_CASE("linear models refuse what they cannot learn from", "[evaluate]") {
  const rs::Table table({rs::Column::numerical("n", {1, 2, 3, 4})});
  const rs::Table* const tables[] = {&table};
  const auto x = ev::linear_rows(tables, ev::SharedCodes({&table}));
  const std::vector<std::uint32_t> outside{0, 4};
  const std::vector<std::uint16_t> labels{0, 1, 2, 1};
  const std::vector<double> targets{0, 1, std::nan(""), 1};
  using Logistic = ev::LogisticRegression;
  CHECK_THROWS_WITH(Logistic::fit(x, all_rows(4), labels, 2), Catch::Contains("row 2 is of class 2"));
  CHECK_THROWS_WITH(Logistic::fit(x, outside, labels, 3), Catch::Contains("row 4 of"));
  CHECK_THROWS_WITH(ev::RidgeRegression::fit(x, all_rows(4), targets), Catch::Contains("row 2 is nan"));
  CHECK_THROWS_WITH(ev::RidgeRegression::fit(x, outside, targets), Catch::Contains("row 4 of"));
  auto broken = x;
  broken.position[1] = 9;
  CHECK_THROWS_WITH(Logistic::fit(broken, all_rows(4), labels, 3), Catch::Contains("column 9"));
  broken = x;
  broken.value[3] = std::nan("");
  CHECK_THROWS_AS(Logistic::fit(broken, all_rows(4), labels, 3), rs::ShapeError);
  broken.value.pop_back();
  CHECK_THROWS_AS(Logistic::fit(broken, all_rows(4), labels, 3), rs::ShapeError);
  const auto model = Logistic::fit(x, all_rows(4), labels, 3);
  CHECK_THROWS_AS(model.predict_probability(x, outside), rs::ShapeError);
  auto wider = x;
  ++wider.width;
  CHECK_THROWS_AS(model.predict_probability(wider, all_rows(4)), rs::ShapeError);
}
