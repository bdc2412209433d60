// SPDX-License-Identifier: MIT
/// \file
/// Autoregressive heads: each column of a row is predicted from the latent code and from the columns before
/// it, all columns in one operation. Codes are embedded once for all later positions, which read their
/// running sum (Larochelle & Murray, "The neural autoregressive distribution estimator", AISTATS 2011, with
/// a scale, a bias and a residual block a position).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <rowsmith/autodiff/ops/autoregressive_linear.hpp>
#include <rowsmith/autodiff/ops/autoregressive_shape.hpp>
#include <rowsmith/autodiff/ops/dense.hpp>
#include <rowsmith/autodiff/ops/gather.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/kernel/autoregressive_heads.hpp>
#include <rowsmith/kernel/random_fill.hpp>
#include <rowsmith/kernel/simd.hpp>

ROWSMITH_BEGIN

namespace detail {

template <class Scalar>
struct Rectify {
  void operator()(Scalar* y, Index, Index, Index count) const noexcept {
    for (Index i = 0; i < count; ++i)
      y[i] = y[i] > 0 ? y[i] : Scalar(0);
  }
};

/// output_weight + heights · bump_weight: rows that belong to codes in order have their bumps added.
/// \param output  codes × width: written
template <class Scalar>
void autoregressive_outputs(const AutoregressiveShape& shape, const Scalar* output_weight,
                            const Scalar* bump_weight, Scalar* output) {
  const Index width = shape.width;
  std::copy_n(output_weight, shape.codes() * width, output);
  for (Index q = 0; q < shape.columns; ++q) {
    const auto& position = shape.positions[q];
    for (Index k = 0; k < position.smooth; ++k)
      for (Index m = 0; m < position.bumps; ++m) {
        const auto height = static_cast<Scalar>(shape.heights[position.height + k * position.bumps + m]);
        const Scalar* from = bump_weight + (position.bump + m) * width;
        Scalar* to = output + (shape.prefix[q] + position.first_smooth + k) * width;
        for (Index j = 0; j < width; ++j)
          to[j] += height * from[j];
      }
  }
}

/// Where the number that position q completes lies. \param codes  of one row, by position and numbered
/// through \param place  out: in [0, 1], within the bin \returns the knot before it, or −1 without a number
inline Index autoregressive_knot(const AutoregressiveShape& shape, Index q, const std::int32_t* codes,
                                 float& place) noexcept {
  const auto& position = shape.positions[q];
  if (position.bin < 0)
    return -1;
  const Index bin = codes[position.bin] - shape.prefix[position.bin] - position.first_bin;
  if (bin < 0 || bin >= position.bins)
    return -1;
  place = position.bin == q
              ? shape.places[position.place + bin]
              : shape.places[position.place + bin * shape.codes(q) + codes[q] - shape.prefix[q]];
  return position.knot + bin;
}

/// c of the next position: adds what the code of position q tells. \param codes  of one row \param c  width
template <class Scalar>
void autoregressive_contribute(const AutoregressiveShape& shape,
                               const AutoregressiveWeights<const Scalar*>& weights, Index q,
                               const std::int32_t* codes, Scalar* c) noexcept {
  const Index width = shape.width;
  const Scalar* embedding = weights.embedding + codes[q] * width;
  float place = 0;
  const Index knot = autoregressive_knot(shape, q, codes, place);
  if (knot < 0)
    kernel::tell(embedding, width, c);
  else
    kernel::tell(embedding, weights.knots + knot * width, weights.knots + (knot + 1) * width,
                 static_cast<Scalar>(place), width, c);
}

/// h of position q for `rows` rows. \param c  rows × width: what the positions before told
/// \param latent  rows × shape.latent
template <class Scalar>
void autoregressive_hidden(const AutoregressiveShape& shape,
                           const AutoregressiveWeights<const Scalar*>& weights, Index q, Index rows,
                           const Scalar* c, const Scalar* latent, Scalar* h,
                           GemmWorkspace<Scalar>& workspace) {
  const Index width = shape.width;
  const Scalar* scale = weights.scale + q * width;
  const Scalar* bias = weights.bias + q * width;
  for (Index r = 0; r < rows; ++r)
    for (Index j = 0; j < width; ++j)
      h[r * width + j] = scale[j] * c[r * width + j] + bias[j];
  gemm(rows, width, shape.latent, as_is<Scalar>(latent, shape.latent),
       as_is<Scalar>(weights.latent_weight + q * shape.latent * width, width), h, true, workspace,
       Rectify<Scalar>{});
}

/// g of position q from its h.
template <class Scalar>
void autoregressive_gate(const AutoregressiveShape& shape,
                         const AutoregressiveWeights<const Scalar*>& weights, Index q, Index rows,
                         const Scalar* h, Scalar* g, GemmWorkspace<Scalar>& workspace) {
  const Index width = shape.width;
  gemm(rows, width, width, as_is<Scalar>(h, width),
       as_is<Scalar>(weights.hidden_weight + q * width * width, width), g, false, workspace,
       BiasActivation<Scalar>{weights.hidden_bias + q * width, {ActivationKind::relu}});
}

/// Logits of position q, rows × (its codes), from h + g. `weights.output_weight` has the bumps in it.
/// \param codes  rows × C, numbered through, by position; that of the parent is read
template <class Scalar>
void autoregressive_logits(const AutoregressiveShape& shape,
                           const AutoregressiveWeights<const Scalar*>& weights, Index q, Index rows,
                           const Scalar* sum, const std::int32_t* codes, Scalar* logits,
                           GemmWorkspace<Scalar>& workspace) {
  const Index width = shape.width;
  const Index count = shape.codes(q);
  gemm(rows, count, width, as_is<Scalar>(sum, width),
       transposed<Scalar>(weights.output_weight + shape.prefix[q] * width, width), logits, false, workspace,
       BiasActivation<Scalar>{weights.output_bias + shape.prefix[q], {}});
  const auto& position = shape.positions[q];
  if (position.parent < 0)
    return;
  for (Index r = 0; r < rows; ++r) {
    const Index parent = codes[r * shape.columns + position.parent] - shape.prefix[position.parent];
    const Scalar* pair = weights.pair_bias + position.pair + parent * count;
    for (Index k = 0; k < count; ++k)
      logits[r * count + k] += pair[k];
  }
}

/// The pass of `kernel::each_position` over many rows.
template <class Scalar>
struct AutoregressiveRows {
  const AutoregressiveShape& shape;
  const AutoregressiveWeights<const Scalar*>& weights; ///< output_weight with the bumps in it
  Index rows;
  const std::int32_t* codes; ///< rows × C, numbered through, in the order: written position by position
  const Scalar* latent;      ///< rows × shape.latent
  GemmWorkspace<Scalar>& workspace;
  Scalar* c;         ///< rows × width; 0 at the first position
  Scalar* h;         ///< rows × width
  Scalar* g;         ///< the same
  Scalar* sum;       ///< h + g; may be h
  Scalar* slopes;    ///< rows × lines of the linear path; 0 at the first position
  Scalar* outputs;   ///< rows × the most codes of a position
  bool keep = false; ///< c, h, g and outputs of each position lie behind those of the one before

