// SPDX-License-Identifier: MIT
/// \file
/// Fits a mixture of Gaussians to latent codes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/linalg/cholesky.hpp>
#include <rowsmith/models/gaussian_mixture.hpp>
#include <rowsmith/train/latent_rows.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Expectation maximisation on at most 20,000 of the rows (Dempster, Laird & Rubin 1977), from centres spread
/// by k-means++ (Arthur & Vassilvitskii 2007).
class MixtureFit {
public:
  MixtureFit(const LatentRows& rows, Index components, std::uint64_t seed, int threads)
      : width_(rows.width()), threads_(threads), random_(RandomStream(seed, Purpose::mixture)) {
    std::vector<std::uint32_t> order(rows.rows());
    std::iota(order.begin(), order.end(), 0U);
    shuffle(std::span<std::uint32_t>(order), random_);
    order.resize(std::min(order.size(), most_rows));
    count_ = order.size();
    // A component needs a few rows for each of its numbers.
    components_ = std::clamp<Index>(static_cast<Index>(count_) / (4 * width_), 1, components);
    x_.resize(count_ * static_cast<std::size_t>(width_));
    for (std::size_t i = 0; i < count_; ++i) {
      rows.get(order[i], x_.data() + i * static_cast<std::size_t>(width_));
      if (rows.label_count > 0)
        labels_.push_back(rows.labels[order[i]]);
    }
    label_count_ = std::max<Index>(rows.label_count, 1);
  }

  GaussianMixture run() {
    start();
    double before = -std::numeric_limits<double>::infinity();
    for (int step = 0; step < 60; ++step) {
      const double likelihood = expectation() / static_cast<double>(count_);
      if (!std::isfinite(likelihood))
        throw TrainingError("gan", 0, 0, "the mixture of Gaussians has no finite likelihood");
      maximisation();
      if (likelihood - before < 1e-3)
        break;
      before = likelihood;
    }
    expectation();
    return result();
  }

private:
  static constexpr std::size_t most_rows = 20'000;
  static constexpr std::size_t block = 256;
  static constexpr double ridge = 1e-4; ///< added to variances; the codes are scaled to about 1

  const float* row(std::size_t i) const noexcept { return x_.data() + i * static_cast<std::size_t>(width_); }
  std::size_t parts() const noexcept { return static_cast<std::size_t>(components_); }
  std::size_t wide() const noexcept { return static_cast<std::size_t>(width_); }

