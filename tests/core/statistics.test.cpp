// SPDX-License-Identifier: MIT
#include <rowsmith/core/statistics.hpp>

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <catch2/catch.hpp>

namespace rs = rowsmith;

TEST_CASE("mean and sample standard deviation", "[core][statistics]") {
  // Squared distances from the mean 5 sum to 32.
  const std::array<double, 8> values{2, 4, 4, 4, 5, 5, 7, 9};
  const auto result = rs::mean_sd(values);
  CHECK(result.mean == 5);
  CHECK(result.sd == Approx(std::sqrt(32.0 / 7)).epsilon(1e-15));
  CHECK(result.n == 8);
}

TEST_CASE("fewer than two values have no spread", "[core][statistics]") {
  const std::array<double, 1> one{3.5};
  CHECK(rs::mean_sd(one).mean == 3.5);
  CHECK(rs::mean_sd(one).sd == 0);
  CHECK(rs::mean_sd(one).n == 1);
  CHECK(rs::mean_sd({}).n == 0);
}

TEST_CASE("a spread far from zero is not lost", "[core][statistics]") {
  const std::array<double, 3> values{1e9 + 1, 1e9 + 2, 1e9 + 3};
  CHECK(rs::mean_sd(values).sd == Approx(1).epsilon(1e-12));
}

TEST_CASE("normal_quantile: published values, and the inverse of the distribution in both tails",
          "[core][statistics]") {
  CHECK(rs::normal_quantile(0.5) == Approx(0).margin(1e-12));
  CHECK(rs::normal_quantile(0.975) == Approx(1.959963984540054).epsilon(1e-12));
  CHECK(rs::normal_quantile(0.001) == Approx(-3.090232306167814).epsilon(1e-12));
  for (const double tail : {1e-300, 1e-40, 1e-9, 0.2})
    CHECK(0.5 * std::erfc(-rs::normal_quantile(tail) / std::sqrt(2.0)) == Approx(tail).epsilon(1e-9));
}

TEST_CASE("simplest_within_error: a complex model has to be better by more than chance",
          "[core][statistics]") {
  using Losses = std::vector<std::vector<double>>;
  // Differences of 1, -1, 1, -1 and .1 in the mean: an error of .58.
  const std::vector<double> simple{2.1, 0.1, 2.1, 0.1};
  const std::vector<double> complex{1, 1, 1, 1};
  CHECK(rs::simplest_within_error(Losses{simple, complex}) == 0);
  CHECK(rs::simplest_within_error(Losses{complex, simple}) == 0); // simple and better
  // Better in the mean by .6 of the same differences.
  CHECK(rs::simplest_within_error(Losses{{2.6, 0.6, 2.6, 0.6}, complex}) == 1);
  // Rows differ much, models in each row by the same: that is no chance.
  CHECK(rs::simplest_within_error(Losses{{101, 1, 301, 1}, {100, 0, 300, 0}}) == 1);
  // The first that is near enough to the best.
  CHECK(rs::simplest_within_error(Losses{{9, 9, 9, 9}, simple, complex}) == 1);
  CHECK(rs::simplest_within_error(Losses{complex}) == 0);
}