  Scalar* c_of(Index q) const noexcept { return c + (keep ? q * rows * shape.width : 0); }
  Scalar* h_of(Index q) const noexcept { return h + (keep ? q * rows * shape.width : 0); }
  Scalar* g_of(Index q) const noexcept { return g + (keep ? q * rows * shape.width : 0); }
  void hidden(Index q) {
    autoregressive_hidden(shape, weights, q, rows, c_of(q), latent, h_of(q), workspace);
  }
  void gate(Index q) { autoregressive_gate(shape, weights, q, rows, h_of(q), g_of(q), workspace); }
  Scalar* logits(Index q) {
    const Scalar* left = h_of(q);
    const Scalar* right = g_of(q);
    for (Index i = 0; i < rows * shape.width; ++i)
      sum[i] = left[i] + right[i];
    Scalar* to = outputs + (keep ? rows * shape.prefix[q] : 0);
    autoregressive_logits(shape, weights, q, rows, sum, codes, to, workspace);
    autoregressive_linear(shape, weights, q, rows, slopes, to);
    return to;
  }
  void contribute(Index q) const noexcept {
    if (q + 1 == shape.columns)
      return;
    if (keep)
      std::copy_n(c_of(q), rows * shape.width, c_of(q + 1));
    for (Index r = 0; r < rows; ++r) {
      autoregressive_contribute(shape, weights, q, codes + r * shape.columns, c_of(q + 1) + r * shape.width);
      autoregressive_tell_line(shape, q, codes + r * shape.columns, slopes + r * shape.lines);
    }
  }
};

/// x -> x · m / (1 − rate), with the mask of `units` units from unit `first` on of the `all` of a row.
/// \param words  room for units / 4 + 12
template <class Scalar>
void autoregressive_dropout(const AutoregressiveDropout& dropout, std::uint8_t threshold, Index all,
                            Index first, Index units, Index rows, std::uint32_t* words, Scalar* x) {
  const auto blocks = static_cast<std::uint64_t>((all + 15) / 16);
  // The units' bytes need not begin at a block.
  const Index first_block = first / 16;
  const Index last_block = (first + units + 15) / 16;
  const Index skip = first - 16 * first_block;
  const auto keep = static_cast<Scalar>(256.0 / (256 - threshold));
  for (Index r = 0; r < rows; ++r) {
    fill_bits(dropout.stream,
              (dropout.first_row + static_cast<std::uint64_t>(r)) * blocks +
                  static_cast<std::uint64_t>(first_block),
              last_block - first_block, words);
    Scalar* to = x + r * units;
    for (Index j = 0; j < units; ++j) {
      const auto byte =
          static_cast<std::uint8_t>(words[(skip + j) / 4] >> (8U * static_cast<unsigned>((skip + j) % 4)));
      to[j] *= byte < threshold ? Scalar(0) : keep;
    }
  }
}

/// Turns logits (rows × width) into scale · (softmax − one-hot of the target).
/// \param target  rows, `stride` apart, first code `first` \param of_rows  a factor on each row's; null: 1
/// \returns Σ −log softmax[target]
template <class Scalar>
double softmax_gradient(Scalar* logits, Index rows, Index width, const std::int32_t* target, Index stride,
                        Index first, Scalar scale, const Scalar* of_rows = nullptr) {
  using V = simd::Vector<Scalar>;
  const auto of_row = [of_rows](Index r) { return of_rows == nullptr ? Scalar(1) : of_rows[r]; };
  double loss = 0;
  for (Index r = 0; r < rows; ++r) {
    Scalar* x = logits + r * width;
    const Scalar largest = kernel::largest_of(x, width);
    for (Index j = 0; j < width; ++j)
      x[j] -= largest;
    loss -= static_cast<double>(of_row(r) * x[target[r * stride] - first]);
  }
  simd::transform(logits, logits, rows * width, [](const V& v) { return simd::exp(v); });
  for (Index r = 0; r < rows; ++r) {
    Scalar* x = logits + r * width;
    Scalar total = 0;
    for (Index j = 0; j < width; ++j)
      total += x[j];
    loss += static_cast<double>(of_row(r)) * std::log(static_cast<double>(total));
    const Scalar own = of_row(r) * scale;
    const Scalar factor = own / total;
    for (Index j = 0; j < width; ++j)
      x[j] *= factor;
    x[target[r * stride] - first] -= own;
  }
  return loss;
}

/// The squared length of one row's gradient by what position q tells and by what its logits are made of.
/// \param tells  which weights have one \param dc  what later positions ask of its contribution; null: none
/// does
template <class Scalar>
Scalar autoregressive_output_square(const AutoregressiveShape& shape, Index q,
                                    const AutoregressiveWeights<bool>& tells, const Scalar* dlogits,
                                    const Scalar* h, const Scalar* g, const Scalar* dc,
                                    const std::int32_t* codes, const Scalar* slopes) noexcept {
  const Index width = shape.width;
  const auto& position = shape.positions[q];
  Scalar result = 0;
  if (dc != nullptr) {
    const Scalar asked = squared_length(dc, width);
    float place = 0;
    result += tells.embedding ? asked : Scalar(0);
    if (tells.knots && autoregressive_knot(shape, q, codes, place) >= 0) {
      const auto after = static_cast<Scalar>(place);
      result += ((1 - after) * (1 - after) + after * after) * asked;
    }
  }
  const Scalar told = squared_length(dlogits, shape.codes(q));
  result +=
      (tells.output_bias ? told : Scalar(0)) + (tells.pair_bias && position.parent >= 0 ? told : Scalar(0));
  Scalar sum = 0;
  for (Index j = 0; j < width; ++j)
    sum += (h[j] + g[j]) * (h[j] + g[j]);
  Scalar of_weight = tells.output_weight ? told : Scalar(0);
  for (Index m = 0; tells.bump_weight && m < position.bumps; ++m) {
    Scalar bump = 0;
    for (Index k = 0; k < position.smooth; ++k)
      bump += static_cast<Scalar>(shape.heights[position.height + k * position.bumps + m]) *
              dlogits[position.first_smooth + k];
    of_weight += bump * bump;
  }
  if (tells.gain && position.lines > 0) {
    // Parts of one line come one after the other.
    Scalar part = 0;
    each_gain(shape, q, dlogits, slopes, [&](Index, Scalar more) {
      part += more;
      if (position.lines > 1) {
        result += part * part;
        part = 0;
      }
    });
    result += part * part;
  }
  return result + of_weight * sum;
}

} // namespace detail

