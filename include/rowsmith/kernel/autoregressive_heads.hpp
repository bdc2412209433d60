// SPDX-License-Identifier: MIT
/// \file
/// Heads that draw the columns of a row one after the other, each knowing those before it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <rowsmith/kernel/heads.hpp>

ROWSMITH_BEGIN
namespace kernel {

/// The pass over the positions of autoregressive heads, for one row or many:
///   h = relu(bias + what the codes before contribute + latent part)     hidden(q)
///   h += relu(h · gate + bias)                                          gate(q)
///   logits = h · output + bias                                          logits(q)
/// then `choose(q, logits)` draws or reads the codes, and contribute(q) tells later positions.
template <class Backend, class Choose>
inline void each_position(Backend& backend, Index positions, const Choose& choose) {
  for (Index q = 0; q < positions; ++q) {
    backend.hidden(q);
    backend.gate(q);
    choose(q, backend.logits(q));
    backend.contribute(q);
  }
}

/// One position of the order.
struct Position {
  std::size_t stretch = 0; ///< of the layout
  Index codes = 0;
  Matrix gate;
  std::size_t gate_bias = 0;
  Matrix output;
  std::size_t output_bias = 0;
  Matrix later; ///< row by row: what each code adds to all positions after this one, side by side
};

struct AutoregressiveHeads {
  const Position* positions = nullptr;
  Index count = 0;
  Index width = 0;                ///< of h
  std::size_t bias = 0;           ///< of all positions, side by side
  const Matrix* latent = nullptr; ///< the latent code's part of all positions, one for each block of the sum
  Index latent_blocks = 0;
  Index widest = 0; ///< codes of a position

  template <class Weights>
  constexpr Index room() const noexcept {
    return count * width + padded(count * width, Weights::unit) + 2 * padded(width, Weights::unit) +
           padded(widest, Weights::unit);
  }
  template <class Weights>
  void draw(const Weights& weights, const Columns& columns, const Draw& draw, const float* outputs,
            std::int32_t* codes, float* room) const noexcept {
    Row<Weights> row(*this, weights, outputs, codes, room);
    each_position(row, count, [&](Index q, float* logits) {
      const auto h = positions[q].stretch;
      codes[h] = static_cast<Index>(h) == columns.label // the row was asked for with it
                     ? draw.label
                     : choose(logits, logits, positions[q].codes, draw.choice, draw.uniform_at(h));
    });
  }
  template <class Weights>
  double score(const Weights& weights, const Columns&, const float* outputs, const std::int32_t* codes,
               const float*, float* room) const noexcept {
    double error = 0;
    Row<Weights> row(*this, weights, outputs, codes, room);
    each_position(row, count, [&](Index q, float* logits) {
      error += cross_entropy(logits, logits, positions[q].codes, codes[positions[q].stretch]);
    });
    return error;
  }

private:
  /// The pass for one row.
  template <class Weights>
  struct Row {
    Row(const AutoregressiveHeads& heads_, const Weights& weights_, const float* read_,
        const std::int32_t* codes_, float* room) noexcept
        : heads(heads_), weights(weights_), read(read_), codes(codes_), product_of_all(room),
          gates(room + padded(heads.count * heads.width, Weights::unit)),
          own_logits(gates + padded(heads.width, Weights::unit)),
          sums(own_logits + padded(heads.widest, Weights::unit)) {
      const auto start = weights.numbers(heads.bias);
      for (Index j = 0; j < heads.count * heads.width; ++j)
        sums[j] = start[j];
      // A single block is the rule: then its product is made once, before the first position.
      if (heads.latent_blocks == 1)
        product(weights, heads.latent[0], read, product_of_all);
    }
    void hidden(Index q) noexcept {
      float* h = sums + q * heads.width;
      for (Index block = 0; block < heads.latent_blocks; ++block) {
        if (heads.latent_blocks > 1)
          product(weights, heads.latent[block], read + block * depth_block, product_of_all);
        add(product_of_all + q * heads.width, heads.width, h);
      }
      for (Index j = 0; j < heads.width; ++j)
        h[j] = h[j] > 0 ? h[j] : 0.0F;
    }
    void gate(Index q) noexcept {
      const Position& position = heads.positions[q];
      product(weights, position.gate, sums + q * heads.width, gates);
      add(weights.numbers(position.gate_bias), heads.width, gates);
      activate({ActivationKind::relu}, gates, heads.width);
      add(gates, heads.width, sums + q * heads.width);
    }
    float* logits(Index q) noexcept {
      const Position& position = heads.positions[q];
      product(weights, position.output, sums + q * heads.width, own_logits);
      add(weights.numbers(position.output_bias), position.codes, own_logits);
      return own_logits;
    }
    void contribute(Index q) noexcept {
      const Position& position = heads.positions[q];
      add(weights.row(position.later, codes[position.stretch]), position.later.columns,
          sums + (q + 1) * heads.width);
    }
    const AutoregressiveHeads& heads;
    const Weights& weights;
    const float* read;
    const std::int32_t* codes; ///< by stretch
    float* product_of_all;     ///< the latent code's part of all positions
    float* gates;
    float* own_logits;
    float* sums; ///< all positions' h
  };
};

} // namespace kernel
ROWSMITH_END
