// SPDX-License-Identifier: MIT
/// \file
/// The Poisson-subsampled Gaussian mechanism: each row takes part with probability q, what it adds has a
/// length of at most 1, and normal noise of standard deviation σ is added to the sum. Neighbours differ by
/// one row that is there or not.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <vector>

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN

/// A mechanism that is used `count` times.
struct SubsampledGaussian {
  double noise_multiplier = 1; ///< σ; > 0
  double sampling_rate = 1;    ///< q; (0, 1]
  double count = 1;            ///< ≥ 1

  /// \throws OptionError for a number out of range
  void check() const {
    if (!(noise_multiplier > 0) || !(sampling_rate > 0) || !(sampling_rate <= 1) || !(count >= 1) ||
        !(noise_multiplier <= 1e7) || !(count <= 1e9) || count != std::floor(count))
      throw OptionError("privacy: a Gaussian mechanism of noise multiplier " +
                        std::to_string(noise_multiplier) + ", sampling rate " +
                        std::to_string(sampling_rate) + ", used " + std::to_string(count) +
                        " times; expected noise in (0, 10^7], a rate in (0, 1] and 1 to 10^9 uses");
  }
};

namespace detail {

inline double log_add(double a, double b) noexcept {
  if (std::isinf(a) && a < 0)
    return b;
  if (std::isinf(b) && b < 0)
    return a;
  return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

/// log erfc(x); by its asymptotic series where erfc itself is no longer a normal double.
inline double log_erfc(double x) noexcept {
  if (x < 20)
    return std::log(std::erfc(x));
  const double inverse = 1 / (2 * x * x);
  double term = 1;
  double sum = 1;
  for (int k = 1; k <= 8; ++k)
    sum += term *= -(2 * k - 1) * inverse;
  return -x * x - std::log(x * std::sqrt(std::numbers::pi)) + std::log(sum);
}

/// log E_{x ~ N(0, σ²)} [((1 − q) + q e^{(2x − 1) / (2σ²)})^α] for a whole α: a binomial sum (Mironov, Talwar
/// & Zhang, "Rényi differential privacy of the sampled Gaussian mechanism", 2019, section 3.3).
inline double log_moment_whole(double q, double sigma, double alpha) {
  double sum = -std::numeric_limits<double>::infinity();
  for (double k = 0; k <= alpha; ++k) {
    const double binomial = std::lgamma(alpha + 1) - std::lgamma(k + 1) - std::lgamma(alpha - k + 1);
    const double term =
        binomial + k * std::log(q) + (alpha - k) * std::log1p(-q) + k * (k - 1) / (2 * sigma * sigma);
    sum = log_add(sum, term);
  }
  return sum;
}

/// The same for any α > 1: two infinite series, one for each side of the point where both parts of the
/// mixture are equally likely. Their terms change signs, and get small fast.
inline double log_moment_fractional(double q, double sigma, double alpha) {
  double positive = -std::numeric_limits<double>::infinity();
  double negative = positive;
  const double middle = sigma * sigma * std::log(1 / q - 1) + 0.5;
  const double root = std::numbers::sqrt2 * sigma;
  double log_binomial = 0; // log |binomial(α, k)|
  bool minus = false;
  for (double k = 0; k < 1e6; ++k) {
    const double j = alpha - k;
    const double left = log_binomial + k * std::log(q) + j * std::log1p(-q) +
                        k * (k - 1) / (2 * sigma * sigma) + log_erfc((k - middle) / root) - std::numbers::ln2;
    const double right = log_binomial + j * std::log(q) + k * std::log1p(-q) +
                         j * (j - 1) / (2 * sigma * sigma) + log_erfc((middle - j) / root) -
                         std::numbers::ln2;
    auto& sum = minus ? negative : positive;
    sum = log_add(sum, log_add(left, right));
    if (k > alpha && std::max(left, right) < positive - 40)
      break;
    const double factor = (alpha - k) / (k + 1);
    minus = minus != (factor < 0);
    log_binomial += std::log(std::abs(factor));
  }
  return positive + std::log1p(-std::exp(std::min(0.0, negative - positive)));
}

} // namespace detail

/// Rényi divergence of order `alpha` > 1 that one use can show at most.
inline double renyi_divergence(const SubsampledGaussian& mechanism, double alpha) {
  const double q = mechanism.sampling_rate;
  const double sigma = mechanism.noise_multiplier;
  if (q == 1)
    return alpha / (2 * sigma * sigma);
  const double moment = alpha == std::floor(alpha) ? detail::log_moment_whole(q, sigma, alpha)
                                                   : detail::log_moment_fractional(q, sigma, alpha);
  return std::max(0.0, moment) / (alpha - 1);
}

/// Orders that a bound by Rényi divergences is looked for among: 1.1 to 10.9 by tenths, 11 to 63, and powers
/// of two up to 1024.
inline std::vector<double> renyi_orders() {
  std::vector<double> orders;
  for (int tenth = 11; tenth < 110; ++tenth)
    orders.push_back(tenth / 10.0);
  for (int order = 11; order < 64; ++order)
    orders.push_back(order);
  orders.insert(orders.end(), {128, 256, 512, 1024});
  return orders;
}

ROWSMITH_END