/// The negative log-likelihood of rows given their latent codes: weight · Σ over rows and positions of
/// weights[q] · −log softmax(logits_q)[code_q].
/// \param latent   rows × shape.latent
/// \param targets  codes as the table's encoder numbers them; no numbers. \param shape must outlive the step
/// \param dropout  of the units of h and g
/// \param each     null, or C sums: the part of each position, without `weight` and weights[q], is added
/// \throws ShapeError if the shapes do not fit or a code is not one of its column
/// \throws OptionError for a rate of dropout outside [0, 1)
template <class Scalar>
Variable<Scalar>
autoregressive_loss(const Variable<Scalar>& latent, const AutoregressiveWeights<Variable<Scalar>>& parts,
                    const AutoregressiveShape& shape, const MixedRows<Scalar>& targets, double weight,
                    const AutoregressiveDropout& dropout = {}, double* each = nullptr) {
  const Index rows = latent.rows();
  const Index columns = shape.columns;
  const Index width = shape.width;
  const auto require = [](const char* what, const Variable<Scalar>& x, Index r, Index c) {
    detail::check_shape(x.rows() == r && x.columns() == c, "autoregressive_loss", what, x, r, " x ", c);
  };
  require("the latent code", latent, targets.rows, shape.latent);
  parts.each(shape, require);
  if (targets.code_columns != columns || targets.number_columns != 0)
    throw ShapeError("autoregressive_loss: targets with " + std::to_string(targets.code_columns) +
                     " codes and " + std::to_string(targets.number_columns) + " numbers, expected " +
                     std::to_string(columns) + " codes and no number");
  if (!(dropout.rate >= 0 && dropout.rate < 1))
    throw OptionError("autoregressive_loss: dropout.rate = " + std::to_string(dropout.rate) +
                      ", expected 0 <= rate < 1");
  const auto threshold = static_cast<std::uint8_t>(std::min(255.0, dropout.rate * 256 + 0.5));
  const Scalar keep = static_cast<Scalar>(256.0 / (256 - threshold));
  auto& tape = latent.tape();
  auto* words = tape.template allocate<std::uint32_t>(width / 4 + 12);
  auto* codes = tape.template allocate<std::int32_t>(rows * columns);
  for (Index r = 0; r < rows; ++r)
    for (Index q = 0; q < columns; ++q) {
      const std::int32_t code = targets.codes[r * columns + shape.order[q]] + shape.shift[q];
      if (code < shape.prefix[q] || code >= shape.prefix[q + 1])
        throw ShapeError("autoregressive_loss: row " + std::to_string(r) + ", position " + std::to_string(q) +
                         ": code " + std::to_string(code - shape.prefix[q]) + " of " +
                         std::to_string(shape.codes(q)));
      codes[r * columns + q] = code;
    }
  auto loss =
      make_result("autoregressive_loss", 1, 1, latent, parts.embedding, parts.knots, parts.scale,
                  parts.latent_weight, parts.bias, parts.hidden_weight, parts.hidden_bias,
                  parts.output_weight, parts.output_bias, parts.pair_bias, parts.bump_weight, parts.gain);
  const Scalar* of_rows = tape.weights_of_rows(loss, rows);
  Scalar* outputs = tape.template allocate<Scalar>(shape.codes() * width);
  detail::autoregressive_outputs(shape, parts.output_weight.data(), parts.bump_weight.data(), outputs);
  auto weights = parts.mapped([](const Variable<Scalar>& part) -> const Scalar* { return part.data(); });
  weights.output_weight = outputs;
  Scalar* all_c = tape.template allocate<Scalar>(columns * rows * width);
  Scalar* all_h = tape.template allocate<Scalar>(columns * rows * width);
  Scalar* all_g = tape.template allocate<Scalar>(columns * rows * width);
  Scalar* all_logits = tape.template allocate<Scalar>(rows * shape.codes());
  Scalar* sum = tape.template allocate<Scalar>(rows * width);
  Scalar* slopes = tape.template allocate<Scalar>(rows * shape.lines);
  std::fill_n(slopes, rows * shape.lines, Scalar(0));
  std::fill_n(all_c, rows * width, Scalar(0));
  struct DroppedRows : detail::AutoregressiveRows<Scalar> {
    const AutoregressiveDropout& dropout;
    std::uint8_t threshold;
    std::uint32_t* words;
    void hidden(Index q) {
      detail::AutoregressiveRows<Scalar>::hidden(q);
      drop(2 * q, this->h_of(q));
    }
    void gate(Index q) {
      detail::AutoregressiveRows<Scalar>::gate(q);
      drop(2 * q + 1, this->g_of(q));
    }
    void drop(Index part, Scalar* x) const {
      const Index units = this->shape.width;
      if (threshold > 0)
        detail::autoregressive_dropout(dropout, threshold, 2 * this->shape.columns * units, part * units,
                                       units, this->rows, words, x);
    }
  } pass{{shape, weights, rows, codes, latent.data(), tape.workspace(), all_c, all_h, all_g, sum, slopes,
          all_logits, true},
         dropout,
         threshold,
         words};
  double total = 0;
  kernel::each_position(pass, columns, [&](Index q, Scalar* logits) {
    const double part =
        detail::softmax_gradient(logits, rows, shape.codes(q), codes + q, columns, shape.prefix[q],
                                 static_cast<Scalar>(weight * shape.weights[q]), of_rows);
    total += part * shape.weights[q];
    if (each != nullptr)
      each[q] += part;
  });
  loss.data()[0] = static_cast<Scalar>(total * weight);
  tape.on_backward(loss, [=, &shape] {
    auto& workspace = loss.tape().workspace();
    const Scalar factor = loss.adjoint()(0, 0);
    Index widest = 0;
    for (Index q = 0; q < columns; ++q)
      widest = std::max(widest, shape.codes(q));
    Scalar* dc = loss.tape().template allocate<Scalar>(rows * width);
    Scalar* dsum = loss.tape().template allocate<Scalar>(rows * width);
    Scalar* dg = loss.tape().template allocate<Scalar>(rows * width);
    Scalar* doutputs = loss.tape().template allocate<Scalar>(widest * width);
    // Rows that are audited have their gradients' lengths told in place of the gradients.
    Scalar* squares = loss.tape().row_squares();
    const auto tells = parts.mapped(
        [squares](const Variable<Scalar>& part) { return squares != nullptr && part.needs_gradient(); });
    if (squares != nullptr)
      parts.each(shape, [&](const char*, const Variable<Scalar>& part, Index, Index) {
        if (part.needs_gradient())
          loss.tape().tell_rows(part, rows);
      });
    using Target = detail::Target<Scalar>;
    const Target dlatent(latent);
    const auto targets_of = parts.mapped(
        [squares](const Variable<Scalar>& part) { return squares == nullptr ? Target(part) : Target(); });
    const Target& dembedding = targets_of.embedding;
    const Target& dknots = targets_of.knots;
    const Target& dscale = targets_of.scale;
    const Target& dlatent_weight = targets_of.latent_weight;
    const Target& dbias = targets_of.bias;
    const Target& dhidden_weight = targets_of.hidden_weight;
    const Target& dhidden_bias = targets_of.hidden_bias;
    const Target& doutput_weight = targets_of.output_weight;
    const Target& doutput_bias = targets_of.output_bias;
    const Target& dpair_bias = targets_of.pair_bias;
    const Target& dbump_weight = targets_of.bump_weight;
    const Target& dgain = targets_of.gain;
    // Gradients that rows are added to one by one start at zero.
    const auto clear = [](const Target& target, Index size) {
      if (target && target.fresh)
        std::fill_n(target.data, size, Scalar(0));
    };
    clear(dembedding, shape.codes() * width);
    clear(dknots, shape.knots * width);
    clear(dpair_bias, shape.pairs);
    clear(dbump_weight, shape.bumps * width);
    clear(dgain, shape.gains);
    std::fill_n(dc, rows * width, Scalar(0));
    for (Index q = columns; q-- > 0;) {
      const auto& position = shape.positions[q];
      const Scalar* c = all_c + q * rows * width;
      const Scalar* h = all_h + q * rows * width;
      const Scalar* g = all_g + q * rows * width;
      const Index count = shape.codes(q);
      // dc holds what the positions after this one ask of its contribution.
      if (dembedding && q + 1 < columns)
        for (Index r = 0; r < rows; ++r) {
          Scalar* to = dembedding.data + codes[r * columns + q] * width;
          for (Index j = 0; j < width; ++j)
            to[j] += dc[r * width + j];
        }
      if (dknots && position.bin >= 0 && q + 1 < columns)
        for (Index r = 0; r < rows; ++r) {
          float place = 0;
          const Index knot = detail::autoregressive_knot(shape, q, codes + r * columns, place);
          if (knot < 0)
            continue;
          const auto after = static_cast<Scalar>(place);
          Scalar* low = dknots.data + knot * width;
          for (Index j = 0; j < width; ++j) {
            low[j] += (1 - after) * dc[r * width + j];
            low[width + j] += after * dc[r * width + j];
          }
        }
      Scalar* dlogits = all_logits + rows * shape.prefix[q];
      if (factor != Scalar(1))
        for (Index i = 0; i < rows * count; ++i)
          dlogits[i] *= factor;
      if (squares != nullptr)
        for (Index r = 0; r < rows; ++r)
          squares[r] += detail::autoregressive_output_square(
              shape, q, tells, dlogits + r * count, h + r * width, g + r * width,
              q + 1 < columns ? dc + r * width : nullptr, codes + r * columns, slopes + r * shape.lines);
      if (doutput_bias)
        detail::add_column_sums(dlogits, rows, count, doutput_bias.data + shape.prefix[q],
                                doutput_bias.fresh);
      if (dpair_bias && position.parent >= 0)
        for (Index r = 0; r < rows; ++r) {
          Scalar* to = dpair_bias.data + position.pair +
                       (codes[r * columns + position.parent] - shape.prefix[position.parent]) * count;
          for (Index k = 0; k < count; ++k)
            to[k] += dlogits[r * count + k];
        }
      if (dgain)
        for (Index r = 0; r < rows; ++r)
          detail::each_gain(shape, q, dlogits + r * count, slopes + r * shape.lines,
                            [&dgain](Index line, Scalar part) { dgain.data[line] += part; });
      if (doutput_weight || dbump_weight) {
        for (Index i = 0; i < rows * width; ++i)
          sum[i] = h[i] + g[i];
        gemm(count, width, rows, transposed<Scalar>(dlogits, count), as_is<Scalar>(sum, width), doutputs,
             false, workspace);
        if (doutput_weight) {
          Scalar* to = doutput_weight.data + shape.prefix[q] * width;
          for (Index i = 0; i < count * width; ++i)
            to[i] = doutput_weight.fresh ? doutputs[i] : to[i] + doutputs[i];
        }
        if (dbump_weight)
          for (Index k = 0; k < position.smooth; ++k)
            for (Index m = 0; m < position.bumps; ++m) {
              const auto height =
                  static_cast<Scalar>(shape.heights[position.height + k * position.bumps + m]);
              const Scalar* from = doutputs + (position.first_smooth + k) * width;
              Scalar* to = dbump_weight.data + (position.bump + m) * width;
              for (Index j = 0; j < width; ++j)
                to[j] += height * from[j];
            }
      }
      gemm(rows, width, count, as_is<Scalar>(dlogits, count),
           as_is<Scalar>(weights.output_weight + shape.prefix[q] * width, width), dsum, false, workspace);
      // A unit that was dropped is 0, as one that was not active.
      for (Index i = 0; i < rows * width; ++i)
        dg[i] = g[i] > 0 ? keep * dsum[i] : Scalar(0);
      if (squares != nullptr)
        for (Index r = 0; r < rows; ++r)
          squares[r] += ((tells.hidden_bias ? Scalar(1) : Scalar(0)) +
                         (tells.hidden_weight ? detail::squared_length(h + r * width, width) : Scalar(0))) *
                        detail::squared_length(dg + r * width, width);
      if (dhidden_bias)
        detail::add_column_sums(dg, rows, width, dhidden_bias.data + q * width, dhidden_bias.fresh);
      if (dhidden_weight)
        gemm(width, width, rows, transposed<Scalar>(h, width), as_is<Scalar>(dg, width),
             dhidden_weight.data + q * width * width, !dhidden_weight.fresh, workspace);
      // d h = d sum through the skip connection, plus what comes back through g.
      gemm(rows, width, width, as_is<Scalar>(dg, width),
           transposed<Scalar>(weights.hidden_weight + q * width * width, width), dsum, true, workspace);
      for (Index i = 0; i < rows * width; ++i)
        dsum[i] = h[i] > 0 ? keep * dsum[i] : Scalar(0);
      if (squares != nullptr)
        for (Index r = 0; r < rows; ++r) {
          const Scalar* own = dsum + r * width;
          squares[r] +=
              ((tells.bias ? Scalar(1) : Scalar(0)) +
               (tells.latent_weight ? detail::squared_length(latent.data() + r * shape.latent, shape.latent)
                                    : Scalar(0))) *
              detail::squared_length(own, width);
          for (Index j = 0; tells.scale && j < width; ++j)
            squares[r] += own[j] * c[r * width + j] * own[j] * c[r * width + j];
        }
      if (dbias)
        detail::add_column_sums(dsum, rows, width, dbias.data + q * width, dbias.fresh);
      if (dscale) {
        Scalar* to = dscale.data + q * width;
        if (dscale.fresh)
          std::fill_n(to, width, Scalar(0));
        for (Index r = 0; r < rows; ++r)
          for (Index j = 0; j < width; ++j)
            to[j] += dsum[r * width + j] * c[r * width + j];
      }
      if (dlatent_weight)
        gemm(shape.latent, width, rows, transposed<Scalar>(latent.data(), shape.latent),
             as_is<Scalar>(dsum, width), dlatent_weight.data + q * shape.latent * width,
             !dlatent_weight.fresh, workspace);
      if (dlatent)
        gemm(rows, shape.latent, width, as_is<Scalar>(dsum, width),
             transposed<Scalar>(weights.latent_weight + q * shape.latent * width, width), dlatent.data,
             q + 1 < columns || !dlatent.fresh, workspace);
      const Scalar* scale = weights.scale + q * width;
      for (Index r = 0; r < rows; ++r)
        for (Index j = 0; j < width; ++j)
          dc[r * width + j] += scale[j] * dsum[r * width + j];
    }
  });
  return loss;
}

ROWSMITH_END
