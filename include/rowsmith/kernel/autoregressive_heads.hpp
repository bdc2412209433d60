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

/// The pass over the positions of autoregressive heads, for one row or many. c is what the positions before
/// have told, added up:
///   h = relu(scale ∘ c + latent part + bias)                  hidden(q)
///   h += relu(h · gate + bias)                                gate(q)
///   logits = h · output + bias + pair[parent's code] + slope · scores   logits(q)
/// then `choose(q, logits)` draws or reads the codes, and contribute(q) adds to c, and to
/// the slopes of later positions of the linear path.
template <class Backend, class Choose>
inline void each_position(Backend& backend, Index positions, const Choose& choose) {
  for (Index q = 0; q < positions; ++q) {
    backend.hidden(q);
    backend.gate(q);
    choose(q, backend.logits(q));
    backend.contribute(q);
  }
}

/// What a code tells later positions: its embedding, and where it completes a number, that number's place
/// between two knots. Each element is written so that a compiler has one way to fuse its product.
template <class Scalar, class Numbers>
inline void tell(const Numbers& embedding, Index width, Scalar* c) noexcept {
  for (Index j = 0; j < width; ++j)
    c[j] += embedding[j];
}
template <class Scalar, class Numbers>
inline void tell(const Numbers& embedding, const Numbers& low, const Numbers& high, Scalar place, Index width,
                 Scalar* c) noexcept {
  for (Index j = 0; j < width; ++j)
    c[j] += embedding[j] + (low[j] + place * (high[j] - low[j]));
}

/// y += a · x, written so that a compiler has one way to fuse it.
template <class Scalar, class Numbers>
inline void add_scaled(Scalar a, const Numbers& x, Index count, Scalar* y) noexcept {
  for (Index i = 0; i < count; ++i)
    y[i] += a * static_cast<Scalar>(x[i]);
}

/// One position of the order.
struct Position {
  std::size_t stretch = 0; ///< of the layout
  Index codes = 0;
  std::size_t scale = 0;
  Matrix gate;
  std::size_t gate_bias = 0;
  Matrix output;
  std::size_t output_bias = 0;
  Matrix embedding;           ///< row by row, one for each code
  std::ptrdiff_t parent = -1; ///< the stretch whose code this one refines; −1: none
  Matrix pair; ///< with a parent: row by row, for each of its codes what is added to the logits
  std::ptrdiff_t bin =
      -1; ///< the stretch that tells the bin of a number which this position completes; −1: none
  Index first_bin = 0;    ///< its first code that is a bin
  Matrix knots;           ///< row by row, one for each edge of a bin
  Index line = 0;         ///< its first line of the linear path
  Index lines = 0;        ///< 0: it takes no part; 1: its codes have scores; otherwise each code has a line
  std::size_t scores = 0; ///< with one line: of its codes
  std::size_t linear = 0; ///< line by line what a score of 1 adds to the slopes of later positions' lines
};

template <class Weights>
struct AutoregressiveRow;

struct AutoregressiveHeads {
  const Position* positions = nullptr;
  Index count = 0;
  Index width = 0;                ///< of h
  std::size_t bias = 0;           ///< of all positions, side by side
  const Matrix* latent = nullptr; ///< the latent code's part of all positions, one for each block of the sum
  Index latent_blocks = 0;
  Index widest = 0; ///< codes of a position
  Index lines = 0;  ///< of the linear path

  template <class Weights>
  constexpr Index room() const noexcept {
    return padded(count * width, Weights::unit) + 3 * padded(width, Weights::unit) +
           padded(widest, Weights::unit) + padded(lines, Weights::unit);
  }
  template <class Weights>
  void draw(const Weights& weights, const Columns& columns, const Draw& draw, const float* outputs,
            std::int32_t* codes, float* room) const noexcept {
    AutoregressiveRow<Weights> row(*this, weights, columns, outputs, codes, room);
    each_position(row, count, [&](Index q, float* logits) {
      const auto h = positions[q].stretch;
      codes[h] = static_cast<Index>(h) == columns.label // the row was asked for with it
                     ? draw.label
                     : draw.code(logits, logits, positions[q].codes, h, codes, draw.uniform_at(h));
    });
  }
  template <class Weights>
  double score(const Weights& weights, const Columns& columns, const float* outputs,
               const std::int32_t* codes, const float*, float* room) const noexcept {
    double error = 0;
    AutoregressiveRow<Weights> row(*this, weights, columns, outputs, codes, room);
    each_position(row, count, [&](Index q, float* logits) {
      error += cross_entropy(logits, logits, positions[q].codes, codes[positions[q].stretch]);
    });
    return error;
  }
};

