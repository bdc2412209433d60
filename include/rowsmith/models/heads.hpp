// SPDX-License-Identifier: MIT
/// \file
/// From a decoder's output to the cells of a row.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <rowsmith/autodiff/ops/loss.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/linalg/simd.hpp>

ROWSMITH_BEGIN

/// How a categorical head's softmax becomes a category.
enum class Decoding {
  sample, ///< drawn with its probability
  argmax  ///< the most probable one
};

inline std::string_view to_string(Decoding decoding) {
  return decoding == Decoding::sample ? "sample" : "argmax";
}

/// The heads of an encoding, as the loss takes them. \param label_weight factor on the loss of the label's
/// head
inline std::vector<Head> heads_of(const TableEncoder& encoder, double label_weight = 1) {
  std::vector<Head> heads;
  for (const auto& stretch : encoder.layout()) {
    heads.push_back(
        {stretch.categorical, stretch.offset, stretch.width, encoder.is_label(stretch) ? label_weight : 1.0});
  }
  return heads;
}

/// 32 random bits -> a position in (0, 1).
constexpr double to_position(std::uint32_t bits) noexcept {
  return (static_cast<double>(bits) + 0.5) * 0x1p-32;
}

/// The code that a categorical head chooses. \param logits `width` of them \param room for `width` numbers;
/// may be `logits` \param uniform in (0, 1) \param temperature > 0, of the softmax
/// Never inlined, so that there is one such code and a row alone has the bits it has in a batch.
[[gnu::noinline]] inline std::int32_t choose_code(const float* logits, float* room, std::int32_t width,
                                                  Decoding decoding, float temperature,
                                                  float uniform) noexcept {
  if (decoding == Decoding::argmax)
    return static_cast<std::int32_t>(std::max_element(logits, logits + width) - logits);
  float top = logits[0];
  for (std::int32_t k = 1; k < width; ++k)
    top = top < logits[k] ? logits[k] : top;
  const float inverse = 1 / temperature;
  simd::transform(logits, room, Index{width}, [=](const simd::Vector<float>& v) {
    return simd::exp(simd::Vector<float>((v - top) * inverse));
  });
  // Running sums; then those up to the point drawn are counted, without a branch to guess wrong.
  float total = 0;
  for (std::int32_t k = 0; k < width; ++k) {
    total += room[k];
    room[k] = total;
  }
  // Rounding may reach the total: the number before it still falls to a code of some probability.
  const float point = std::min(uniform * total, std::bit_cast<float>(std::bit_cast<std::uint32_t>(total) - 1U));
  std::int32_t code = 0;
  for (std::int32_t k = 0; k < width; ++k)
    code += room[k] <= point ? 1 : 0;
  return std::min(code, width - 1);
}
/// The same with the logits as room: they are changed.
inline std::int32_t choose_code(float* logits, std::int32_t width, Decoding decoding, float temperature,
                                float uniform) noexcept {
  return choose_code(logits, logits, width, decoding, temperature, uniform);
}

ROWSMITH_END
