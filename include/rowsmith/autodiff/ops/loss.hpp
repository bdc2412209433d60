// SPDX-License-Identifier: MIT
/// \file
/// Losses. Each returns a 1 × 1 variable, `weight` times the sum over the rows; a weight of 1 / rows gives
/// the mean, and shards of one batch use 1 / (rows of the whole batch).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <rowsmith/autodiff/ops/check.hpp>
#include <rowsmith/autodiff/ops/gather.hpp>
#include <rowsmith/kernel/simd.hpp>
#include <rowsmith/kernel/softmax.hpp>

ROWSMITH_BEGIN

/// weight · Σ (prediction − target)²; `target` has the prediction's shape and must outlive the step. A NaN
/// target is a missing value and counts nothing.
template <class Scalar>
Variable<Scalar> squared_error(const Variable<Scalar>& prediction, const Scalar* target, double weight) {
  auto& tape = prediction.tape();
  auto loss = tape.make(1, 1, prediction.needs_gradient());
  double total = 0;
  for (Index i = 0; i < prediction.size(); ++i) {
    const double difference = static_cast<double>(prediction.data()[i]) - static_cast<double>(target[i]);
    total += std::isnan(target[i]) ? 0.0 : difference * difference;
  }
  loss.data()[0] = static_cast<Scalar>(total * weight);
  tape.on_backward(loss, [=] {
    const Scalar factor = static_cast<Scalar>(2 * weight) * loss.adjoint()(0, 0);
    const Scalar* y = prediction.data();
    detail::contribute(prediction, [=](Index i) {
      return target[i] == target[i] ? factor * (y[i] - target[i]) : Scalar(0);
    });
  });
  return loss;
}

/// weight · Σ −[t log σ(x) + (1 − t) log(1 − σ(x))] with one target t in [0, 1] for all: binary cross-entropy
/// with logits, computed as max(x, 0) − x t + log(1 + e^−|x|), which cannot overflow.
/// \throws OptionError for a target outside [0, 1]
template <class Scalar>
Variable<Scalar> bce_with_logits(const Variable<Scalar>& logits, double target, double weight) {
  if (!(target >= 0 && target <= 1))
    throw OptionError("bce_with_logits: target = " + std::to_string(target) + ", expected 0 <= target <= 1");
  auto& tape = logits.tape();
  auto loss = tape.make(1, 1, logits.needs_gradient());
  const Scalar* of_rows = tape.weights_of_rows(loss, logits.rows());
  const Index columns = logits.columns();
  const auto of = [of_rows, columns](Index i) {
    return of_rows == nullptr ? 1.0 : static_cast<double>(of_rows[i / columns]);
  };
  double total = 0;
  for (Index i = 0; i < logits.size(); ++i) {
    const auto x = static_cast<double>(logits.data()[i]);
    total += of(i) * (std::max(x, 0.0) - x * target + std::log1p(std::exp(-std::abs(x))));
  }
  loss.data()[0] = static_cast<Scalar>(total * weight);
  tape.on_backward(loss, [=] {
    const double factor = weight * static_cast<double>(loss.adjoint()(0, 0));
    const Scalar* x = logits.data();
    detail::contribute(logits, [=](Index i) {
      return static_cast<Scalar>(factor * of(i) * (1 / (1 + std::exp(-static_cast<double>(x[i]))) - target));
    });
  });
  return loss;
}

/// What one stretch of a decoder's output columns means.
struct Head {
  bool categorical = true; ///< softmax over `width` logits, or one number
  Index offset = 0;        ///< first output column
  Index width = 1;         ///< 1 for a number
  double weight = 1;       ///< factor on this head's part of the loss
};

