// SPDX-License-Identifier: MIT
/// \file
/// What a row is drawn with, and what its cells may be where rows are asked for.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <rowsmith/kernel/codec.hpp>
#include <rowsmith/kernel/softmax.hpp>

ROWSMITH_BEGIN
namespace kernel {

/// Numbers of 32 bits, from the first to the last, both among them.
struct WordRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

/// What is allowed of one column. A *tuple* is a code and the fine code behind it, `tuple_of`; where there is
/// no fine code, it is the code. A *tilt* has codes drawn more often than they are probable, by a factor that
/// the row's weight makes up for: those that a later column's restriction asks for. A view.
struct Restriction {
  std::size_t stretch = 0;      ///< of the column's code
  std::uint32_t fine_codes = 1; ///< 1: there is no fine code
  /// By code: its tilt where some of its tuples are allowed, else 0; without fine codes multiplied by
  /// `tuples`.
  const float* codes = nullptr;
  const float* tilts = nullptr;               ///< by code, > 0; null: there is none
  const float* tuples = nullptr;              ///< by tuple: the share of its places that is allowed, [0, 1]
  const std::uint32_t* first_range = nullptr; ///< by tuple: its first range, and behind the last one
  const WordRange* ranges = nullptr;          ///< the random numbers that give an allowed place
  double margin = 0; ///< where trees draw the column: how much of its margin is allowed, tilted

  float tilt(std::int32_t code) const noexcept { return tilts == nullptr ? 1.0F : tilts[code]; }
  /// By what a tuple's probability is multiplied.
  double factor(std::uint32_t tuple) const noexcept {
    return static_cast<double>(tuples[tuple] * tilt(static_cast<std::int32_t>(tuple / fine_codes)));
  }

  /// The allowed number that a random one stands for; the same where all are allowed.
  std::uint32_t place(std::uint32_t tuple, std::uint32_t word) const noexcept {
    std::uint64_t total = 0;
    for (std::uint32_t i = first_range[tuple]; i < first_range[tuple + 1]; ++i)
      total += std::uint64_t{ranges[i].last} - ranges[i].first + 1;
    std::uint64_t left = word * total >> 32U;
    for (std::uint32_t i = first_range[tuple]; i < first_range[tuple + 1]; ++i) {
      const std::uint64_t length = std::uint64_t{ranges[i].last} - ranges[i].first + 1;
      if (left < length)
        return static_cast<std::uint32_t>(ranges[i].first + left);
      left -= length;
    }
    return word; // nothing is allowed
  }
};

/// What is allowed of a row. A view.
struct Restrictions {
  const Restriction* columns = nullptr;
  const std::int32_t* column_of = nullptr; ///< by stretch, of codes and of fine codes; −1: anything

  const Restriction* of(std::size_t stretch) const noexcept {
    return column_of[stretch] < 0 ? nullptr : columns + column_of[stretch];
  }
};

/// What becomes of a row that is drawn under restrictions.
struct RowWeight {
  double log_mass =
      0; ///< log of how probable it was that its columns are what they are allowed to be, each given
         ///< those before it, and of what tilts have to make up for; −∞: nothing is allowed
  bool by_trees = false; ///< of mixed heads: how the column at hand was drawn

  void multiply(double mass) noexcept {
    log_mass += mass > 0 ? std::log(mass) : -std::numeric_limits<double>::infinity();
  }
};

/// The running sums over a softmax's allowed part, in place of the logits: those of e^logit · allowed(code).
/// \param allowed  (code) -> [0, 1] \returns the probability of what is allowed
/// Never inlined, as `choose`.
template <class Allowed>
[[gnu::noinline]] inline double sum_allowed(const float* logits, float* room, Index width, float temperature,
                                            const Allowed& allowed) noexcept {
  exponentials(logits, room, width, 1 / temperature);
  double all = 0;
  float total = 0;
  for (Index k = 0; k < width; ++k) {
    all += static_cast<double>(room[k]);
    total += room[k] * allowed(k);
    room[k] = total;
  }
  return static_cast<double>(total) / all;
}
/// What a row is drawn with.
struct Draw {
  Choice choice;
  const std::uint32_t* words = nullptr;       ///< of `Columns::word_blocks` blocks
  std::int32_t label = 0;                     ///< of a conditional model
  const Restrictions* restrictions = nullptr; ///< null: anything is allowed
  RowWeight* weight = nullptr;                ///< with restrictions

  float uniform_at(std::size_t stretch) const noexcept { return to_uniform_float(words[2 * stretch]); }
  /// The same number as `uniform_at`, in full.
  double position_of_choice(std::size_t stretch) const noexcept { return to_position(words[2 * stretch]); }
  /// The place within the code of a stretch; of one with a fine code, within that. \param codes  one a
  /// stretch
  double position_at(std::size_t stretch, const std::int32_t* codes) const noexcept {
    const std::uint32_t word = words[2 * stretch + 1];
    if (const Restriction* of = restriction(stretch))
      return to_position(of->place(tuple_of(codes, stretch, of->fine_codes), word));
    return to_position(word);
  }
  const Restriction* restriction(std::size_t stretch) const noexcept {
    return restrictions == nullptr ? nullptr : restrictions->of(stretch);
  }
  /// The code of a stretch by a softmax, one that is allowed; restrictions are for rows whose codes are
  /// drawn. \param codes  those before it are read
  std::int32_t code(const float* logits, float* room, Index width, std::size_t stretch,
                    const std::int32_t* codes, float uniform) const noexcept {
    const Restriction* of = restriction(stretch);
    if (of == nullptr)
      return choose(logits, room, width, choice, uniform);
    const float* allowed = stretch == of->stretch
                               ? of->codes
                               : of->tuples + static_cast<std::size_t>(codes[stretch - 1]) * of->fine_codes;
    const auto is_allowed = [allowed](Index k) { return allowed[k]; };
    weight->multiply(sum_allowed(logits, room, width, choice.temperature, is_allowed));
    const std::int32_t drawn = code_at(room, width, uniform);
    if (stretch == of->stretch)
      weight->multiply(1 / static_cast<double>(of->tilt(drawn)));
    return drawn;
  }
};

/// `each_cell` of a row that was drawn. \param outputs  of the decoder
template <class Set>
inline void each_drawn_cell(const Columns& columns, const std::int32_t* codes, const float* outputs,
                            const Draw& draw, const Set& set) noexcept {
  each_cell(
      columns, codes, [&](std::size_t h) { return outputs[columns.layout[h].offset]; },
      [&](std::size_t h) { return draw.position_at(h, codes); }, set);
}

} // namespace kernel
ROWSMITH_END
