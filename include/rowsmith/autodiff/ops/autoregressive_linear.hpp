// SPDX-License-Identifier: MIT
/// \file
/// The linear path of autoregressive heads, over many rows: what `kernel::AutoregressiveRow` does for one.
#pragma once

#include <cstdint>

#include <rowsmith/autodiff/ops/autoregressive_shape.hpp>
#include <rowsmith/kernel/autoregressive_heads.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Adds what the linear path knows to logits of position q. \param slopes  rows × lines
template <class Scalar>
void autoregressive_linear(const AutoregressiveShape& shape,
                           const AutoregressiveWeights<const Scalar*>& weights, Index q, Index rows,
                           const Scalar* slopes, Scalar* logits) noexcept {
  const auto& position = shape.positions[q];
  const Index count = shape.codes(q);
  for (Index r = 0; position.lines > 0 && r < rows; ++r) {
    const Scalar* own = slopes + r * shape.lines + position.line;
    const Scalar* gain = shape.gains == 0 ? nullptr : weights.gain + position.line;
    Scalar* to = logits + r * count;
    if (position.lines == 1)
      kernel::add_scaled(gain == nullptr ? own[0] : gain[0] * own[0], shape.scores + position.score, count,
                         to);
    else
      for (Index k = 0; k < count; ++k)
        to[k] += gain == nullptr ? own[k] : gain[k] * own[k];
  }
}

/// Adds what the code of position q tells the linear path. \param codes  of one row \param slopes  lines
template <class Scalar>
void autoregressive_tell_line(const AutoregressiveShape& shape, Index q, const std::int32_t* codes,
                              Scalar* slopes) noexcept {
  const auto& position = shape.positions[q];
  if (position.lines == 0)
    return;
  const Index next = position.line + position.lines;
  const Index code = codes[q] - shape.prefix[q];
  const bool scored = position.lines == 1;
  kernel::add_scaled(scored ? static_cast<Scalar>(shape.scores[position.score + code]) : Scalar(1),
                     shape.linear + (position.line + (scored ? 0 : code)) * shape.lines + next,
                     shape.lines - next, slopes + next);
}

/// Calls `add(line, part)` with what one row's logits ask of the gains of position q: the parts of a line add
/// up to its gradient.
template <class Scalar, class Add>
void each_gain(const AutoregressiveShape& shape, Index q, const Scalar* dlogits, const Scalar* slopes,
               const Add& add) {
  const auto& position = shape.positions[q];
  if (shape.gains == 0 || position.lines == 0)
    return;
  const Scalar* own = slopes + position.line;
  for (Index k = 0; k < shape.codes(q); ++k)
    if (position.lines == 1)
      add(position.line, dlogits[k] * static_cast<Scalar>(shape.scores[position.score + k]) * own[0]);
    else
      add(position.line + k, dlogits[k] * own[k]);
}

} // namespace detail
ROWSMITH_END
