// SPDX-License-Identifier: MIT
/// \file
/// From rows' gradients to one that tells little of any of them: each shortened, all summed, and noise added.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/linalg/matrix.hpp>
#include <rowsmith/privacy/noise_source.hpp>

ROWSMITH_BEGIN

/// The sum of gradients of a batch, of which no row's is longer than `clip_norm`, with normal noise of
/// `noise_multiplier` times as much on each number, divided by the rows that a batch has on average.
///
/// Sum and noise are rounded to one grid before they are added, and added exactly: no digit of a
/// floating-point number tells which sum the noise was added to. What that rounding, and the rounding of sums
/// of floats, can add to a row's part is kept free for it below `clip_norm` (`slack`); the
/// latter grows with the rows of a batch.
class PrivateGradient {
public:
  /// \param source  must outlive this \param first  the part of the source's stream that noise is drawn from:
  /// another one for each object
  PrivateGradient(const NoiseSource& source, double clip_norm, double noise_multiplier, double expected_rows,
                  std::uint64_t first = 0)
      : source_(&source), clip_norm_(clip_norm), noise_(noise_multiplier * clip_norm), rows_(expected_rows),
        slack_(std::clamp(1e-6 * expected_rows, 1e-3, 0.1)), first_(first) {}

  double clip_norm() const noexcept { return clip_norm_; }
  /// Share of `clip_norm` that rows' gradients stay below it: 10^-6 for each row of a batch, a thousandth at
  /// least.
  double slack() const noexcept { return slack_; }
  std::uint64_t steps() const noexcept { return steps_; }

  /// Zeros, one for each row of a batch, to which the squared length of its gradient is to be added.
  float* start(Index rows) {
    if (factors_.size() < static_cast<std::size_t>(rows))
      factors_.resize(static_cast<std::size_t>(rows) + static_cast<std::size_t>(rows) / 4);
    std::fill_n(factors_.data(), rows, 0.0F);
    return factors_.data();
  }
  /// Squared lengths become the factors by which rows are shortened. \throws Error for one that is not finite
  void squares_to_factors(Index rows) {
    for (Index r = 0; r < rows; ++r) {
      const auto square = static_cast<double>(factors_.data()[r]);
      if (!std::isfinite(square))
        throw Error("privacy: a row's gradient is not finite; a lower learning rate is the usual cure");
      factors_.data()[r] =
          static_cast<float>(std::min(1.0, (1 - slack_) * clip_norm_ / std::sqrt(std::max(square, 1e-30))));
    }
  }
  /// \param sum  of the shortened gradients \returns what the optimiser takes; valid until the next call
  std::span<const float> noisy(std::span<const float> sum, int threads) {
    if (result_.size() < sum.size())
      result_.resize(sum.size());
    // Rounding moves a sum by half a step at most, over all numbers by grid / 2 · √numbers.
    const double grid = std::exp2(
        std::floor(std::log2(slack_ / 4 * clip_norm_ / std::sqrt(static_cast<double>(sum.size())))));
    constexpr std::size_t chunk = 4096;
    parallel_for((sum.size() + chunk - 1) / chunk, threads, [&](std::size_t part) {
      constexpr std::size_t at_once = NoiseSource::normals_of_a_block;
      double normal[at_once];
      for (std::size_t i = part * chunk; i < std::min(sum.size(), (part + 1) * chunk); ++i) {
        if (i % at_once == 0)
          source_->normals(NoisePurpose::gradients, first_ + steps_, static_cast<std::uint32_t>(i / at_once),
                           normal);
        const double whole = std::nearbyint(static_cast<double>(sum[i]) / grid) +
                             std::nearbyint(noise_ * normal[i % at_once] / grid);
        result_.data()[i] = static_cast<float>(whole * grid / rows_);
      }
    });
    ++steps_;
    return {result_.data(), sum.size()};
  }

private:
  const NoiseSource* source_;
  double clip_norm_;
  double noise_;
  double rows_;
  double slack_;
  std::uint64_t first_;
  std::uint64_t steps_ = 0;
  AlignedBuffer<float> factors_;
  AlignedBuffer<float> result_;
};

/// Batches for which each row is drawn by a chance of its own, the same for all (Poisson sampling): what the
/// accounting of subsampled mechanisms rests on. Cutting a shuffled table into pieces is something else.
class PoissonBatches {
public:
  /// \param source  must outlive this \param rate  (0, 1]; rounded up to a multiple of 2^-32
  PoissonBatches(const NoiseSource& source, std::size_t rows, double rate)
      : source_(&source), rows_(rows),
        below_(std::min<std::uint64_t>(std::uint64_t{1} << 32U,
                                       static_cast<std::uint64_t>(std::ceil(rate * 0x1p32)))) {
    // Six deviations more than a batch has on average: one that is larger still makes room for itself.
    const double expected = this->rate() * static_cast<double>(rows);
    chosen_.reserve(std::min(rows, static_cast<std::size_t>(expected + 6 * std::sqrt(expected)) + 16));
  }

  /// The chance of a row.
  double rate() const noexcept { return static_cast<double>(below_) * 0x1p-32; }
  /// The rows of batch number `step`, ascending; there may be none. Valid until the next call.
  std::span<const std::uint32_t> operator()(std::uint64_t step) {
    chosen_.clear();
    for (std::size_t begin = 0; begin < rows_; begin += 16) {
      const auto words = source_->block(NoisePurpose::batches, step, static_cast<std::uint32_t>(begin / 16));
      const std::size_t end = std::min<std::size_t>(16, rows_ - begin);
      for (std::size_t i = 0; i < end; ++i)
        if (words[i] < below_)
          chosen_.push_back(static_cast<std::uint32_t>(begin + i));
    }
    return chosen_;
  }

private:
  const NoiseSource* source_;
  std::size_t rows_;
  std::uint64_t below_;
  std::vector<std::uint32_t> chosen_;
};

ROWSMITH_END
