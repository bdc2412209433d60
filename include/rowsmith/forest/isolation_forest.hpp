// SPDX-License-Identifier: MIT
/// \file
/// Isolation forests: rows that random cuts part from the others after a few steps are anomalies (Liu, Ting &
/// Zhou, "Isolation forest", ICDM 2008).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/forest/binned_matrix.hpp>

ROWSMITH_BEGIN
namespace forest {

struct IsolationForestOptions {
  std::size_t trees = 100;   ///< [1, 100000]
  std::size_t samples = 256; ///< rows that a tree is grown on, without replacement; [2, 2^24]
  std::uint64_t seed = 0;
  int threads = 0; ///< 0: all; never changes the result

  /// \throws OptionError
  void check() const {
    if (trees < 1 || trees > 100'000)
      throw OptionError("isolation_forest.trees = " + std::to_string(trees) + ": expected 1 to 100000");
    if (samples < 2 || samples > (std::size_t{1} << 24U))
      throw OptionError("isolation_forest.samples = " + std::to_string(samples) + ": expected 2 to 16777216");
  }
};

/// The mean number of steps of an unsuccessful search in a binary search tree of `rows` keys: what a path's
/// length is measured by, and what a leaf of that many rows adds to it. 0 for up to one row.
inline double isolation_path(double rows) noexcept {
  if (rows <= 1)
    return 0;
  if (rows <= 2)
    return 1;
  return 2 * (std::log(rows - 1) + std::numbers::egamma) - 2 * (rows - 1) / rows;
}

/// A trained isolation forest. A feature is drawn among those that differ within a node, then a cut evenly
/// between its least and its largest value there. A feature that is said to be categorical is cut into one of
/// the categories in the node, drawn evenly, and all others. Missing values are a category of such a feature;
/// of an ordered one they lie below all numbers, and are parted from them by a cut that falls to the lowest
/// hundredth. Infinite numbers lie at the ends of those that a double holds.
class IsolationForest {
public:
  /// \throws OptionError, ShapeError for no rows or features, or features of different lengths
  static IsolationForest fit(const FeatureMatrix& features, const IsolationForestOptions& options = {}) {
    options.check();
    IsolationForest forest;
    forest.features_ = features.columns.size();
    check(features, forest.features_);
    if (features.rows() == 0 || forest.features_ == 0)
      throw ShapeError("isolation_forest: no rows or no features to fit to");
    if (features.rows() > std::numeric_limits<std::uint32_t>::max())
      throw ShapeError("isolation_forest: " + std::to_string(features.rows()) +
                       " rows, expected fewer than 2^32");
    forest.samples_ = std::min(options.samples, features.rows());
    // A tree of ψ rows is not grown deeper than log2 ψ, the height of a balanced one: what is not apart by
    // then is no anomaly.
    const auto depth = static_cast<std::size_t>(
        std::ceil(std::log2(static_cast<double>(std::max<std::size_t>(forest.samples_, 2)))));
    forest.trees_.resize(options.trees);
    parallel_for(options.trees, resolve_threads(options.threads), [&](std::size_t t) {
      RandomSequence random(
          RandomStream(options.seed, Purpose::forest_bootstrap, static_cast<std::uint32_t>(t)));
      auto rows = some_rows(features.rows(), forest.samples_, random);
      forest.trees_[t] = grow(features, rows, depth, random);
    });
    return forest;
  }

  /// 2^(−mean path length / `isolation_path(samples)`) of each row: near 1 for anomalies, about 0.5 and less
  /// for others. \throws ShapeError for another number of features than fitted
  std::vector<double> score(const FeatureMatrix& features, int threads = 0) const {
    check(features, features_);
    std::vector<double> result(features.rows());
    constexpr std::size_t block = 1024;
    const double usual = std::max(isolation_path(static_cast<double>(samples_)), 1e-300);
    parallel_for((result.size() + block - 1) / block, resolve_threads(threads), [&](std::size_t b) {
      for (std::size_t row = b * block; row < std::min(result.size(), (b + 1) * block); ++row) {
        double sum = 0;
        for (const auto& tree : trees_) {
          std::size_t at = 0;
          while (tree[at].left != 0)
            at = tree[at].left + (tree[at].goes_left(features.columns[tree[at].feature][row]) ? 0U : 1U);
          sum += tree[at].cut;
        }
        result[row] = std::exp2(-sum / static_cast<double>(trees_.size()) / usual);
      }
    });
    return result;
  }

  std::size_t trees() const noexcept { return trees_.size(); }

private:
  struct Node {
    std::uint32_t left = 0; ///< the other child is behind it; 0: a leaf
    std::uint32_t feature = 0;
    bool category = false;
    /// Numbers up to it go left, or the category that does; of a leaf, the length of the path to it.
    double cut = 0;

    bool goes_left(double value) const noexcept {
      if (category)
        return value == cut || (std::isnan(value) && std::isnan(cut));
      return !(value > cut); // missing ones, too
    }
  };
  using Tree = std::vector<Node>;

