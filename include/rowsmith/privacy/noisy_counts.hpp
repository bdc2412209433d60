// SPDX-License-Identifier: MIT
/// \file
/// Histograms of private rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/privacy/noise_source.hpp>

ROWSMITH_BEGIN

/// Counts of private rows with normal noise. A row adds 1 to one cell of a histogram at most.
///
/// What is told is count + round(σ z): a whole number, rounded from what the Gaussian mechanism would tell,
/// so that no digit of a floating-point number can tell which count the noise was added to (Mironov, "On
/// significance of the least significant bits for differential privacy", CCS 2012).
class NoisyCounts {
public:
  /// \param source  must outlive this \param sigma  the noise's standard deviation; > 0 \param first  the
  /// part of the source's stream that noise is drawn from: another one for each object
  NoisyCounts(const NoiseSource& source, double sigma, std::uint64_t first = 0)
      : source_(&source), sigma_(sigma), first_(first) {}

  double sigma() const noexcept { return sigma_; }
  /// Histograms told so far: what was spent.
  std::size_t told() const noexcept { return told_; }

  /// The histogram of `rows` rows over `cells` cells. \param cell_of  (row) -> its cell, or `cells` for none
  /// \throws Error for a cell that is none
  template <class CellOf>
  std::vector<double> histogram(std::size_t rows, std::size_t cells, const CellOf& cell_of) {
    std::vector<std::int64_t> counts(cells);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t cell = cell_of(row);
      if (cell > cells)
        throw Error("privacy: a row in a cell that is none");
      if (cell < cells)
        ++counts[cell];
    }
    std::vector<double> result(cells);
    constexpr std::size_t at_once = NoiseSource::normals_of_a_block;
    double noise[at_once];
    for (std::size_t cell = 0; cell < cells; ++cell) {
      if (cell % at_once == 0)
        source_->normals(NoisePurpose::counts, first_ + told_, static_cast<std::uint32_t>(cell / at_once),
                         noise);
      result[cell] = static_cast<double>(counts[cell]) + std::round(sigma_ * noise[cell % at_once]);
    }
    ++told_;
    return result;
  }

private:
  const NoiseSource* source_;
  double sigma_;
  std::uint64_t first_;
  std::size_t told_ = 0;
};

namespace detail {

/// Counts nearest to noisy ones that are not negative and come to `total`: all less one number, and none
/// below 0 (Wang et al., "Locally differentially private frequency estimation with consistency", NDSS 2020:
/// Norm-Sub).
inline void make_consistent(double* counts, std::size_t size, double total) {
  total = std::max(total, 0.0);
  std::vector<double> sorted(counts, counts + size);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double sum = 0;
  double less = 0;
  for (std::size_t k = 0; k < size; ++k) {
    sum += sorted[k];
    const double candidate = (sum - total) / static_cast<double>(k + 1);
    if (k + 1 == size || sorted[k + 1] <= candidate) {
      less = candidate;
      break;
    }
  }
  for (std::size_t k = 0; k < size; ++k)
    counts[k] = std::max(0.0, counts[k] - less);
}

} // namespace detail

ROWSMITH_END
