// SPDX-License-Identifier: MIT
/// \file
/// What autoregressive heads look like: positions, their tables, and the weights by name.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/linalg/matrix.hpp>

ROWSMITH_BEGIN

/// What a position of the order is beside a choice of codes.
struct AutoregressivePosition {
  Index parent = -1; ///< the position whose code this one's refines; −1: none
  Index pair = 0;    ///< with a parent: where its table, parent's codes × own codes, begins in `pair_bias`

  Index bin = -1; ///< the position that tells the bin of a number which this one completes; −1: none does
  Index first_bin = 0; ///< the first code there that is a bin
  Index bins = 0;
  Index place = 0; ///< where its table begins in `places`: bins × own codes, or bins × 1 if `bin` is itself
  Index knot = 0;  ///< the first of its bins + 1 rows of `knots`

  Index first_smooth = 0; ///< own codes [first_smooth, first_smooth + smooth) are in order
  Index smooth = 0;
  Index bumps = 0;  ///< that their logits have in common
  Index bump = 0;   ///< the first of its rows of `bump_weight`
  Index height = 0; ///< where its table begins in `heights`: smooth × bumps

  Index line = 0;  ///< its first line of the linear path
  Index lines = 0; ///< 0: it takes no part; 1: its codes have scores; otherwise each code has a line
  Index score = 0; ///< where its codes' scores begin in `scores`

  constexpr bool operator==(const AutoregressivePosition&) const = default;
};

/// Shapes of autoregressive heads over C columns in a chosen order. Position q of the order predicts
///   h = relu(scale_q ∘ c_q + latent · latent_weight_q + bias_q),  c_q = Σ over p < q of (embedding[code_p] +
///   number_p)
///   g = relu(h · hidden_weight_q + hidden_bias_q)
///   logits_q = (h + g) · (output_weight_q + heights_q · bump_weight_q)ᵀ + output_bias_q +
///   pair_bias_q[parent] + gain_q · scores_q · Σ over p < q of linear[p][q] · scores_p[code_p],
/// the last of which positions of the linear path have; those with a line a code have it code by code, with
/// scores of 1 for their own line and 0 for others.
/// number_p is there where a number is complete: between two knots of the column, by its place in the bin
/// (piecewise-linear encoding, Gorishniy et al., NeurIPS 2022). Codes are numbered through in the order: code
/// k of position p is `prefix[p] + k`.
struct AutoregressiveShape {
  Index columns = 0;                   ///< C
  Index width = 0;                     ///< of h
  Index latent = 0;                    ///< of the latent code
  const Index* prefix = nullptr;       ///< C + 1: codes of all positions before; the last is all codes
  const std::int32_t* order = nullptr; ///< C: which code column of a row each position is
  const std::int32_t* shift = nullptr; ///< C: added to a row's code to number it through
  const double* weights = nullptr;     ///< C: factor on each position's part of the loss
  const AutoregressivePosition* positions = nullptr; ///< C
  const float* places = nullptr;  ///< [0, 1] within a bin, of the positions that complete a number
  const float* heights = nullptr; ///< of the bumps at the codes in order
  Index knots = 0;                ///< of all positions
  Index pairs = 0;                ///< numbers of all positions' `pair_bias`
  Index bumps = 0;                ///< of all positions
  Index lines = 0;                ///< of all positions, in the linear path
  Index gains = 0;                ///< as many as lines, or 0: they are in `linear`
  const float* scores = nullptr;  ///< of the codes of positions with one line
  const float* linear = nullptr;  ///< lines × lines, [earlier][later]

  Index codes() const noexcept { return prefix[columns]; }
  Index codes(Index q) const noexcept { return prefix[q + 1] - prefix[q]; }
};

/// Dropout of the units of h and g in training (Srivastava et al. 2014): row r of a loss draws from blocks
/// [(first_row + r) · ceil(2 · C · width / 16), …) of the stream, a byte a unit, so that rates are multiples
/// of 1/256.
struct AutoregressiveDropout {
  double rate = 0; ///< [0, 1)
  RandomStream stream{0, Purpose::dropout};
  std::uint64_t first_row = 0;
};

/// The weights of autoregressive heads: pointers (`const Scalar*`), variables on a tape, or blocks.
template <class Matrix>
struct AutoregressiveWeights {
  Matrix embedding{};     ///< codes × width
  Matrix knots{};         ///< knots × width
  Matrix scale{};         ///< C × width
  Matrix latent_weight{}; ///< (C · latent) × width, position after position
  Matrix bias{};          ///< C × width
  Matrix hidden_weight{}; ///< (C · width) × width
  Matrix hidden_bias{};   ///< C × width
  Matrix output_weight{}; ///< codes × width
  Matrix output_bias{};   ///< 1 × codes
  Matrix pair_bias{};     ///< 1 × pairs
  Matrix bump_weight{};   ///< bumps × width
  Matrix gain{};          ///< 1 × gains

  /// What `function` makes of each.
  template <class Function>
  auto mapped(const Function& function) const {
    return AutoregressiveWeights<decltype(function(embedding))>{
        function(embedding),   function(knots),         function(scale),       function(latent_weight),
        function(bias),        function(hidden_weight), function(hidden_bias), function(output_weight),
        function(output_bias), function(pair_bias),     function(bump_weight), function(gain)};
  }
  /// Calls `visit(name, matrix, rows, columns)` for each.
  template <class Self, class Visit>
  static void visit_each(Self& self, const AutoregressiveShape& shape, const Visit& visit) {
    visit("embedding", self.embedding, shape.codes(), shape.width);
    visit("knots", self.knots, shape.knots, shape.width);
    visit("scale", self.scale, shape.columns, shape.width);
    visit("latent_weight", self.latent_weight, shape.columns * shape.latent, shape.width);
    visit("bias", self.bias, shape.columns, shape.width);
    visit("hidden_weight", self.hidden_weight, shape.columns * shape.width, shape.width);
    visit("hidden_bias", self.hidden_bias, shape.columns, shape.width);
    visit("output_weight", self.output_weight, shape.codes(), shape.width);
    visit("output_bias", self.output_bias, Index{1}, shape.codes());
    visit("pair_bias", self.pair_bias, Index{1}, shape.pairs);
    visit("bump_weight", self.bump_weight, shape.bumps, shape.width);
    visit("gain", self.gain, Index{1}, shape.gains);
  }
  template <class Visit>
  void each(const AutoregressiveShape& shape, const Visit& visit) {
    visit_each(*this, shape, visit);
  }
  template <class Visit>
  void each(const AutoregressiveShape& shape, const Visit& visit) const {
    visit_each(*this, shape, visit);
  }
};

/// Heights of `bumps` Gaussian bumps at `count` places in a row, count × bumps, each bump of length 1: evenly
/// spread, as wide as they are apart.
inline std::vector<float> bump_heights(Index count, Index bumps) {
  std::vector<float> heights(static_cast<std::size_t>(count * bumps));
  for (Index m = 0; m < bumps; ++m) {
    const double apart = static_cast<double>(count) / static_cast<double>(bumps);
    const double centre = (static_cast<double>(m) + 0.5) * apart - 0.5;
    double square = 0;
    const auto height = [&](Index k) {
      const double x = (static_cast<double>(k) - centre) / apart;
      return std::exp(-x * x / 2);
    };
    for (Index k = 0; k < count; ++k)
      square += height(k) * height(k);
    for (Index k = 0; k < count; ++k)
      heights[static_cast<std::size_t>(k * bumps + m)] = static_cast<float>(height(k) / std::sqrt(square));
  }
  return heights;
}

ROWSMITH_END
