// SPDX-License-Identifier: MIT
/// \file
/// Mean and standard deviation of repeats, the choice of a model by them, the normal distribution's
/// quantiles.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

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

/// The simplest of some models that is worse than the best by no more than the standard error of the
/// difference (Breiman et al., Classification and Regression Trees, 1984, 3.4.3): one that is nearer to the
/// rows than that has learnt some of them by heart. \param losses  of each model, from simple to complex, on
/// each of the same rows; of one model at least, all of one length \returns its place
inline std::size_t simplest_within_error(std::span<const std::vector<double>> losses) {
  std::vector<double> means;
  for (const auto& of_model : losses)
    means.push_back(mean_sd(of_model).mean);
  const auto best = static_cast<std::size_t>(std::min_element(means.begin(), means.end()) - means.begin());
  std::vector<double> differences(losses[best].size());
  for (std::size_t model = 0; model < best; ++model) {
    for (std::size_t row = 0; row < differences.size(); ++row)
      differences[row] = losses[model][row] - losses[best][row];
    const auto worse = mean_sd(differences);
    if (worse.mean <= worse.sd / std::sqrt(static_cast<double>(differences.size())))
      return model;
  }
  return best;
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
