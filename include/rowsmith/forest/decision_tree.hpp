// SPDX-License-Identifier: MIT
/// \file
/// A tree of a forest on binned features (Breiman et al. 1984).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace forest {

namespace detail {
template <class Bin, class Criterion>
class TreeGrower;
} // namespace detail

struct TreeOptions {
  std::size_t max_features = 0;     ///< features looked at for a split; 0: all
  std::size_t min_samples_leaf = 1; ///< weight a leaf must have
  std::size_t max_depth = 0;        ///< 0: no limit
};

/// Nodes in flat arrays; the two children of a node lie next to each other.
class DecisionTree {
public:
  struct Node {
    std::int16_t feature = -1;   ///< −1: a leaf
    std::uint16_t threshold = 0; ///< bins up to this one go left; `by_category`: those of a set
    std::uint32_t left = 0;      ///< the right child is the next one; a leaf: where its values begin
  };

  static constexpr std::uint16_t by_category = 65535;

  const std::vector<Node>& nodes() const noexcept { return nodes_; }
  /// Calls `body(i, leaf)` with the node that row i ends in. \param rows  the bins of each row
  template <class Body>
  void for_each_leaf(std::span<const std::uint16_t* const> rows, const Body& body) const {
    if (sets_.empty())
      descend(rows, body,
              [](std::uint32_t, const Node& node, std::uint16_t bin) { return bin > node.threshold; });
    else
      descend(rows, body, [this](std::uint32_t at, const Node& node, std::uint16_t bin) {
        return node.threshold == by_category ? !in_set(at, bin) : bin > node.threshold;
      });
  }
  /// Where the values of a leaf begin: class shares that add up to 1, or one number.
  const float* leaf_values(std::uint32_t leaf) const noexcept { return values_.data() + nodes_[leaf].left; }

private:
  template <class Bin, class Criterion>
  friend class detail::TreeGrower;

  template <class Body, class GoesRight>
  void descend(std::span<const std::uint16_t* const> rows, const Body& body,
               const GoesRight& goes_right) const {
    // All rows of a group take a step before any takes the next, because a step waits for the memory of the
    // step before; a group's bins stay in the first-level cache.
    constexpr std::size_t group = 256;
    std::array<std::uint32_t, group> leaf;
    std::array<std::uint32_t, group> active;
    const Node* nodes = nodes_.data();
    for (std::size_t begin = 0; begin < rows.size(); begin += group) {
      const std::size_t size = std::min(group, rows.size() - begin);
      const std::uint16_t* const* bins = rows.data() + begin;
      std::fill_n(leaf.begin(), size, 0U);
      std::iota(active.begin(), active.end(), 0U);
      std::size_t count = nodes[0].feature < 0 ? 0 : size;
      while (count > 0) {
        std::size_t still = 0;
        for (std::size_t i = 0; i < count; ++i) {
          const std::uint32_t row = active[i];
          const Node& node = nodes[leaf[row]];
          const std::uint32_t child =
              node.left + (goes_right(leaf[row], node, bins[row][node.feature]) ? 1U : 0U);
          leaf[row] = child;
          active[still] = row;
          still += nodes[child].feature >= 0 ? 1 : 0;
        }
        count = still;
      }
      for (std::size_t i = 0; i < size; ++i)
        body(begin + i, leaf[i]);
    }
  }

  /// A category that the node has not seen in training is in no set: it goes right.
  bool in_set(std::uint32_t node, std::uint16_t bin) const noexcept {
    const std::uint64_t* set = sets_.data() + set_of_[node];
    return bin / 64U < set[0] && (set[1 + bin / 64U] >> (bin % 64U) & 1U) != 0;
  }

  std::vector<Node> nodes_;
  std::vector<float> values_;
  std::vector<std::uint64_t> sets_; // of each: the number of words, then a bit a bin
  std::vector<std::size_t> set_of_; // by node, where its set begins
};

} // namespace forest
ROWSMITH_END