namespace detail {
/// \throws ShapeError unless the heads cut the output's columns into stretches and fit the targets
template <class Scalar>
void check_heads(const Variable<Scalar>& output, const Head* heads, Index head_count,
                 const MixedRows<Scalar>& targets) {
  check_shape(output.rows() == targets.rows, "heads_loss", "the output", output, targets.rows,
              " rows, as many as there are targets");
  bool* taken = output.tape().template allocate<bool>(output.columns());
  std::fill_n(taken, output.columns(), false);
  Index width = 0;
  Index categorical = 0;
  for (Index h = 0; h < head_count; ++h) {
    const Head& head = heads[h];
    if (head.width < 1 || head.offset < 0 || head.offset + head.width > output.columns() ||
        (!head.categorical && head.width != 1))
      throw ShapeError("heads_loss: head " + std::to_string(h) + " takes " + std::to_string(head.width) +
                       " columns from " + std::to_string(head.offset) + " of an output that is " +
                       shape_text(output));
    for (Index column = head.offset; column < head.offset + head.width; ++column) {
      if (taken[column])
        throw ShapeError("heads_loss: head " + std::to_string(h) + " takes column " + std::to_string(column) +
                         ", which another head has taken");
      taken[column] = true;
    }
    width += head.width;
    categorical += head.categorical ? 1 : 0;
  }
  check_shape(output.columns() == width, "heads_loss", "the output", output, width,
              " columns, as many as the heads take");
  if (categorical != targets.code_columns || head_count - categorical != targets.number_columns)
    throw ShapeError("heads_loss: " + std::to_string(categorical) + " categorical heads and " +
                     std::to_string(head_count - categorical) + " numbers for targets with " +
                     std::to_string(targets.code_columns) + " codes and " +
                     std::to_string(targets.number_columns) + " numbers");
}

/// \returns `code`. \throws ShapeError unless it is a column of `head`
inline std::int32_t check_code(const Head& head, std::int32_t code) {
  if (code < head.offset || code >= head.offset + head.width)
    throw ShapeError("heads_loss: code " + std::to_string(code) + " for a head of the columns " +
                     std::to_string(head.offset) + " to " + std::to_string(head.offset + head.width - 1));
  return code;
}
} // namespace detail

/// The loss of all heads of a decoder in one pass: weight · Σ over rows of
/// [Σ over categorical heads −log softmax(logits)[code] + Σ over numbers (output − number)²], each times its
/// head's own weight.
/// \param output   rows × (sum of the widths)
/// \param heads    `head_count` heads; must outlive the step. Categorical head k of the list takes the k-th
///                 code of a row, number head k its k-th number
/// \param targets  `codes` are output columns, as for `gather_dense`; NaN numbers count nothing
/// \throws ShapeError unless the heads cover each column of the output once, there are as many targets as
///         heads, and every code is a column of its head
/// The gradient is made together with the loss, so that the softmaxes are computed once.
template <class Scalar>
Variable<Scalar> heads_loss(const Variable<Scalar>& output, const Head* heads, Index head_count,
                            const MixedRows<Scalar>& targets, double weight) {
  using V = simd::Vector<Scalar>;
  detail::check_heads(output, heads, head_count, targets);
  auto& tape = output.tape();
  auto loss = tape.make(1, 1, output.needs_gradient());
  const Index width = output.columns();
  Scalar* gradient = tape.template allocate<Scalar>(output.size());
  Scalar* sums = tape.template allocate<Scalar>(targets.code_columns);
  Scalar* logs = tape.template allocate<Scalar>(targets.code_columns);
  double* weights = tape.template allocate<double>(targets.code_columns);
  const auto scale = static_cast<Scalar>(weight);
  double total = 0;
  for (Index r = 0; r < output.rows(); ++r) {
    const Scalar* x = output.data() + r * width;
    Scalar* g = gradient + r * width;
    const std::int32_t* codes = targets.codes + r * targets.code_columns;
    const Scalar* numbers = targets.numbers + r * targets.number_columns;
    double row_loss = 0;
    Index code = 0;
    Index number = 0;
    for (Index h = 0; h < head_count; ++h) {
      const Head& head = heads[h];
      if (!head.categorical) {
        const Scalar target = numbers[number++];
        const Scalar difference = target == target ? x[head.offset] - target : Scalar(0);
        row_loss += head.weight * static_cast<double>(difference) * static_cast<double>(difference);
        g[head.offset] = 0; // the exponentials below run over the whole row
        continue;
      }
      const Scalar largest = kernel::largest_of(x + head.offset, head.width);
      for (Index j = 0; j < head.width; ++j)
        g[head.offset + j] = x[head.offset + j] - largest;
      row_loss -= head.weight * static_cast<double>(g[detail::check_code(head, codes[code])]);
      weights[code++] = head.weight;
    }
    simd::transform(g, g, width, [](const V& v) { return simd::exp(v); });
    code = number = 0;
    for (Index h = 0; h < head_count; ++h) {
      const Head& head = heads[h];
      if (!head.categorical) {
        const Scalar target = numbers[number++];
        g[head.offset] = target == target
                             ? 2 * scale * static_cast<Scalar>(head.weight) * (x[head.offset] - target)
                             : Scalar(0);
        continue;
      }
      Scalar total_exp = 0;
      for (Index j = 0; j < head.width; ++j)
        total_exp += g[head.offset + j];
      sums[code] = total_exp;
      const Scalar head_scale = scale * static_cast<Scalar>(head.weight);
      const Scalar factor = head_scale / total_exp;
      for (Index j = 0; j < head.width; ++j)
        g[head.offset + j] *= factor;
      g[codes[code++]] -= head_scale;
    }
    simd::transform(sums, logs, targets.code_columns, [](const V& v) { return simd::log(v); });
    for (Index k = 0; k < targets.code_columns; ++k)
      row_loss += weights[k] * static_cast<double>(logs[k]);
    total += row_loss;
  }
  loss.data()[0] = static_cast<Scalar>(total * weight);
  tape.on_backward(loss, [=] {
    const Scalar factor = loss.adjoint()(0, 0);
    detail::contribute(output, [=](Index i) { return factor * gradient[i]; });
  });
  return loss;
}

