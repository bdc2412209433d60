// SPDX-License-Identifier: MIT
/// \file
/// Mean and standard deviation of a handful of repeats, and the normal distribution's quantiles.
#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// Mean and sample standard deviation (n − 1 in the denominator; 0 for fewer than two values).
struct MeanSd {
  double mean = 0;
  double sd = 0;
  std::size_t n = 0;
};

inline MeanSd mean_sd(std::span<const double> values) {
  MeanSd result;
  result.n = values.size();
  if (values.empty())
    return result;
  for (const double value : values)
    result.mean += value;
  result.mean /= static_cast<double>(values.size());
  if (values.size() > 1) {
    double squares = 0;
    for (const double value : values)
      squares += (value - result.mean) * (value - result.mean);
    result.sd = std::sqrt(squares / static_cast<double>(values.size() - 1));
  }
  return result;
}

/// Where the standard normal distribution has `share` below, for 0 < share < 1; by bisection.
inline double normal_quantile(double share) noexcept {
  double low = -40;
  double high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

ROWSMITH_END
