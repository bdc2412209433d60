// SPDX-License-Identifier: MIT
/// \file
/// The axes along which a symmetric matrix is largest, and the matrix that some of them and one number
/// explain.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/linalg/gemm.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Each of `count` columns (side by side in `n` lines) less its part along those before, twice, and to
/// length 1.
inline void orthonormalise(double* columns, std::size_t n, std::size_t count) {
  std::vector<double> along(count);
  for (std::size_t j = 0; j < count; ++j)
    for (int time = 0; time < 2; ++time) {
      std::fill(along.begin(), along.end(), 0.0);
      for (std::size_t a = 0; a < n; ++a)
        for (std::size_t k = 0; k < j; ++k)
          along[k] += columns[a * count + k] * columns[a * count + j];
      for (std::size_t a = 0; a < n; ++a) {
        double& own = columns[a * count + j];
        for (std::size_t k = 0; k < j; ++k)
          own -= along[k] * columns[a * count + k];
        along[j] += own * own;
      }
      for (std::size_t a = 0; a < n; ++a)
        columns[a * count + j] /= std::sqrt(std::max(along[j], 1e-300));
    }
}

} // namespace detail

/// Eigenvectors of the `count` eigenvalues of greatest magnitude, falling, by 12 rounds of orthogonal
/// iteration (Golub & Van Loan, Matrix Computations, 4th ed., 8.2.4): exact as far as eigenvalues differ, and
/// always orthonormal. \param symmetric  n × n \param count  1 to n \returns n × count, row after row
inline AlignedBuffer<double> principal_axes(const double* symmetric, std::size_t n, std::size_t count) {
  const auto lines = static_cast<Index>(n);
  const auto width = static_cast<Index>(count);
  AlignedBuffer<double> axes(n * count);
  AlignedBuffer<double> next(n * count);
  RandomSequence random(RandomStream(0, Purpose::initialise)); // any start will do
  for (double& value : axes)
    value = random.normal();
  GemmWorkspace<double> workspace;
  for (int round = 0; round < 12; ++round) {
    detail::orthonormalise(axes.data(), n, count);
    gemm(lines, width, lines, as_is<double>(symmetric, lines), as_is<double>(axes.data(), width), next.data(),
         false, workspace);
    std::swap(axes, next);
  }
  detail::orthonormalise(axes.data(), n, count);
  return axes;
}

/// Correlations by some common factors and a variance of each line's own, which is the mean of what the
/// factors leave (Tipping & Bishop, "Probabilistic principal component analysis", 1999). \param correlations
/// n × n, diagonal 1 \param axes  its principal axes, n × `axes_count` \param factors  the first of them,
/// less than n \returns n × n
inline AlignedBuffer<double> by_common_factors(const double* correlations, std::size_t n, const double* axes,
                                               std::size_t axes_count, std::size_t factors) {
  const auto lines = static_cast<Index>(n);
  const auto count = static_cast<Index>(factors);
  const auto stride = static_cast<Index>(axes_count);
  AlignedBuffer<double> image(n * factors);
  AlignedBuffer<double> inner(factors * factors);
  AlignedBuffer<double> result(n * n);
  GemmWorkspace<double> workspace;
  gemm(lines, count, lines, as_is<double>(correlations, lines), as_is<double>(axes, stride), image.data(),
       false, workspace);
  gemm(count, count, lines, transposed<double>(axes, stride), as_is<double>(image.data(), count),
       inner.data(), false, workspace);
  auto left = static_cast<double>(n);
  for (std::size_t k = 0; k < factors; ++k)
    left -= inner.data()[k * factors + k];
  left /= static_cast<double>(n - factors);
  for (std::size_t k = 0; k < factors; ++k)
    inner.data()[k * factors + k] -= left;
  gemm(lines, count, count, as_is<double>(axes, stride), as_is<double>(inner.data(), count), image.data(),
       false, workspace);
  gemm(lines, lines, count, as_is<double>(image.data(), count), transposed<double>(axes, stride),
       result.data(), false, workspace);
  for (std::size_t a = 0; a < n; ++a)
    result.data()[a * n + a] += left;
  return result;
}

ROWSMITH_END
