// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include <rowsmith/models/expressible_rows.hpp>

namespace rs = rowsmith;

TEST_CASE("rows with a category or an empty cell that training lacks cannot be expressed", "[models]") {
  const auto table = [](std::vector<double> n, const std::vector<std::string>& c) {
    auto column = rs::Column::categorical("c");
    for (const auto& text : c)
      column.codes.push_back(text.empty() ? rs::missing_code : column.dictionary.insert(text));
    return rs::Table({rs::Column::numerical("n", std::move(n)), column});
  };
  const auto full = table({1, 2}, {"x", "y"});
  const auto gaps = table({1, std::nan("")}, {"x", ""});
  const auto asked = table({9, std::nan(""), 1, 1}, {"y", "x", "z", ""});
  CHECK(rs::expressible_rows(asked, full) == std::vector<std::size_t>{0});
  CHECK(rs::expressible_rows(asked, gaps) == std::vector<std::size_t>{1, 3});
}

TEST_CASE("rows that break what a preparation keeps cannot be expressed", "[models]") {
  std::vector<double> a, b, c;
  for (int i = 0; i < 60; ++i) {
    a.push_back(i % 7);
    b.push_back(i % 11);
    c.push_back(a.back() + b.back());
  }
  const auto table = [](auto x, auto y, auto z) {
    return rs::Table({rs::Column::numerical("a", x, 0), rs::Column::numerical("b", y, 0),
                      rs::Column::numerical("c", z, 0)});
  };
  const auto train = table(a, b, c);
  const auto preparation = rs::Preparation::fit(train);
  REQUIRE_FALSE(preparation.transforms().empty());
  using Numbers = std::vector<double>;
  const auto asked = table(Numbers{1, 1, 2}, Numbers{2, 2, 2}, Numbers{3, 4, 4});
  CHECK(rs::expressible_rows(asked, train) == std::vector<std::size_t>{0, 1, 2});
  std::vector<std::size_t> broken{9}; // from before
  CHECK(rs::expressible_rows(asked, train, preparation, broken) == std::vector<std::size_t>{0, 2});
  CHECK(broken == std::vector<std::size_t>{1});
}

TEST_CASE("a category that a dictionary alone holds is none of the training rows", "[models]") {
  const rs::Table all({rs::Column::categorical("town", {"Rome", "Oslo", "Rome", "Bern"})});
  const std::vector<std::size_t> some{0, 3};
  const std::vector<std::size_t> others{1, 2};
  CHECK(rs::expressible_rows(all.select(others), all.select(some)) == std::vector<std::size_t>{1});
}