/// weight · Σ over rows of −log softmax(logits)[code]: a single categorical head.
template <class Scalar>
Variable<Scalar> softmax_cross_entropy(const Variable<Scalar>& logits, const std::int32_t* codes,
                                       double weight) {
  auto* head = logits.tape().template allocate<Head>(1);
  *head = Head{true, 0, logits.columns()};
  return heads_loss(logits, head, 1,
                    MixedRows<Scalar>{.rows = logits.rows(), .code_columns = 1, .codes = codes}, weight);
}

/// weight · Σ ½ (μ² + e^s − 1 − s): the Kullback–Leibler divergence of N(μ, e^s) from N(0, 1), for the
/// columns [μ | s] of `parameters`, rows × 2n (Kingma & Welling 2014, appendix B).
template <class Scalar>
Variable<Scalar> gaussian_kl(const Variable<Scalar>& parameters, double weight) {
  detail::check_shape(parameters.columns() % 2 == 0, "gaussian_kl", "the input", parameters,
                      "means followed by as many log-variances");
  auto& tape = parameters.tape();
  auto loss = tape.make(1, 1, parameters.needs_gradient());
  const Index n = parameters.columns() / 2;
  const Scalar* of_rows = tape.weights_of_rows(loss, parameters.rows());
  double total = 0;
  for (Index r = 0; r < parameters.rows(); ++r)
    for (Index j = 0; j < n; ++j) {
      const auto mu = static_cast<double>(parameters.data()[r * 2 * n + j]);
      const auto s = static_cast<double>(parameters.data()[r * 2 * n + n + j]);
      total += (of_rows == nullptr ? 0.5 : 0.5 * static_cast<double>(of_rows[r])) *
               (mu * mu + std::exp(s) - 1 - s);
    }
  loss.data()[0] = static_cast<Scalar>(total * weight);
  tape.on_backward(loss, [=] {
    const auto all = static_cast<Scalar>(weight) * loss.adjoint()(0, 0);
    const Scalar* p = parameters.data();
    detail::contribute(parameters, [=](Index i) {
      const Scalar factor = of_rows == nullptr ? all : all * of_rows[i / (2 * n)];
      return i % (2 * n) < n ? factor * p[i] : factor * (std::exp(p[i]) - 1) / 2;
    });
  });
  return loss;
}

ROWSMITH_END
