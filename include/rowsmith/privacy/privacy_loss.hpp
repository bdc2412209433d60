// SPDX-License-Identifier: MIT
/// \file
/// How much a release can tell of one row at most, as a distribution: the privacy loss log(P(x) / P'(x)) of
/// what is released, x ~ P, for a worst pair of neighbouring tables. Losses of independent releases add up,
/// so that their distributions are convolved (Koskela, Jälkö & Honkela, "Computing tight differential privacy
/// guarantees using FFT", AISTATS 2020), on a grid that errs to the safe side alone (Doroshenko, Ghazi,
/// Kamath, Kumar & Manurangsi, "Connect the dots: tighter discrete approximations of privacy loss
/// distributions", PETS 2022).
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include <unsupported/Eigen/FFT>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/privacy/subsampled_gaussian.hpp>

ROWSMITH_BEGIN
namespace detail {

/// P(a < N(0, 1) < b), exact in the tails as well.
inline double normal_between(double a, double b) noexcept {
  const double root = 1 / std::numbers::sqrt2;
  if (!(a < b))
    return 0;
  if (a > 0)
    return 0.5 * (std::erfc(a * root) - std::erfc(b * root));
  if (b < 0)
    return 0.5 * (std::erfc(-b * root) - std::erfc(-a * root));
  return 1 - 0.5 * (std::erfc(b * root) + std::erfc(-a * root));
}

/// Losses on a grid: mass[i] at (first + i) · step, and the rest, of which nothing is known, at infinity.
struct PrivacyLoss {
  std::int64_t first = 0;
  std::vector<double> mass;
  double infinite = 0;
};

/// Which of the two neighbours has the row.
enum class Neighbour { removed, added };

/// The loss of one use of a mechanism: the mass of each stretch of the grid goes to its two ends, so that
/// what either neighbour has there is kept, which is never less than the true loss.
inline PrivacyLoss privacy_loss_of(const SubsampledGaussian& mechanism, Neighbour neighbour, double step) {
  const double q = mechanism.sampling_rate;
  const double sigma = mechanism.noise_multiplier;
  constexpr double far = 12; // standard deviations: 10^-33 of the mass lies beyond
  // Of a point x, the mixture against the row-less part: rises with x.
  const auto loss_at = [&](double x) {
    const double exponent = (2 * x - 1) / (2 * sigma * sigma);
    return q == 1 ? exponent
                  : (exponent > 0 ? exponent + std::log(q + (1 - q) * std::exp(-exponent))
                                  : std::log1p(q * std::expm1(exponent)));
  };
  const auto point_of = [&](double loss) { // the other way round
    if (q == 1)
      return sigma * sigma * loss + 0.5;
    const double above = std::expm1(loss) / q + 1; // (e^loss − (1 − q)) / q
    if (!(above > 0))
      return -std::numeric_limits<double>::infinity();
    const double log_above = loss > 500 ? loss - std::log(q) : std::log(above);
    return sigma * sigma * log_above + 0.5;
  };
  const bool removed = neighbour == Neighbour::removed;
  const auto with = [&](double a, double b) { // mass of the mixture
    return (1 - q) * normal_between(a / sigma, b / sigma) +
           q * normal_between((a - 1) / sigma, (b - 1) / sigma);
  };
  const auto without = [&](double a, double b) { return normal_between(a / sigma, b / sigma); };
  const double lowest = -far * sigma;
  const double highest = far * sigma + 1;
  double low = loss_at(lowest);
  double high = loss_at(highest);
  if (!removed)
    std::swap(low, high), low = -low, high = -high;
  PrivacyLoss result;
  result.first = static_cast<std::int64_t>(std::floor(low / step));
  const auto last = static_cast<std::int64_t>(std::ceil(high / step));
  if (last - result.first > (std::int64_t{1} << 26))
    throw Error("privacy: noise of " + std::to_string(sigma) + " is too little for a guarantee");
  result.mass.assign(static_cast<std::size_t>(last - result.first + 1), 0.0);
  const double shrink = -std::expm1(-step);
  double edge = removed ? point_of(static_cast<double>(result.first) * step)
                        : point_of(-static_cast<double>(result.first) * step);
  for (std::int64_t i = result.first; i < last; ++i) {
    const double loss = static_cast<double>(i) * step;
    const double next = removed ? point_of(loss + step) : point_of(-loss - step);
    double a = removed ? edge : next;
    double b = removed ? next : edge;
    if (i == result.first)
      (removed ? a : b) =
          removed ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    const double mine = removed ? with(a, b) : without(a, b);
    const double other = removed ? without(a, b) : with(a, b);
    // upper · (1 − e^−step) = mine − other · e^loss keeps the mass of both neighbours.
    const double upper = std::clamp((mine - other * std::exp(loss)) / shrink, 0.0, mine);
    const auto at = static_cast<std::size_t>(i - result.first);
    result.mass[at] += mine - upper;
    result.mass[at + 1] += upper;
    edge = next;
  }
  result.infinite = removed ? with(edge, std::numeric_limits<double>::infinity())
                            : without(-std::numeric_limits<double>::infinity(), edge);
  return result;
}

/// The loss of a release that is `epsilon`-differentially private: as if it told the row's presence with the
/// odds e^epsilon.
inline PrivacyLoss pure_loss(double epsilon, double step) {
  const auto last = static_cast<std::int64_t>(std::ceil(epsilon / step));
  PrivacyLoss result{.first = -last, .mass = std::vector<double>(static_cast<std::size_t>(2 * last + 1))};
  const double up = static_cast<double>(last) * step; // rounded up: never less than it is
  result.mass.back() = 1 / (1 + std::exp(-up));
  result.mass.front() += 1 / (1 + std::exp(up));
  return result;
}

} // namespace detail

