// SPDX-License-Identifier: MIT
/// \file
/// Draws of categories that gradients pass through.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <rowsmith/autodiff/ops/loss.hpp>
#include <rowsmith/autodiff/ops/stochastic.hpp>
#include <rowsmith/kernel/random_fill.hpp>
#include <rowsmith/kernel/softmax.hpp>

ROWSMITH_BEGIN

/// One-hot draws from the softmax of each head, numbers as they are: the straight-through Gumbel softmax
/// (Jang, Gu & Poole, ICLR 2017). The result is the hard draw argmax(logits + g), the gradient that of
/// softmax((logits + g) / temperature). Row r draws from its own blocks of the stream, as `dropout` does.
/// \param output  rows × (sum of the widths) \param heads  `head_count` heads that cover the columns; must
/// outlive the step \throws OptionError unless temperature > 0
template <class Scalar>
Variable<Scalar> gumbel_rows(const Variable<Scalar>& output, const Head* heads, Index head_count,
                             double temperature, const RandomStream& stream, std::uint64_t first_row = 0) {
  if (!(temperature > 0))
    throw OptionError("gumbel_rows: temperature = " + std::to_string(temperature) + ", expected more than 0");
  using V = simd::Vector<Scalar>;
  auto& tape = output.tape();
  const Index rows = output.rows();
  const Index width = output.columns();
  auto y = tape.make(rows, width, output.needs_gradient());
  Scalar* soft = tape.template allocate<Scalar>(rows * width);
  const auto blocks = static_cast<std::uint64_t>(detail::blocks_per_row(width));
  const auto inverse = static_cast<Scalar>(1 / temperature);
  for (Index r = 0; r < rows; ++r) {
    const Scalar* x = output.data() + r * width;
    Scalar* hard = y.data() + r * width;
    Scalar* s = soft + r * width;
    fill_uniform(stream, (first_row + static_cast<std::uint64_t>(r)) * blocks, s, width);
    simd::transform(s, s, width, [](const V& u) { return V(-simd::log(V(-simd::log(u)))); });
    for (Index h = 0; h < head_count; ++h) {
      const Head& head = heads[h];
      Scalar* own = s + head.offset;
      if (!head.categorical) {
        hard[head.offset] = x[head.offset];
        continue;
      }
      for (Index j = 0; j < head.width; ++j)
        own[j] = (own[j] + x[head.offset + j]) * inverse;
      const Index chosen = std::max_element(own, own + head.width) - own;
      std::fill_n(hard + head.offset, head.width, Scalar(0));
      hard[head.offset + chosen] = 1;
      kernel::exponentials(own, own, head.width, Scalar(1));
      Scalar total = 0;
      for (Index j = 0; j < head.width; ++j)
        total += own[j];
      for (Index j = 0; j < head.width; ++j)
        own[j] /= total;
    }
  }
  tape.on_backward(y, [=] {
    const Scalar* dy = y.adjoint().data();
    const detail::Target<Scalar> target(output);
    Scalar* dx = target.data;
    for (Index r = 0; r < rows; ++r)
      for (Index h = 0; h < head_count; ++h) {
        const Head& head = heads[h];
        const Index at = r * width + head.offset;
        Scalar along = 0;
        for (Index j = 0; j < head.width && head.categorical; ++j)
          along += soft[at + j] * dy[at + j];
        for (Index j = 0; j < head.width; ++j) {
          const Scalar back = head.categorical ? inverse * soft[at + j] * (dy[at + j] - along) : dy[at + j];
          dx[at + j] = target.fresh ? back : dx[at + j] + back;
        }
      }
  });
  return y;
}

ROWSMITH_END