/// The pass for one row.
template <class Weights>
struct AutoregressiveRow {
  AutoregressiveRow(const AutoregressiveHeads& heads_, const Weights& weights_, const Columns& columns_,
                    const float* read_, const std::int32_t* codes_, float* room) noexcept
      : heads(heads_), weights(weights_), columns(columns_), read(read_), codes(codes_), product_of_all(room),
        told(room + padded(heads.count * heads.width, Weights::unit)),
        units(told + padded(heads.width, Weights::unit)), gates(units + padded(heads.width, Weights::unit)),
        own_logits(gates + padded(heads.width, Weights::unit)),
        slopes(own_logits + padded(heads.widest, Weights::unit)) {
    std::fill_n(told, heads.width, 0.0F);
    std::fill_n(slopes, heads.lines, 0.0F);
    // A single block is the rule: then its product is made once, before the first position.
    if (heads.latent_blocks == 1)
      product(weights, heads.latent[0], read, product_of_all);
  }
  void hidden(Index q) noexcept {
    const auto scales = weights.numbers(heads.positions[q].scale);
    const auto biases = weights.numbers(heads.bias + static_cast<std::size_t>(q * heads.width));
    for (Index j = 0; j < heads.width; ++j)
      units[j] = scales[j] * told[j] + biases[j];
    for (Index block = 0; block < heads.latent_blocks; ++block) {
      if (heads.latent_blocks > 1)
        product(weights, heads.latent[block], read + block * depth_block, product_of_all);
      add(product_of_all + q * heads.width, heads.width, units);
    }
    for (Index j = 0; j < heads.width; ++j)
      units[j] = units[j] > 0 ? units[j] : 0.0F;
  }
  void gate(Index q) noexcept {
    const Position& position = heads.positions[q];
    product(weights, position.gate, units, gates);
    add(weights.numbers(position.gate_bias), heads.width, gates);
    activate({ActivationKind::relu}, gates, heads.width);
    add(gates, heads.width, units);
  }
  float* logits(Index q) noexcept {
    const Position& position = heads.positions[q];
    product(weights, position.output, units, own_logits);
    add(weights.numbers(position.output_bias), position.codes, own_logits);
    if (position.parent >= 0)
      add(weights.row(position.pair, codes[position.parent]), position.codes, own_logits);
    if (position.lines == 1)
      add_scaled(slopes[position.line], weights.numbers(position.scores), position.codes, own_logits);
    else if (position.lines > 1)
      add(slopes + position.line, position.codes, own_logits);
    return own_logits;
  }
  void contribute(Index q) noexcept {
    const Position& position = heads.positions[q];
    const std::int32_t code = codes[position.stretch];
    if (position.lines > 0) {
      const Index next = position.line + position.lines;
      const auto row = static_cast<std::size_t>((position.lines == 1 ? 0 : code) * (heads.lines - next));
      add_scaled(position.lines == 1 ? weights.numbers(position.scores)[code] : 1.0F,
                 weights.numbers(position.linear + row), heads.lines - next, slopes + next);
    }
    const auto embedding = weights.row(position.embedding, code);
    const Index bin = position.bin < 0 ? -1 : codes[position.bin] - position.first_bin;
    if (bin < 0 || bin + 1 >= position.knots.depth) {
      tell(embedding, heads.width, told);
      return;
    }
    const Codec& codec = columns.codecs[columns.layout[position.stretch].column];
    const float place = position.bin == static_cast<std::ptrdiff_t>(position.stretch)
                            ? 0.5F
                            : codec.place_of(codes[position.bin], code);
    tell(embedding, weights.row(position.knots, bin), weights.row(position.knots, bin + 1), place,
         heads.width, told);
  }
  const AutoregressiveHeads& heads;
  const Weights& weights;
  const Columns& columns;
  const float* read;
  const std::int32_t* codes; ///< by stretch
  float* product_of_all;     ///< the latent code's part of all positions
  float* told;               ///< c
  float* units;              ///< h
  float* gates;
  float* own_logits;
  float* slopes; ///< of the linear path
};

} // namespace kernel
ROWSMITH_END