  static void check(const FeatureMatrix& features, std::size_t expected) {
    if (features.columns.size() != expected)
      throw ShapeError("isolation_forest: " + std::to_string(features.columns.size()) +
                       " features, expected " + std::to_string(expected));
    if (!features.categorical.empty() && features.categorical.size() != expected)
      throw ShapeError("isolation_forest: " + std::to_string(features.categorical.size()) +
                       " features said to be categorical or not, expected " + std::to_string(expected) +
                       " or none");
    for (const auto& column : features.columns)
      if (column.size() != features.rows())
        throw ShapeError("isolation_forest: a feature of " + std::to_string(column.size()) +
                         " rows, another of " + std::to_string(features.rows()));
  }

  /// `count` different rows of `all` (Floyd's algorithm: Bentley & Floyd, CACM 30, 1987).
  static std::vector<std::uint32_t> some_rows(std::size_t all, std::size_t count, RandomSequence& random) {
    std::vector<std::uint32_t> rows; // sorted
    for (std::size_t last = all - count; last < all; ++last) {
      auto row = random.below(static_cast<std::uint32_t>(last + 1));
      auto place = std::lower_bound(rows.begin(), rows.end(), row);
      if (place != rows.end() && *place == row) {
        row = static_cast<std::uint32_t>(last);
        place = rows.end();
      }
      rows.insert(place, row);
    }
    return rows;
  }

  /// How the values of a feature differ within a node.
  struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    bool missing = false;

    Range(const std::vector<double>& column, std::span<const std::uint32_t> rows) {
      constexpr double most = std::numeric_limits<double>::max();
      for (const auto row : rows)
        if (std::isnan(column[row])) {
          missing = true;
        } else {
          low = std::min(low, std::clamp(column[row], -most, most));
          high = std::max(high, std::clamp(column[row], -most, most));
        }
    }
    bool differs() const noexcept { return high > low || (missing && high >= low); }
  };

  static Tree grow(const FeatureMatrix& features, std::vector<std::uint32_t>& rows, std::size_t depth,
                   RandomSequence& random) {
    struct Part {
      std::size_t node, begin, end, depth;
    };
    Tree tree(1);
    std::vector<Part> open{{0, 0, rows.size(), 0}};
    std::vector<std::uint32_t> order(features.columns.size());
    std::iota(order.begin(), order.end(), 0U);
    while (!open.empty()) {
      const Part part = open.back();
      open.pop_back();
      const std::span<std::uint32_t> own(rows.data() + part.begin, part.end - part.begin);
      Node node;
      // Features in random order, until one differs.
      bool found = false;
      for (std::size_t left = order.size(); left > 0 && own.size() > 1 && part.depth < depth && !found;
           --left) {
        std::swap(order[left - 1], order[random.below(static_cast<std::uint32_t>(left))]);
        node.feature = order[left - 1];
        found = choose_cut(features, own, node, random);
      }
      if (!found) {
        tree[part.node] = {.cut = static_cast<double>(part.depth) +
                                  isolation_path(static_cast<double>(own.size()))};
        continue;
      }
      const auto& column = features.columns[node.feature];
      const auto middle = std::stable_partition(own.begin(), own.end(),
                                                [&](auto row) { return node.goes_left(column[row]); });
      const auto behind = part.begin + static_cast<std::size_t>(middle - own.begin());
      node.left = static_cast<std::uint32_t>(tree.size());
      tree[part.node] = node;
      open.push_back({tree.size(), part.begin, behind, part.depth + 1});
      open.push_back({tree.size() + 1, behind, part.end, part.depth + 1});
      tree.resize(tree.size() + 2);
    }
    return tree;
  }

  /// \returns false if the node's feature does not differ within it
  static bool choose_cut(const FeatureMatrix& features, std::span<const std::uint32_t> rows, Node& node,
                         RandomSequence& random) {
    const auto& column = features.columns[node.feature];
    const Range range(column, rows);
    if (!range.differs())
      return false;
    node.category = !features.categorical.empty() && features.categorical[node.feature];
    if (node.category) {
      std::vector<double> there;
      for (const auto row : rows)
        if (!std::isnan(column[row]))
          there.push_back(column[row]);
      std::sort(there.begin(), there.end());
      there.erase(std::unique(there.begin(), there.end()), there.end());
      if (range.missing)
        there.push_back(std::numeric_limits<double>::quiet_NaN());
      node.cut = there[random.below(static_cast<std::uint32_t>(there.size()))];
      return true;
    }
    const double place = random.uniform();
    if (range.missing && (place < 0.01 || !(range.high > range.low))) {
      node.cut = std::nextafter(range.low, -std::numeric_limits<double>::infinity());
      return true;
    }
    // Halves, as the width may be beyond a double; below the highest, so that both sides have rows.
    node.cut = std::min(2 * (range.low / 2 + place * (range.high / 2 - range.low / 2)),
                        std::nextafter(range.high, range.low));
    node.cut = std::max(node.cut, range.low);
    return true;
  }

  std::size_t features_ = 0;
  std::size_t samples_ = 0;
  std::vector<Tree> trees_;
};

} // namespace forest
using forest::IsolationForest;
ROWSMITH_END
