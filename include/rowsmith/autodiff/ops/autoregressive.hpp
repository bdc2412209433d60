// SPDX-License-Identifier: MIT
/// \file
/// Autoregressive heads: each column of a row is predicted from the latent code and from the columns before
/// it, all columns in one operation (the masked factorisation of Germain et al., "MADE", ICML 2015, with
/// tables of weights instead of masks because the inputs are codes).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <rowsmith/autodiff/ops/dense.hpp>
#include <rowsmith/autodiff/ops/gather.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/kernel/autoregressive_heads.hpp>
#include <rowsmith/kernel/random_fill.hpp>
#include <rowsmith/kernel/simd.hpp>

ROWSMITH_BEGIN

/// Shapes of autoregressive heads over C columns in a chosen order. Position q of the order predicts
///   h = relu(bias_q + Σ over p < q of table_q[code_p] + latent · latent_weight_q)
///   g = relu(h · hidden_weight_q + hidden_bias_q)
///   logits_q = (h + g) · output_weight_qᵀ + output_bias_q.
/// Codes are numbered through in the order: code k of position p is `prefix[p] + k`.
struct AutoregressiveShape {
  Index columns = 0;                 ///< C
  Index width = 0;                   ///< of h
  Index latent = 0;                  ///< of the latent code
  const Index* prefix = nullptr;     ///< C + 1: codes of all positions before; the last is all codes
  const Index* table_rows = nullptr; ///< C + 1: Σ of the prefixes before: first row of each position's table
  const std::int32_t* order = nullptr; ///< C: which code column of a row each position is
  const std::int32_t* shift = nullptr; ///< C: added to a row's code to number it through
  const double* weights = nullptr;     ///< C: factor on each position's part of the loss

  Index codes() const noexcept { return prefix[columns]; }
};

/// Dropout of the units of h in training (Srivastava et al. 2014): row r of a loss draws from blocks
/// [(first_row + r) · ceil(C · width / 16), …) of the stream, a byte a unit, so that rates are multiples of
/// 1/256.
struct AutoregressiveDropout {
  double rate = 0; ///< [0, 1)
  RandomStream stream{0, Purpose::dropout};
  std::uint64_t first_row = 0;
};

/// The weights of autoregressive heads: pointers (`const Scalar*`) or variables on a tape.
template <class Matrix>
struct AutoregressiveWeights {
  Matrix latent_weight; ///< (C · latent) × width, position after position
  Matrix bias;          ///< C × width
  Matrix tables; ///< table_rows[C] × width: position q has a row for each code of the positions before
  Matrix hidden_weight; ///< (C · width) × width
  Matrix hidden_bias;   ///< C × width
  Matrix output_weight; ///< codes × width
  Matrix output_bias;   ///< 1 × codes
};