  void start() {
    means_.assign(parts() * wide(), 0);
    std::vector<double> distance(count_, std::numeric_limits<double>::infinity());
    std::size_t chosen = random_.below(static_cast<std::uint32_t>(count_));
    for (std::size_t k = 0; k < parts(); ++k) {
      for (std::size_t j = 0; j < wide(); ++j)
        means_[k * wide() + j] = static_cast<double>(row(chosen)[j]);
      double total = 0;
      for (std::size_t i = 0; i < count_; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < wide(); ++j) {
          const double apart = static_cast<double>(row(i)[j]) - means_[k * wide() + j];
          sum += apart * apart;
        }
        distance[i] = std::min(distance[i], sum);
        total += distance[i];
      }
      double left = random_.uniform() * total;
      for (chosen = 0; chosen + 1 < count_ && left >= distance[chosen]; ++chosen)
        left -= distance[chosen];
    }
    // Every component starts with the spread of all rows, shrunk to its share of the space.
    std::vector<double> mean(wide());
    std::vector<double> square(wide());
    for (std::size_t i = 0; i < count_; ++i)
      for (std::size_t j = 0; j < wide(); ++j) {
        mean[j] += static_cast<double>(row(i)[j]) / static_cast<double>(count_);
        square[j] +=
            static_cast<double>(row(i)[j]) * static_cast<double>(row(i)[j]) / static_cast<double>(count_);
      }
    factors_.assign(parts() * wide() * wide(), 0);
    shares_.assign(parts(), 1 / static_cast<double>(parts()));
    for (std::size_t k = 0; k < parts(); ++k)
      for (std::size_t j = 0; j < wide(); ++j)
        factors_[(k * wide() + j) * wide() + j] =
            std::sqrt(0.3 * std::max(0.0, square[j] - mean[j] * mean[j]) + ridge);
    weights_.assign(count_ * parts(), 0);
  }

  /// Fills the responsibilities. \returns the log-likelihood of all rows
  double expectation() {
    std::vector<double> constant(parts());
    for (std::size_t k = 0; k < parts(); ++k) {
      constant[k] = std::log(std::max(shares_[k], 1e-300)) - 0.9189385332046727 * static_cast<double>(wide());
      for (std::size_t j = 0; j < wide(); ++j)
        constant[k] -= std::log(factors_[(k * wide() + j) * wide() + j]);
    }
    const std::size_t blocks = (count_ + block - 1) / block;
    std::vector<double> sums(blocks);
    parallel_for(blocks, threads_, [&](std::size_t b) {
      std::vector<double> solved(wide());
      for (std::size_t i = b * block; i < std::min(count_, (b + 1) * block); ++i) {
        double* weight = weights_.data() + i * parts();
        double largest = -std::numeric_limits<double>::infinity();
        for (std::size_t k = 0; k < parts(); ++k) {
          const double* factor = factors_.data() + k * wide() * wide();
          double square = 0;
          for (std::size_t r = 0; r < wide(); ++r) { // forward substitution
            double left = static_cast<double>(row(i)[r]) - means_[k * wide() + r];
            for (std::size_t c = 0; c < r; ++c)
              left -= factor[r * wide() + c] * solved[c];
            solved[r] = left / factor[r * wide() + r];
            square += solved[r] * solved[r];
          }
          weight[k] = constant[k] - square / 2;
          largest = std::max(largest, weight[k]);
        }
        double total = 0;
        for (std::size_t k = 0; k < parts(); ++k)
          total += weight[k] = std::exp(weight[k] - largest);
        for (std::size_t k = 0; k < parts(); ++k)
          weight[k] /= total;
        sums[b] += largest + std::log(total);
      }
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
  }

  void maximisation() {
    parallel_for(parts(), threads_, [&](std::size_t k) {
      double total = 0;
      std::vector<double> mean(wide());
      for (std::size_t i = 0; i < count_; ++i) {
        const double w = weights_[i * parts() + k];
        total += w;
        for (std::size_t j = 0; j < wide(); ++j)
          mean[j] += w * static_cast<double>(row(i)[j]);
      }
      shares_[k] = total / static_cast<double>(count_);
      if (total < 1)
        return; // nobody's: it keeps its place and fades away
      for (std::size_t j = 0; j < wide(); ++j)
        means_[k * wide() + j] = mean[j] / total;
      std::vector<double> covariance(wide() * wide());
      std::vector<double> apart(wide());
      for (std::size_t i = 0; i < count_; ++i) {
        const double w = weights_[i * parts() + k];
        if (w < 1e-6)
          continue;
        for (std::size_t j = 0; j < wide(); ++j)
          apart[j] = static_cast<double>(row(i)[j]) - means_[k * wide() + j];
        for (std::size_t r = 0; r < wide(); ++r)
          for (std::size_t c = 0; c <= r; ++c)
            covariance[r * wide() + c] += w * apart[r] * apart[c];
      }
      double* factor = factors_.data() + k * wide() * wide();
      for (std::size_t r = 0; r < wide(); ++r)
        for (std::size_t c = 0; c <= r; ++c)
          factor[r * wide() + c] = covariance[r * wide() + c] / total + (r == c ? ridge : 0);
      cholesky(factor, wide(), ridge);
    });
  }

  GaussianMixture result() const {
    GaussianMixture mixture;
    mixture.width = width_;
    mixture.means.assign(means_.begin(), means_.end());
    mixture.factors.assign(factors_.begin(), factors_.end());
    const auto labels = static_cast<std::size_t>(label_count_);
    mixture.shares.assign(labels * parts(), 0);
    for (std::size_t i = 0; i < count_; ++i)
      for (std::size_t k = 0; k < parts(); ++k)
        mixture.shares[(labels_.empty() ? 0 : static_cast<std::size_t>(labels_[i])) * parts() + k] +=
            weights_[i * parts() + k];
    for (std::size_t label = 0; label < labels; ++label) {
      double* shares = mixture.shares.data() + label * parts();
      const double total = std::accumulate(shares, shares + parts(), 0.0);
      for (std::size_t k = 0; k < parts();
           ++k) // a label too rare for the rows looked at takes all components
        shares[k] = total > 0 ? shares[k] / total : shares_[k];
    }
    return mixture;
  }

  Index width_;
  int threads_;
  RandomSequence random_;
  Index components_ = 1;
  Index label_count_ = 1;
  std::size_t count_ = 0;
  std::vector<float> x_;
  std::vector<std::int32_t> labels_;
  std::vector<double> means_;
  std::vector<double> factors_;
  std::vector<double> shares_;
  std::vector<double> weights_;
};

} // namespace detail

/// A mixture of up to `components` Gaussians fitted to scaled latent codes. With labels, each label has its
/// own shares of the components. \throws TrainingError if that fails
inline GaussianMixture fit_gaussian_mixture(const LatentRows& rows, Index components, std::uint64_t seed,
                                            int threads) {
  return detail::MixtureFit(rows, components, seed, threads).run();
}

ROWSMITH_END
