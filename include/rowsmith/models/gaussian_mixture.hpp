// SPDX-License-Identifier: MIT
/// \file
/// A mixture of Gaussians with full covariance, as noise for a generator.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <rowsmith/autodiff/ops/stochastic.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/kernel/random_fill.hpp>
#include <rowsmith/kernel/row.hpp>

ROWSMITH_BEGIN

/// Component k is drawn with its share, then x = mean_k + factor_k · ε with ε standard normal. A value type.
/// Without components it stands for standard normal noise.
struct GaussianMixture {
  Index width = 0;
  std::vector<double> shares; ///< one a component; of a conditional model a row of them for each label
  std::vector<float> means;   ///< components × width
  std::vector<float> factors; ///< components × width × width: lower triangles of Cholesky factors

  bool empty() const noexcept { return means.empty(); }
  Index components() const noexcept { return width == 0 ? 0 : static_cast<Index>(means.size()) / width; }

  /// Turns standard normal numbers into a draw, in place. \param uniform in (0, 1): chooses the component
  /// \param label  0 if unconditional
  void shape(float* x, double uniform, Index label) const noexcept {
    const auto parts = static_cast<std::size_t>(components());
    const auto k = static_cast<Index>(
        kernel::draw_share(shares.data() + static_cast<std::size_t>(label) * parts, parts, uniform));
    kernel::shape_noise(means.data() + k * width, factors.data() + k * width * width, width, x);
  }
};

/// The numbers of rows of a sample: `first`, then one after the other, or as `offsets` from it say.
struct RowNumbers {
  std::uint64_t first = 0;
  const std::uint32_t* offsets = nullptr;

  std::uint64_t operator[](Index row) const noexcept {
    return first + (offsets == nullptr ? static_cast<std::uint64_t>(row) : offsets[row]);
  }
};

/// Noise of some rows: rows × width, standard normal or from the mixture.
/// \param stream  of the normal numbers \param choice  of the components, one uniform number a row
/// \param labels  one a row, or null
inline void fill_noise(const GaussianMixture& mixture, const RandomStream& stream, const RandomStream& choice,
                       const RowNumbers& numbers, Index rows, Index width, const std::int32_t* labels,
                       float* out, Index out_stride) noexcept {
  const auto blocks = static_cast<std::uint64_t>(detail::blocks_per_row(width));
  for (Index r = 0; r < rows; ++r) {
    const std::uint64_t row = numbers[r];
    float* to = out + r * out_stride;
    fill_normal(stream, row * blocks, to, width);
    if (!mixture.empty())
      mixture.shape(to, choice.uniform(row), labels == nullptr ? 0 : labels[r]);
  }
}

ROWSMITH_END
