// SPDX-License-Identifier: MIT
/// \file
/// Operations that draw random numbers. They draw by row: row r of x takes blocks
/// [(first_row + r) · ceil(columns / 4), …) of the stream, so shards of a batch draw what the whole would.
#pragma once

#include <cstdint>
#include <string>

#include <rowsmith/autodiff/ops/check.hpp>
#include <rowsmith/kernel/random_fill.hpp>

ROWSMITH_BEGIN

namespace detail {
/// Blocks of a stream that a row of `columns` numbers takes.
constexpr Index blocks_per_row(Index columns) noexcept { return (columns + 3) / 4; }

/// to[c] = (words[c] < threshold ? 0 : keep) · from[c]
template <class Scalar>
void masked_product(const std::uint32_t* words, std::uint32_t threshold, Scalar keep, const Scalar* from,
                    Scalar* to, Index count) noexcept {
  for (Index c = 0; c < count; ++c)
    to[c] = (words[c] < threshold ? Scalar(0) : keep) * from[c];
}
} // namespace detail

/// x · m / (1 − rate), with m = 0 with probability `rate` and 1 otherwise (inverted dropout, Srivastava et
/// al. 2014). \throws OptionError unless 0 ≤ rate < 1
template <class Scalar>
Variable<Scalar> dropout(const Variable<Scalar>& x, double rate, const RandomStream& stream,
                         std::uint64_t first_row = 0) {
  if (!(rate >= 0 && rate < 1))
    throw OptionError("dropout: rate = " + std::to_string(rate) + ", expected 0 <= rate < 1");
  auto& tape = x.tape();
  const Index columns = x.columns();
  const Index padded = 4 * detail::blocks_per_row(columns);
  auto y = tape.make(x.rows(), columns, x.needs_gradient());
  auto* words = tape.template allocate<std::uint32_t>(x.rows() * padded);
  fill_bits(stream, first_row * static_cast<std::uint64_t>(padded / 4), x.rows() * padded / 4, words);
  const auto threshold = static_cast<std::uint32_t>(rate * 0x1p32);
  const auto keep = static_cast<Scalar>(1 / (1 - rate));
  // The product rather than a choice, so that what is not finite stays visible.
  for (Index r = 0; r < x.rows(); ++r)
    detail::masked_product(words + r * padded, threshold, keep, x.data() + r * columns,
                           y.data() + r * columns, columns);
  tape.on_backward(y, [=] {
    const Scalar* dy = y.adjoint().data();
    const detail::Target<Scalar> target(x);
    Scalar* dx = target.data;
    const Index rows = x.rows();
    for (Index r = 0; r < rows; ++r) {
      if (target.fresh)
        detail::masked_product(words + r * padded, threshold, keep, dy + r * columns, dx + r * columns,
                               columns);
      else
        for (Index c = 0; c < columns; ++c)
          dx[r * columns + c] += (words[r * padded + c] < threshold ? Scalar(0) : keep) * dy[r * columns + c];
    }
  });
  return y;
}

/// A constant of standard normal numbers, rows × columns.
template <class Scalar>
Variable<Scalar> normal_noise(Tape<Scalar>& tape, Index rows, Index columns, const RandomStream& stream,
                              std::uint64_t first_row = 0) {
  auto y = tape.make(rows, columns, false);
  const Index blocks = detail::blocks_per_row(columns);
  if (columns % 4 == 0) {
    fill_normal(stream, first_row * static_cast<std::uint64_t>(blocks), y.data(), rows * columns);
    return y;
  }
  for (Index r = 0; r < rows; ++r)
    fill_normal(stream, (first_row + static_cast<std::uint64_t>(r)) * static_cast<std::uint64_t>(blocks),
                y.data() + r * columns, columns);
  return y;
}

/// z = μ + e^(s/2) · ε with ε standard normal, for the columns [μ | s] of `parameters` (rows × 2n): a sample
/// of the latent code, differentiable in μ and s (Kingma & Welling 2014, section 2.4). rows × n.
template <class Scalar>
Variable<Scalar> reparameterise(const Variable<Scalar>& parameters, const RandomStream& stream,
                                std::uint64_t first_row = 0) {
  detail::check_shape(parameters.columns() % 2 == 0, "reparameterise", "the input", parameters,
                      "means followed by as many log-variances");
  auto& tape = parameters.tape();
  const Index n = parameters.columns() / 2;
  const auto noise = normal_noise(tape, parameters.rows(), n, stream, first_row);
  auto z = tape.make(parameters.rows(), n, parameters.needs_gradient());
  auto* spread = tape.template allocate<Scalar>(parameters.rows() * n);
  for (Index r = 0; r < z.rows(); ++r)
    for (Index j = 0; j < n; ++j) {
      const Scalar* row = parameters.data() + r * 2 * n;
      spread[r * n + j] = std::exp(row[n + j] / 2) * noise.data()[r * n + j];
      z.data()[r * n + j] = row[j] + spread[r * n + j];
    }
  tape.on_backward(z, [=] {
    const Scalar* dz = z.adjoint().data();
    detail::contribute(parameters, [=](Index i) {
      const Index row = i / (2 * n);
      const Index column = i % (2 * n);
      return column < n ? dz[row * n + column] : dz[row * n + column - n] * spread[row * n + column - n] / 2;
    });
  });
  return z;
}

ROWSMITH_END
