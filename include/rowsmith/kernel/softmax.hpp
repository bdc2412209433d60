// SPDX-License-Identifier: MIT
/// \file
/// A softmax, drawn from and scored.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include <rowsmith/kernel/simd.hpp>

ROWSMITH_BEGIN
namespace kernel {

/// How codes are drawn.
struct Choice {
  bool draws = true;     ///< each with its probability; false: the most probable one
  float temperature = 1; ///< > 0, of the softmax
};

/// The largest of `count` numbers.
template <class Scalar>
inline Scalar largest_of(const Scalar* x, Index count) noexcept {
  Scalar largest = x[0];
  for (Index k = 1; k < count; ++k)
    largest = largest < x[k] ? x[k] : largest;
  return largest;
}

/// room[k] = e^((logits[k] − largest) · inverse) for `width` logits; `room` may be `logits`. \returns the
/// largest
template <class Scalar>
inline Scalar exponentials(const Scalar* logits, Scalar* room, Index width, Scalar inverse) noexcept {
  using V = simd::Vector<Scalar>;
  const Scalar largest = largest_of(logits, width);
  simd::transform(logits, room, width, [=](const V& v) { return simd::exp(V((v - largest) * inverse)); });
  return largest;
}

/// The code that running sums give to a number in (0, 1): those up to the point drawn are counted, without a
/// branch to guess wrong. 0 if they are all 0.
inline std::int32_t code_at(const float* sums, Index width, float uniform) noexcept {
  const float total = sums[width - 1];
  if (!(total > 0))
    return 0;
  // Rounding may reach the total: the number before it still falls to a code of some probability.
  const float point =
      std::min(uniform * total, std::bit_cast<float>(std::bit_cast<std::uint32_t>(total) - 1U));
  std::int32_t code = 0;
  for (Index k = 0; k < width; ++k)
    code += sums[k] <= point ? 1 : 0;
  return std::min(code, static_cast<std::int32_t>(width - 1));
}

/// The code that a softmax gives to a number in (0, 1). \param room for `width` numbers; may be `logits`
/// Never inlined, so that there is one such code and a row alone has the bits it has in a batch.
[[gnu::noinline]] inline std::int32_t choose(const float* logits, float* room, Index width, Choice choice,
                                             float uniform) noexcept {
  if (!choice.draws)
    return static_cast<std::int32_t>(std::max_element(logits, logits + width) - logits);
  exponentials(logits, room, width, 1 / choice.temperature);
  float total = 0;
  for (Index k = 0; k < width; ++k) {
    total += room[k];
    room[k] = total;
  }
  return code_at(room, width, uniform);
}

/// −log softmax(logits / temperature)[target] from the temperature's inverse. \param room as in `choose`
/// Never inlined, as that.
[[gnu::noinline]] inline double cross_entropy(const float* logits, float* room, Index width, Index target,
                                              float inverse = 1) noexcept {
  const float own = logits[target];
  const float largest = exponentials(logits, room, width, inverse);
  float total = 0;
  for (Index k = 0; k < width; ++k)
    total += room[k];
  return std::log(static_cast<double>(total)) - static_cast<double>((own - largest) * inverse);
}

} // namespace kernel
ROWSMITH_END
