// SPDX-License-Identifier: MIT
/// \file
/// Distances between two distributions over the same levels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN
namespace evaluate {

namespace detail {

/// The rows on both sides. \throws ShapeError if the sizes differ or a side is empty
inline std::pair<double, double> level_totals(const char* what, std::span<const std::uint64_t> a,
                                              std::span<const std::uint64_t> b) {
  if (a.size() != b.size())
    throw ShapeError(std::string(what) + ": " + std::to_string(a.size()) + " levels against " +
                     std::to_string(b.size()));
  std::pair<double, double> totals;
  for (std::size_t k = 0; k < a.size(); ++k) {
    totals.first += static_cast<double>(a[k]);
    totals.second += static_cast<double>(b[k]);
  }
  if (totals.first == 0 || totals.second == 0)
    throw ShapeError(std::string(what) + ": no rows on one side");
  return totals;
}

} // namespace detail

/// Kolmogorov–Smirnov statistic: the largest distance between two cumulative distributions over the same
/// ordered levels, given how often each level occurs. \throws ShapeError if the sizes differ or a side is
/// empty
inline double ks_statistic(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  const auto [total_a, total_b] = detail::level_totals("ks_statistic", a, b);
  std::uint64_t below_a = 0;
  std::uint64_t below_b = 0;
  double largest = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    below_a += a[k];
    below_b += b[k];
    largest = std::max(
        largest, std::abs(static_cast<double>(below_a) / total_a - static_cast<double>(below_b) / total_b));
  }
  return largest;
}

/// Total variation distance: half the sum of the absolute differences of two distributions over the same
/// levels, given how often each occurs. \throws ShapeError if the sizes differ or a side is empty
inline double total_variation(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  const auto [total_a, total_b] = detail::level_totals("total_variation", a, b);
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    sum += std::abs(static_cast<double>(a[k]) / total_a - static_cast<double>(b[k]) / total_b);
  return sum / 2;
}

} // namespace evaluate
ROWSMITH_END
