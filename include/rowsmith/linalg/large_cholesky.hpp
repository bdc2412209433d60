// SPDX-License-Identifier: MIT
/// \file
/// Cholesky's factor of a matrix of hundreds of columns or more, and its inverse: most of both is products.
#pragma once

#include <algorithm>
#include <cstddef>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/linalg/cholesky.hpp>
#include <rowsmith/linalg/gemm.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Columns that a factor takes at once.
inline constexpr std::size_t factor_block = 64;

} // namespace detail

/// As `cholesky`, with sums in another order. Allocates above 64 columns.
inline bool large_cholesky(double* a, std::size_t n, double least = 0) {
  const auto line = static_cast<Index>(n);
  AlignedBuffer<double> product;
  GemmWorkspace<double> workspace;
  for (std::size_t begin = 0; begin < n; begin += detail::factor_block) {
    const std::size_t end = std::min(n, begin + detail::factor_block);
    const std::size_t width = end - begin;
    if (begin > 0) { // less what the columns before make of these
      product.resize((n - begin) * width);
      gemm(static_cast<Index>(n - begin), static_cast<Index>(width), static_cast<Index>(begin),
           as_is<double>(a + begin * n, line), transposed<double>(a + begin * n, line), product.data(), false,
           workspace);
      for (std::size_t i = begin; i < n; ++i)
        for (std::size_t j = begin; j < std::min(end, i + 1); ++j)
          a[i * n + j] -= product.data()[(i - begin) * width + j - begin];
    }
    if (!detail::factor_columns(a, n, begin, end, least))
      return false;
  }
  return true;
}

/// The inverse of a lower triangular matrix (n × n, row-major) whose diagonal is not zero; lower triangular,
/// too, and 0 above. \param inverse  n × n: written
inline void invert_lower(const double* a, std::size_t n, double* inverse) {
  AlignedBuffer<double> product;
  GemmWorkspace<double> workspace;
  std::fill_n(inverse, n * n, 0.0);
  for (std::size_t begin = 0; begin < n; begin += detail::factor_block) {
    const std::size_t end = std::min(n, begin + detail::factor_block);
    if (begin > 0) {
      product.resize((end - begin) * begin);
      gemm(static_cast<Index>(end - begin), static_cast<Index>(begin), static_cast<Index>(begin),
           as_is<double>(a + begin * n, static_cast<Index>(n)), as_is<double>(inverse, static_cast<Index>(n)),
           product.data(), false, workspace);
    }
    for (std::size_t i = begin; i < end; ++i) {
      double* to = inverse + i * n;
      for (std::size_t j = 0; j < begin; ++j)
        to[j] = -product.data()[(i - begin) * begin + j];
      to[i] = 1;
      for (std::size_t k = begin; k < i; ++k)
        for (std::size_t j = 0; j <= k; ++j)
          to[j] -= a[i * n + k] * inverse[k * n + j];
      for (std::size_t j = 0; j <= i; ++j)
        to[j] /= a[i * n + i];
    }
  }
}

ROWSMITH_END
