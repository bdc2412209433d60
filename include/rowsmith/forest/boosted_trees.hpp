// SPDX-License-Identifier: MIT
/// \file
/// Boosted trees and how they are evaluated.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <rowsmith/forest/binned_matrix.hpp>

ROWSMITH_BEGIN
namespace forest {

/// Regression trees whose leaf values are added up. Nodes of all trees lie in one array.
class BoostedTrees {
public:
  struct Node {
    std::int32_t feature = -1;       ///< −1: a leaf
    std::uint16_t threshold = 65535; ///< bins up to this one go left
    std::uint16_t missing_right = 0; ///< 1: bin 0, the missing values, goes right all the same
    std::uint32_t left = 0; ///< the right child is the next one; a leaf: itself. Counts from the root
    float value = 0;        ///< of a leaf; the gain of an inner node
  };
  struct Tree {
    std::size_t root; ///< in nodes()
    std::size_t depth;
  };

  const std::vector<Node>& nodes() const noexcept { return nodes_; }
  const std::vector<Tree>& trees() const noexcept { return trees_; }
  /// \param nodes  the root first
  void add(std::span<const Node> nodes, std::size_t depth) {
    trees_.push_back({nodes_.size(), depth});
    nodes_.insert(nodes_.end(), nodes.begin(), nodes.end());
  }

  /// Adds leaf values to `sums`, rows × outputs: those of tree t to output t mod `outputs`.
  void add_values(const BinnedMatrix& binned, std::span<const std::uint32_t> rows, std::size_t outputs,
                  int threads, std::span<double> sums, std::size_t first_tree = 0) const {
    detail::for_row_blocks(
        binned, rows, 1024, threads, [&](std::size_t begin, std::span<const std::uint16_t* const> bins) {
          for (std::size_t t = first_tree; t < trees_.size(); ++t) {
            const Node* nodes = nodes_.data() + trees_[t].root;
            for (std::size_t i = 0; i < bins.size(); i += lanes) {
              const auto leaves = descend(nodes, trees_[t].depth, bins.subspan(i));
              for (std::size_t k = 0; k < std::min(lanes, bins.size() - i); ++k)
                sums[(begin + i + k) * outputs + t % outputs] += static_cast<double>(nodes[leaves[k]].value);
            }
          }
        });
  }

private:
  // Several rows descend side by side, because a step waits for the memory of the step before.
  static constexpr std::size_t lanes = 8;
  static std::array<std::uint32_t, lanes> descend(const Node* nodes, std::size_t depth,
                                                  std::span<const std::uint16_t* const> rows) noexcept {
    std::array<const std::uint16_t*, lanes> bins;
    for (std::size_t k = 0; k < lanes; ++k)
      bins[k] = rows[std::min(k, rows.size() - 1)];
    std::array<std::uint32_t, lanes> at{};
    for (std::size_t step = 0; step < depth; ++step)
      for (std::size_t k = 0; k < lanes; ++k) {
        const Node& node = nodes[at[k]];
        const std::uint16_t bin = bins[k][node.feature]; // of a leaf, what lies before the first bin: 0
        // Less one, a missing value is the largest of all bins.
        const auto shifted = static_cast<std::uint16_t>(bin - node.missing_right);
        const auto bound = static_cast<std::uint16_t>(node.threshold - node.missing_right);
        at[k] = node.left + (shifted > bound ? 1U : 0U);
      }
    return at;
  }

  std::vector<Node> nodes_;
  std::vector<Tree> trees_;
};

} // namespace forest
ROWSMITH_END
