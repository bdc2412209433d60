// SPDX-License-Identifier: MIT
#include <rowsmith/linalg/large_cholesky.hpp>

#include <cstddef>
#include <vector>

#include <Eigen/Core>
#include <catch2/catch.hpp>

namespace rs = rowsmith;

namespace {
using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Positive definite; the same for the same size.
Square definite(Eigen::Index n) {
  Square factor(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j)
      factor(i, j) = static_cast<double>((i * 37 + j * 101 + i * j) % 89) / 89 - 0.5;
  return factor * factor.transpose() + Square::Identity(n, n);
}
} // namespace

TEST_CASE("cholesky: the factor, and its inverse, of sizes below, at and above a block", "[linalg]") {
  for (const Eigen::Index n : {1, 2, 63, 64, 65, 130, 200}) {
    CAPTURE(n);
    const Square wanted = definite(n);
    Square factor = wanted;
    Square small = wanted;
    REQUIRE(rs::cholesky(small.data(), static_cast<std::size_t>(n)));
    REQUIRE(rs::large_cholesky(factor.data(), static_cast<std::size_t>(n)));
    CHECK((small - factor).cwiseAbs().maxCoeff() < 1e-10 * wanted.cwiseAbs().maxCoeff());
    const Square lower = factor.triangularView<Eigen::Lower>();
    CHECK((lower * lower.transpose() - wanted).cwiseAbs().maxCoeff() < 1e-10 * wanted.cwiseAbs().maxCoeff());
    Square inverse = Square::Constant(n, n, 7); // all of it is written
    rs::invert_lower(factor.data(), static_cast<std::size_t>(n), inverse.data());
    CHECK((inverse * lower - Square::Identity(n, n)).cwiseAbs().maxCoeff() < 1e-10);
    CHECK(Square(inverse.triangularView<Eigen::StrictlyUpper>()).cwiseAbs().maxCoeff() == 0);
  }
}

TEST_CASE("cholesky: a pivot that is not positive is told, or raised", "[linalg]") {
  for (const Eigen::Index n : {3, 100}) {
    Square wrong = definite(n);
    wrong.row(n - 1) = wrong.row(n - 2); // depends on another
    wrong.col(n - 1) = wrong.col(n - 2);
    wrong(n - 1, n - 1) = wrong(n - 2, n - 2) - 1e-3;
    Square factor = wrong;
    CHECK_FALSE(rs::large_cholesky(factor.data(), static_cast<std::size_t>(n)));
    factor = wrong;
    REQUIRE(rs::large_cholesky(factor.data(), static_cast<std::size_t>(n), 0.25));
    CHECK(factor(n - 1, n - 1) == 0.5);
  }
}
