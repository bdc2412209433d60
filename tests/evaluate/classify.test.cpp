// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/evaluate/classify.hpp>

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

// The class is the sign of x, but for one row in ten.
rs::Table signs(std::size_t rows, std::uint64_t seed) {
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
  auto x = rs::Column::numerical("x");
  auto kind = rs::Column::categorical("kind");
  for (std::size_t i = 0; i < rows; ++i) {
    x.values.push_back(random.normal());
    kind.codes.push_back(
        kind.dictionary.insert((x.values[i] > 0) != (random.below(10) == 0) ? "plus" : "minus"));
  }
  return rs::Table({x, kind});
}

} // namespace

TEST_CASE("a column is learnt from some rows and predicted in others", "[evaluate]") {
  const auto train = signs(600, 1);
  const auto test = signs(400, 2);
  for (const auto classifier : {rs::Classifier::forest, rs::Classifier::boosted, rs::Classifier::linear}) {
    const auto told = rs::classify(train, test, "kind", {.classifier = classifier, .seed = 3});
    REQUIRE(told.rows() == 400);
    REQUIRE(told.classes == std::vector<std::string>{"minus", "plus"});
    const auto minus = told.of_class(told.class_index("minus"));
    const auto plus = told.of_class(told.class_index("plus"));
    const auto is_plus = told.is_class(1);
    const auto predicted = told.predicted();
    std::size_t right = 0;
    for (std::size_t i = 0; i < 400; ++i) {
      CHECK(minus[i] + plus[i] == Approx(1));
      CHECK((is_plus[i] == 1) == (test["kind"].cell(i).text() == "plus"));
      CHECK((predicted[i] == 1) == (plus[i] > minus[i]));
      right += predicted[i] == told.labels[i] ? 1U : 0U;
    }
    CHECK(right > 310);
  }
}

TEST_CASE("rows that are there several times count as often", "[evaluate]") {
  const auto train = signs(600, 1);
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < 600; ++i)
    rows.insert(rows.end(), train["kind"].cell(i).text() == "plus" ? 9 : 1, i);
  const auto test = signs(400, 2);
  const auto mean = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values)
      sum += value / static_cast<double>(values.size());
    return sum;
  };
  const rs::evaluate::ClassifyOptions options{.classifier = rs::Classifier::linear};
  CHECK(mean(rs::classify(train.select(rows), test, "kind", options).of_class(1)) >
        mean(rs::classify(train, test, "kind", options).of_class(1)) + 0.15);
}

TEST_CASE("targets that cannot be learnt are refused", "[evaluate]") {
  const auto train = signs(50, 1);
  CHECK_THROWS_WITH(rs::classify(train, signs(50, 2), "x"), Contains("categorical"));
  CHECK_THROWS_WITH(rs::classify(train, signs(50, 2), "y"), Contains("'y'"));
  const std::vector<std::size_t> one{0};
  CHECK_THROWS_WITH(rs::classify(train, train.select(one), "kind"), Contains("one class"));
  CHECK_THROWS_AS(rs::classify(train, signs(50, 2), "kind").class_index("zero"), rs::SchemaError);
}
