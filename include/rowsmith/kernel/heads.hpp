// SPDX-License-Identifier: MIT
/// \file
/// Heads that are independent of each other given the latent code: one for each column, or for several at
/// once.
///
/// Every kind of heads has `room(…)`, the floats that it needs; `draw(…)`, which writes the codes of a row,
/// one for each stretch, within the row's restrictions if there are any; and `score(…)`, how badly the heads'
/// outputs describe one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <rowsmith/kernel/codec.hpp>
#include <rowsmith/kernel/network.hpp>
#include <rowsmith/kernel/restriction.hpp>
#include <rowsmith/kernel/softmax.hpp>

ROWSMITH_BEGIN
namespace kernel {

/// One head for each stretch.
struct IndependentHeads {
  Index widest = 0; ///< of the heads

  template <class Weights>
  constexpr Index room() const noexcept {
    return padded(widest, Weights::unit);
  }
  template <class Weights>
  void draw(const Weights&, const Columns& columns, const Draw& draw, const float* outputs,
            std::int32_t* codes, float* room) const noexcept {
    // A conditional model gives the label that was asked for. The base method's argmax is left to itself.
    for (std::size_t h = 0; h < columns.stretches; ++h)
      if (const Stretch& head = columns.layout[h];
          draw.choice.draws && static_cast<Index>(h) == columns.label)
        codes[h] = draw.label;
      else if (head.categorical)
        codes[h] = draw.code(outputs + head.offset, room, head.width, h, codes, draw.uniform_at(h));
  }
  template <class Weights>
  double score(const Weights&, const Columns& columns, const float* outputs, const std::int32_t* codes,
               const float* numbers, float* room) const noexcept {
    double error = 0;
    for (std::size_t h = 0; h < columns.stretches; ++h) {
      const Stretch& head = columns.layout[h];
      if (head.categorical) {
        error += cross_entropy(outputs + head.offset, room, head.width, codes[h]);
      } else {
        const auto number = static_cast<double>(numbers[h]);
        const double difference = static_cast<double>(outputs[head.offset]) - number;
        error += std::isnan(number) ? 0.0 : difference * difference; // a missing number has no error
      }
    }
    return error;
  }
};

/// A head for several columns: their stretches and the combinations of codes that occur, in rising order.
struct Group {
  const std::int32_t* columns = nullptr;
  std::size_t count = 0;                      ///< of the columns
  const std::int32_t* combinations = nullptr; ///< width × count
  std::int32_t width = 0;
  Index label = -1; ///< which of its columns is a conditional model's label

  const std::int32_t* combination(std::int32_t number) const noexcept {
    return combinations + static_cast<std::size_t>(number) * count;
  }
  /// The number of a combination, or −1 if it never occurred. \param code_at  (column of the group) -> its
  /// code
  template <class CodeAt>
  std::int32_t find(const CodeAt& code_at) const noexcept {
    std::int32_t low = 0;
    std::int32_t high = width;
    while (low < high) {
      const std::int32_t middle = low + (high - low) / 2;
      std::size_t i = 0;
      while (i < count && combination(middle)[i] == code_at(i))
        ++i;
      if (i == count)
        return middle;
      if (combination(middle)[i] < code_at(i))
        low = middle + 1;
      else
        high = middle;
    }
    return -1;
  }
  /// Leaves only the combinations with a label. \param room for the logits; may be `logits` itself
  void keep_label(std::int32_t wanted, const float* logits, float* room) const noexcept {
    for (std::int32_t k = 0; k < width; ++k)
      room[k] = combination(k)[label] == wanted ? logits[k] : std::numeric_limits<float>::lowest();
  }
};

/// One head for each group of stretches. What they draw cannot be restricted.
struct JointHeads {
  const Group* groups = nullptr;
  std::size_t count = 0;
  Index widest = 0;

  template <class Weights>
  constexpr Index room() const noexcept {
    return padded(widest, Weights::unit);
  }
  template <class Weights>
  void draw(const Weights&, const Columns& columns, const Draw& draw, const float* outputs,
            std::int32_t* codes, float* room) const noexcept {
    for (std::size_t g = 0; g < count; ++g) {
      const Group& group = groups[g];
      const bool keep = draw.choice.draws && columns.label >= 0 && group.label >= 0;
      if (keep)
        group.keep_label(draw.label, outputs, room);
      const std::int32_t* drawn =
          group.combination(choose(keep ? room : outputs, room, group.width, draw.choice,
                                   draw.uniform_at(static_cast<std::size_t>(group.columns[0]))));
      for (std::size_t i = 0; i < group.count; ++i)
        codes[group.columns[i]] = drawn[i];
      if (keep) // even where no combination has it
        codes[group.columns[group.label]] = draw.label;
      outputs += group.width;
    }
  }
  /// Infinite for columns that no training row combined so.
  template <class Weights>
  double score(const Weights&, const Columns&, const float* outputs, const std::int32_t* codes, const float*,
               float* room) const noexcept {
    double error = 0;
    for (std::size_t g = 0; g < count; ++g) {
      const std::int32_t number = groups[g].find([&](std::size_t i) { return codes[groups[g].columns[i]]; });
      if (number < 0)
        return std::numeric_limits<double>::infinity();
      error += cross_entropy(outputs, room, groups[g].width, number);
      outputs += groups[g].width;
    }
    return error;
  }
};

} // namespace kernel
ROWSMITH_END