/// A release that is `epsilon`-differentially private in itself, such as a choice by the exponential
/// mechanism, made `count` times.
struct PureMechanism {
  double epsilon = 0; ///< > 0
  double count = 1;   ///< ≥ 1
};

/// δ as a function of ε for all of some mechanisms together.
class PrivacyCurve {
public:
  /// \param step  of the grid: the finer, the tighter. Widened where the losses do not fit into 2^20 places
  /// \throws OptionError for a mechanism out of range
  explicit PrivacyCurve(std::span<const SubsampledGaussian> gaussian,
                        std::span<const PureMechanism> pure = {}, double step = 1e-4) {
    for (const auto& mechanism : gaussian)
      mechanism.check();
    for (const auto& mechanism : pure)
      if (!(mechanism.epsilon > 0) || !(mechanism.epsilon <= 100) || !(mechanism.count >= 1) ||
          !(mechanism.count <= 1e5) || mechanism.count != std::floor(mechanism.count))
        throw OptionError("privacy: a mechanism of epsilon " + std::to_string(mechanism.epsilon) + ", used " +
                          std::to_string(mechanism.count) +
                          " times; expected an epsilon in (0, 100], 1 to 10^5 times");
    for (const auto neighbour : {detail::Neighbour::removed, detail::Neighbour::added}) {
      const bool symmetric =
          std::all_of(gaussian.begin(), gaussian.end(), [](const auto& m) { return m.sampling_rate == 1; });
      if (symmetric && neighbour == detail::Neighbour::added)
        break;
      compose(gaussian, pure, neighbour, step);
    }
  }

  /// The least δ for which all is (ε, δ)-differentially private, up to the grid: never less than the true
  /// one.
  double delta(double epsilon) const {
    double worst = 0;
    for (const auto& side : sides_) {
      double sum = side.infinite;
      const auto begin = static_cast<std::int64_t>(std::floor(epsilon / side.step)) - side.first + 1;
      for (auto i = static_cast<std::size_t>(std::max<std::int64_t>(0, begin)); i < side.mass.size(); ++i) {
        const double loss = static_cast<double>(side.first + static_cast<std::int64_t>(i)) * side.step;
        sum -= side.mass[i] * std::expm1(std::min(0.0, epsilon - loss));
      }
      worst = std::max(worst, sum);
    }
    return std::min(1.0, worst);
  }
  /// The least ε ≥ 0 for a δ in (0, 1). Infinite if there is none.
  double epsilon(double delta) const {
    if (this->delta(0) <= delta)
      return 0;
    double low = 0;
    double high = 0;
    for (const auto& side : sides_)
      high = std::max(high, static_cast<double>(side.first + static_cast<std::int64_t>(side.mass.size())) *
                                side.step);
    if (this->delta(high) > delta)
      return std::numeric_limits<double>::infinity();
    while (high - low > 1e-9 * std::max(1.0, high)) {
      const double middle = low + (high - low) / 2;
      (this->delta(middle) > delta ? low : high) = middle;
    }
    return high;
  }

private:
  struct Side {
    double step = 0;
    std::int64_t first = 0;
    std::vector<double> mass;
    double infinite = 0;
  };
  struct Part {
    detail::PrivacyLoss loss;
    double count;
  };

