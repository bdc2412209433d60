// SPDX-License-Identifier: MIT
#include <rowsmith/core/statistics.hpp>

#include <array>
#include <cmath>
#include <span>

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