namespace detail {

template <class Scalar>
struct Rectify {
  void operator()(Scalar* y, Index, Index, Index count) const noexcept {
    for (Index i = 0; i < count; ++i)
      y[i] = y[i] > 0 ? y[i] : Scalar(0);
  }
};

/// h of position q for `rows` rows. \param codes rows × C, numbered through, in the order; those of positions
/// from q on are not read \param latent rows × shape.latent
template <class Scalar>
void autoregressive_hidden(const AutoregressiveShape& shape,
                           const AutoregressiveWeights<const Scalar*>& weights, Index q, Index rows,
                           const std::int32_t* codes, const Scalar* latent, Scalar* h,
                           GemmWorkspace<Scalar>& workspace) {
  const Index width = shape.width;
  const Scalar* table = weights.tables + shape.table_rows[q] * width;
  for (Index r = 0; r < rows; ++r) {
    Scalar* to = h + r * width;
    std::copy_n(weights.bias + q * width, width, to);
    for (Index p = 0; p < q; ++p) {
      const Scalar* from = table + codes[r * shape.columns + p] * width;
      for (Index j = 0; j < width; ++j)
        to[j] += from[j];
    }
  }
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

/// Logits of position q, rows × (its codes), from h + g.
template <class Scalar>
void autoregressive_logits(const AutoregressiveShape& shape,
                           const AutoregressiveWeights<const Scalar*>& weights, Index q, Index rows,
                           const Scalar* sum, Scalar* logits, GemmWorkspace<Scalar>& workspace) {
  const Index width = shape.width;
  gemm(rows, shape.prefix[q + 1] - shape.prefix[q], width, as_is<Scalar>(sum, width),
       transposed<Scalar>(weights.output_weight + shape.prefix[q] * width, width), logits, false, workspace,
       BiasActivation<Scalar>{weights.output_bias + shape.prefix[q], {}});
}

/// The pass of `kernel::each_position` over many rows.
template <class Scalar>
struct AutoregressiveRows {
  const AutoregressiveShape& shape;
  const AutoregressiveWeights<const Scalar*>& weights;
  Index rows;
  const std::int32_t* codes; ///< rows × C, numbered through, in the order: written position by position
  const Scalar* latent;      ///< rows × shape.latent
  GemmWorkspace<Scalar>& workspace;
  Scalar* h;         ///< rows × width
  Scalar* g;         ///< the same
  Scalar* sum;       ///< h + g; may be h
  Scalar* outputs;   ///< rows × the most codes of a position
  bool keep = false; ///< h, g and outputs of each position lie behind those of the one before

  Scalar* h_of(Index q) const noexcept { return h + (keep ? q * rows * shape.width : 0); }
  Scalar* g_of(Index q) const noexcept { return g + (keep ? q * rows * shape.width : 0); }
  void hidden(Index q) { autoregressive_hidden(shape, weights, q, rows, codes, latent, h_of(q), workspace); }
  void gate(Index q) {
    autoregressive_gate(shape, weights, q, rows, h_of(q), g_of(q), workspace);
    for (Index i = 0; i < rows * shape.width; ++i)
      sum[i] = h_of(q)[i] + g_of(q)[i];
  }
  Scalar* logits(Index q) {
    Scalar* to = outputs + (keep ? rows * shape.prefix[q] : 0);
    autoregressive_logits(shape, weights, q, rows, sum, to, workspace);
    return to;
  }
  void contribute(Index) const noexcept {} // `hidden` gathers what the codes before it add
};

/// h -> h · m / (1 − rate) with the mask of position q.
template <class Scalar>
void autoregressive_dropout(const AutoregressiveShape& shape, const AutoregressiveDropout& dropout,
                            std::uint8_t threshold, Index q, Index rows, std::uint32_t* words, Scalar* h) {
  const auto blocks = static_cast<std::uint64_t>((shape.columns * shape.width + 15) / 16);
  // The words that hold this position's bytes; a position need not begin at a block.
  const Index first_word = q * shape.width / 4;
  const Index first_block = first_word / 4;
  const Index last_block = ((q + 1) * shape.width + 15) / 16;
  const Index skip = q * shape.width - 16 * first_block;
  const auto keep = static_cast<Scalar>(256.0 / (256 - threshold));
  for (Index r = 0; r < rows; ++r) {
    fill_bits(dropout.stream,
              (dropout.first_row + static_cast<std::uint64_t>(r)) * blocks +
                  static_cast<std::uint64_t>(first_block),
              last_block - first_block, words);
    Scalar* to = h + r * shape.width;
    for (Index j = 0; j < shape.width; ++j) {
      const auto byte =
          static_cast<std::uint8_t>(words[(skip + j) / 4] >> (8U * static_cast<unsigned>((skip + j) % 4)));
      to[j] *= byte < threshold ? Scalar(0) : keep;
    }
  }
}

/// Turns logits (rows × width) into scale · (softmax − one-hot of the target).
/// \param target  rows, `stride` apart, first code `first` \returns Σ −log softmax[target]
template <class Scalar>
double softmax_gradient(Scalar* logits, Index rows, Index width, const std::int32_t* target, Index stride,
                        Index first, Scalar scale) {
  using V = simd::Vector<Scalar>;
  double loss = 0;
  for (Index r = 0; r < rows; ++r) {
    Scalar* x = logits + r * width;
    const Scalar largest = kernel::largest_of(x, width);
    for (Index j = 0; j < width; ++j)
      x[j] -= largest;
    loss -= static_cast<double>(x[target[r * stride] - first]);
  }
  simd::transform(logits, logits, rows * width, [](const V& v) { return simd::exp(v); });
  for (Index r = 0; r < rows; ++r) {
    Scalar* x = logits + r * width;
    Scalar total = 0;
    for (Index j = 0; j < width; ++j)
      total += x[j];
    loss += std::log(static_cast<double>(total));
    const Scalar factor = scale / total;
    for (Index j = 0; j < width; ++j)
      x[j] *= factor;
    x[target[r * stride] - first] -= scale;
  }
  return loss;
}

} // namespace detail

/// The negative log-likelihood of rows given their latent codes: weight · Σ over rows and positions of
/// weights[q] · −log softmax(logits_q)[code_q].
/// \param latent   rows × shape.latent
/// \param targets  codes as the table's encoder numbers them; no numbers. \param shape must outlive the step
/// \param dropout  of the units of h
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
  require("latent_weight", parts.latent_weight, columns * shape.latent, width);
  require("bias", parts.bias, columns, width);
  require("tables", parts.tables, shape.table_rows[columns], width);
  require("hidden_weight", parts.hidden_weight, columns * width, width);
  require("hidden_bias", parts.hidden_bias, columns, width);
  require("output_weight", parts.output_weight, shape.codes(), width);
  require("output_bias", parts.output_bias, 1, shape.codes());
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
                         std::to_string(shape.prefix[q + 1] - shape.prefix[q]));
      codes[r * columns + q] = code;
    }
  auto loss = make_result("autoregressive_loss", 1, 1, latent, parts.latent_weight, parts.bias, parts.tables,
                          parts.hidden_weight, parts.hidden_bias, parts.output_weight, parts.output_bias);
  const AutoregressiveWeights<const Scalar*> weights{parts.latent_weight.data(), parts.bias.data(),
                                                     parts.tables.data(),        parts.hidden_weight.data(),
                                                     parts.hidden_bias.data(),   parts.output_weight.data(),
                                                     parts.output_bias.data()};
  Scalar* all_h = tape.template allocate<Scalar>(columns * rows * width);
  Scalar* all_g = tape.template allocate<Scalar>(columns * rows * width);
  Scalar* all_logits = tape.template allocate<Scalar>(rows * shape.codes());
  Scalar* sum = tape.template allocate<Scalar>(rows * width);
  struct DroppedRows : detail::AutoregressiveRows<Scalar> {
    const AutoregressiveDropout& dropout;
    std::uint8_t threshold;
    std::uint32_t* words;
    void hidden(Index q) {
      detail::AutoregressiveRows<Scalar>::hidden(q);
      if (threshold > 0)
        detail::autoregressive_dropout(this->shape, dropout, threshold, q, this->rows, words, this->h_of(q));
    }
  } pass{{shape, weights, rows, codes, latent.data(), tape.workspace(), all_h, all_g, sum, all_logits, true},
         dropout,
         threshold,
         words};
  double total = 0;
  kernel::each_position(pass, columns, [&](Index q, Scalar* logits) {
    const double part =
        detail::softmax_gradient(logits, rows, shape.prefix[q + 1] - shape.prefix[q], codes + q, columns,
                                 shape.prefix[q], static_cast<Scalar>(weight * shape.weights[q]));
    total += part * shape.weights[q];
    if (each != nullptr)
      each[q] += part;
  });
  loss.data()[0] = static_cast<Scalar>(total * weight);
  tape.on_backward(loss, [=, &shape] {
    auto& workspace = loss.tape().workspace();
    const Scalar factor = loss.adjoint()(0, 0);
    Scalar* dsum = loss.tape().template allocate<Scalar>(rows * width);
    Scalar* dg = loss.tape().template allocate<Scalar>(rows * width);
    using Target = detail::Target<Scalar>;
    const Target dlatent(latent);
    const Target dlatent_weight(parts.latent_weight);
    const Target dbias(parts.bias);
    const Target dtables(parts.tables);
    const Target dhidden_weight(parts.hidden_weight);
    const Target dhidden_bias(parts.hidden_bias);
    const Target doutput_weight(parts.output_weight);
    const Target doutput_bias(parts.output_bias);
    if (dtables && dtables.fresh)
      std::fill_n(dtables.data, shape.table_rows[columns] * width, Scalar(0));
    for (Index q = 0; q < columns; ++q) {
      const Scalar* h = all_h + q * rows * width;
      const Scalar* g = all_g + q * rows * width;
      const Index count = shape.prefix[q + 1] - shape.prefix[q];
      Scalar* dlogits = all_logits + rows * shape.prefix[q];
      if (factor != Scalar(1))
        for (Index i = 0; i < rows * count; ++i)
          dlogits[i] *= factor;
      if (doutput_bias)
        detail::add_column_sums(dlogits, rows, count, doutput_bias.data + shape.prefix[q],
                                doutput_bias.fresh);
      if (doutput_weight) {
        for (Index i = 0; i < rows * width; ++i)
          sum[i] = h[i] + g[i];
        gemm(count, width, rows, transposed<Scalar>(dlogits, count), as_is<Scalar>(sum, width),
             doutput_weight.data + shape.prefix[q] * width, !doutput_weight.fresh, workspace);
      }
      gemm(rows, width, count, as_is<Scalar>(dlogits, count),
           as_is<Scalar>(weights.output_weight + shape.prefix[q] * width, width), dsum, false, workspace);
      for (Index i = 0; i < rows * width; ++i)
        dg[i] = g[i] > 0 ? dsum[i] : Scalar(0);
      if (dhidden_bias)
        detail::add_column_sums(dg, rows, width, dhidden_bias.data + q * width, dhidden_bias.fresh);
      if (dhidden_weight)
        gemm(width, width, rows, transposed<Scalar>(h, width), as_is<Scalar>(dg, width),
             dhidden_weight.data + q * width * width, !dhidden_weight.fresh, workspace);
      // d h = d sum through the skip connection, plus what comes back through g.
      gemm(rows, width, width, as_is<Scalar>(dg, width),
           transposed<Scalar>(weights.hidden_weight + q * width * width, width), dsum, true, workspace);
      // A unit that was dropped has h = 0, as one that was not active.
      for (Index i = 0; i < rows * width; ++i)
        dsum[i] = h[i] > 0 ? keep * dsum[i] : Scalar(0);
      if (dbias)
        detail::add_column_sums(dsum, rows, width, dbias.data + q * width, dbias.fresh);
      if (dlatent_weight)
        gemm(shape.latent, width, rows, transposed<Scalar>(latent.data(), shape.latent),
             as_is<Scalar>(dsum, width), dlatent_weight.data + q * shape.latent * width,
             !dlatent_weight.fresh, workspace);
      if (dtables) {
        Scalar* table = dtables.data + shape.table_rows[q] * width;
        for (Index r = 0; r < rows; ++r)
          for (Index p = 0; p < q; ++p) {
            Scalar* to = table + codes[r * columns + p] * width;
            for (Index j = 0; j < width; ++j)
              to[j] += dsum[r * width + j];
          }
      }
      if (dlatent)
        gemm(rows, shape.latent, width, as_is<Scalar>(dsum, width),
             transposed<Scalar>(weights.latent_weight + q * shape.latent * width, width), dlatent.data,
             q > 0 || !dlatent.fresh, workspace);
    }
  });
  return loss;
}

ROWSMITH_END
