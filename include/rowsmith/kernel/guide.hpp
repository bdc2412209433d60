// SPDX-License-Identifier: MIT
/// \file
/// Boosted trees that tell drawn rows from real ones: what they take for drawn is drawn again.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <rowsmith/kernel/random.hpp>
#include <rowsmith/kernel/tree_heads.hpp>

ROWSMITH_BEGIN
namespace kernel {

/// How a guide sees a column: each pair of a code and the fine code behind it as one of up to 255 levels.
struct GuideColumn {
  std::size_t stretch = 0;      ///< of the layout; if the column has a fine code, that is the next one
  std::uint32_t tuples = 0;     ///< pairs that there can be
  std::uint32_t fine_codes = 1; ///< 1: there is no fine code
  std::size_t levels = 0;       ///< where the level of each pair lies in the words
};

/// Candidates for a row are drawn until one is taken, each with a probability that rises with the odds that
/// boosted trees give it of being real (Azadi et al., "Discriminator rejection sampling", ICLR 2019). A view.
struct Guide {
  const GuideColumn* columns = nullptr;
  Words words;
  std::uint32_t trees = 0;
  std::size_t roots = 0; ///< a node a tree
  /// Three words a node: 1 + the column, 0 for a leaf; the level up to which rows go to the next node, others
  /// to the one behind that; the next node. A leaf's second word is the float that it adds to the log-odds.
  std::size_t nodes = 0;
  double largest_odds = 1; ///< a row of such odds, or larger ones, is always taken
  std::uint32_t tries = 1; ///< candidates for a row, of which the last is always taken; 1: there is no guide

  /// The log-odds of being real by the trees [first, last). \param codes  one a stretch
  double log_odds(const std::int32_t* codes, std::uint32_t first, std::uint32_t last) const noexcept {
    double sum = 0;
    for (std::uint32_t tree = first; tree < last; ++tree) {
      std::size_t node = nodes + 3 * std::size_t{words[roots + tree]};
      while (words[node] != 0) {
        const GuideColumn& column = columns[words[node] - 1];
        const std::size_t tuple = tuple_of(codes, column.stretch, column.fine_codes);
        const bool left = words[column.levels + tuple] <= words[node + 1];
        node = nodes + 3 * (std::size_t{words[node + 2]} + (left ? 0 : 1));
      }
      sum += static_cast<double>(std::bit_cast<float>(words[node + 1]));
    }
    return sum;
  }
  /// The probability with which a candidate is taken.
  double acceptance(const std::int32_t* codes) const noexcept {
    return std::min(std::exp(log_odds(codes, 0, trees)), largest_odds) / largest_odds;
  }
  /// Whether candidate number `attempt`, from 0, becomes row `index` of the sample with `seed`.
  bool takes(const std::int32_t* codes, std::uint32_t attempt, std::uint64_t seed,
             std::uint64_t index) const noexcept {
    return attempt + 1 >= tries ||
           RandomStream(seed, Purpose::acceptance, attempt).uniform(index) < acceptance(codes);
  }
  /// What a candidate is drawn with in place of the sample's own seed, which is that of the first.
  static std::uint64_t seed_of(std::uint64_t seed, std::uint32_t attempt) noexcept {
    return seed + attempt * 0x9E3779B97F4A7C15U;
  }
};

} // namespace kernel
ROWSMITH_END