  /// log Σ mass · e^{λ loss} of a part.
  static double log_moment(const detail::PrivacyLoss& loss, double step, double lambda) {
    const double low = static_cast<double>(loss.first) * step;
    const double high = low + static_cast<double>(loss.mass.size() - 1) * step;
    const double shift = std::max(lambda * low, lambda * high);
    // e^{λ loss} by steps of one factor, anew every 256 places, from the end where it is 1.
    double sum = 0;
    const std::size_t count = loss.mass.size();
    const double factor = std::exp(-std::abs(lambda) * step);
    double value = 1;
    for (std::size_t i = 0; i < count; ++i) {
      if (i % 256 == 0) {
        value = std::exp(-std::abs(lambda) * step * static_cast<double>(i));
        if (value == 0)
          break;
      }
      sum += loss.mass[lambda > 0 ? count - 1 - i : i] * value;
      value *= factor;
    }
    return sum > 0 ? shift + std::log(sum) : -std::numeric_limits<double>::infinity();
  }
  /// A loss that the sum exceeds (`sign` 1) or falls below (−1) with a probability of at most `tail`
  /// (Chernoff).
  static double bound(const std::vector<Part>& parts, double step, double sign, double tail) {
    double best = 0;
    for (const auto& part : parts) {
      const auto& loss = part.loss;
      const double end = static_cast<double>(
          sign > 0 ? loss.first + static_cast<std::int64_t>(loss.mass.size()) - 1 : loss.first);
      best += part.count * end * step;
    }
    for (double lambda = 1e-3; lambda < 1e4; lambda *= 1.5) {
      double moment = 0;
      for (const auto& part : parts)
        moment += part.count * log_moment(part.loss, step, sign * lambda);
      const double found = sign * (moment - std::log(tail)) / lambda;
      best = sign > 0 ? std::min(best, found) : std::max(best, found);
    }
    return best;
  }

  void compose(std::span<const SubsampledGaussian> gaussian, std::span<const PureMechanism> pure,
               detail::Neighbour neighbour, double step) {
    constexpr std::int64_t places = std::int64_t{1} << 20;
    constexpr double tail = 1e-16; // of the mass may lie outside the window, and counts as told
    for (;; step *= 2) {
      std::vector<Part> parts;
      for (const auto& mechanism : gaussian)
        parts.push_back({detail::privacy_loss_of(mechanism, neighbour, step), mechanism.count});
      for (const auto& mechanism : pure)
        parts.push_back({detail::pure_loss(mechanism.epsilon, step), mechanism.count});
      const auto low = static_cast<std::int64_t>(std::floor(bound(parts, step, -1, tail) / step)) - 1;
      const auto high = static_cast<std::int64_t>(std::ceil(bound(parts, step, 1, tail) / step)) + 1;
      std::int64_t length = 1024;
      while (length < high - low + 1)
        length *= 2;
      if (length > places)
        continue;
      sides_.push_back(convolve(parts, step, low, length));
      return;
    }
  }

  static Side convolve(const std::vector<Part>& parts, double step, std::int64_t low, std::int64_t length) {
    Eigen::FFT<double> fft;
    fft.SetFlag(Eigen::FFT<double>::HalfSpectrum); // numbers are real
    const auto size = static_cast<std::size_t>(length);
    std::vector<std::complex<double>> product(size / 2 + 1, 1.0);
    std::vector<std::complex<double>> spectrum;
    std::vector<double> mass(size);
    double log_finite = 0;
    const auto at = [length](std::int64_t place) {
      return static_cast<std::size_t>(((place % length) + length) % length);
    };
    for (const auto& part : parts) {
      // Places count modulo the window's length: all but `tail` of the sum lies in the window.
      std::fill(mass.begin(), mass.end(), 0.0);
      for (std::size_t i = 0; i < part.loss.mass.size(); ++i)
        mass[at(part.loss.first + static_cast<std::int64_t>(i))] += part.loss.mass[i];
      fft.fwd(spectrum, mass);
      for (std::size_t i = 0; i < product.size(); ++i)
        product[i] *= power(spectrum[i], part.count);
      log_finite += part.count * std::log1p(-std::min(0.5, part.loss.infinite));
    }
    fft.inv(mass, product, length);
    Side side{.step = step, .first = low, .mass = std::vector<double>(size)};
    for (std::int64_t i = 0; i < length; ++i)
      side.mass[static_cast<std::size_t>(i)] = std::max(0.0, mass[at(low + i)]);
    // What the transform's rounding may hide, and what lies outside the window.
    double uses = 0;
    for (const auto& part : parts)
      uses += part.count;
    side.infinite = -std::expm1(log_finite) + 1e-14 + 5e-15 * uses;
    return side;
  }
  static std::complex<double> power(std::complex<double> base, double count) {
    std::complex<double> result = 1;
    for (auto rest = static_cast<std::uint64_t>(count); rest > 0; rest /= 2, base *= base)
      if (rest % 2 == 1)
        result *= base;
    return result;
  }

  std::vector<Side> sides_;
};

ROWSMITH_END
