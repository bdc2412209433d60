// SPDX-License-Identifier: MIT
/// \file
/// Cholesky's factor of a small matrix.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Columns [begin, end) of a factor whose earlier columns are subtracted already. \returns as `cholesky`
inline bool factor_columns(double* a, std::size_t n, std::size_t begin, std::size_t end,
                           double least) noexcept {
  for (std::size_t i = begin; i < n; ++i)
    for (std::size_t j = begin; j < std::min(end, i + 1); ++j) {
      double sum = a[i * n + j];
      for (std::size_t k = begin; k < j; ++k)
        sum -= a[i * n + k] * a[j * n + k];
      if (i != j) {
        a[i * n + j] = sum / a[j * n + j];
        continue;
      }
      sum = sum < least ? least : sum;
      if (!(sum > 0))
        return false;
      a[i * n + i] = std::sqrt(sum);
    }
  return true;
}

} // namespace detail

/// Turns a symmetric positive definite matrix (n × n, row-major, lower triangle) into its lower Cholesky
/// factor, in place. \param least  ≥ 0: pivots below it are raised to it \returns false if a pivot is not
/// positive even so; the matrix is then half done
inline bool cholesky(double* a, std::size_t n, double least = 0) noexcept {
  return detail::factor_columns(a, n, 0, n, least);
}

ROWSMITH_END
