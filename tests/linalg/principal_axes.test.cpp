// SPDX-License-Identifier: MIT
#include <rowsmith/linalg/principal_axes.hpp>

#include <cstddef>

#include <Eigen/Eigenvalues>
#include <catch2/catch.hpp>

namespace rs = rowsmith;

namespace {
using Values = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// n × count, of numbers about 0.
Values loadings(Eigen::Index n, Eigen::Index count) {
  Values result(n, count);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < count; ++j)
      result(i, j) = (static_cast<double>((i * 53 + j * 71 + i * i * j) % 97) / 97 - 0.5) /
                     (1 + 0.6 * static_cast<double>(j));
  return result;
}
Values as_matrix(const rs::AlignedBuffer<double>& values, Eigen::Index rows, Eigen::Index columns) {
  return Eigen::Map<const Values>(values.data(), rows, columns);
}
} // namespace

TEST_CASE("principal_axes: those of Eigen's solver, orthonormal", "[linalg]") {
  const Eigen::Index n = 70;
  const Eigen::Index count = 4;
  const Values strong = loadings(n, count);
  const Values symmetric = 10 * strong * strong.transpose() + 0.01 * Values::Identity(n, n);
  const Values axes =
      as_matrix(rs::principal_axes(symmetric.data(), static_cast<std::size_t>(n), 4), n, count);
  CHECK((axes.transpose() * axes - Values::Identity(count, count)).cwiseAbs().maxCoeff() < 1e-12);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{Eigen::MatrixXd(symmetric)};
  const Values wanted = solver.eigenvectors().rightCols(count);
  // The same space, whatever the signs.
  CHECK((axes * axes.transpose() - wanted * wanted.transpose()).cwiseAbs().maxCoeff() < 1e-6);
  for (Eigen::Index k = 0; k + 1 < count; ++k)
    CHECK(axes.col(k).dot(symmetric * axes.col(k)) >=
          axes.col(k + 1).dot(symmetric * axes.col(k + 1)) - 1e-9);
}

TEST_CASE("by_common_factors: correlations that factors explain come back, others are smoothed", "[linalg]") {
  const Eigen::Index n = 40;
  const Eigen::Index factors = 3;
  // Diagonal 1: every line has as much of its own.
  Values strong = loadings(n, factors);
  for (Eigen::Index i = 0; i < n; ++i)
    strong.row(i) *= 0.8 / strong.row(i).norm();
  const Values exact = strong * strong.transpose() + 0.36 * Values::Identity(n, n);
  const auto size = static_cast<std::size_t>(n);
  const auto axes = rs::principal_axes(exact.data(), size, 8);
  const Values same = as_matrix(rs::by_common_factors(exact.data(), size, axes.data(), 8, 3), n, n);
  CHECK((same - exact).cwiseAbs().maxCoeff() < 1e-9);

  // Of fewer factors, what is nearest among matrices of so many factors and one number.
  const Values fewer = as_matrix(rs::by_common_factors(exact.data(), size, axes.data(), 8, 1), n, n);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{Eigen::MatrixXd(exact)};
  const Eigen::VectorXd values = solver.eigenvalues();
  const double left = (static_cast<double>(n) - values(n - 1)) / static_cast<double>(n - 1);
  const Eigen::VectorXd axis = solver.eigenvectors().col(n - 1);
  const Values wanted = (values(n - 1) - left) * axis * axis.transpose() + left * Values::Identity(n, n);
  CHECK((fewer - wanted).cwiseAbs().maxCoeff() < 1e-3); // 12 rounds, of eigenvalues that are alike
  CHECK(fewer.trace() == Approx(static_cast<double>(n)));
}
