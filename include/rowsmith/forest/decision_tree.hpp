// SPDX-License-Identifier: MIT
/// \file
/// A classification tree on binned features (Breiman et al. 1984, Gini impurity).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/forest/binned_matrix.hpp>

ROWSMITH_BEGIN

/// A training row of a tree: drawn `weight` times.
struct TreeSample {
  std::uint32_t row;
  std::uint16_t weight;
  std::uint16_t label;
};

struct TreeOptions {
  std::size_t max_features = 0;     ///< features looked at for a split; 0: all
  std::size_t min_samples_leaf = 1; ///< weight a leaf must have
  std::size_t max_depth = 0;        ///< 0: no limit
};

/// Nodes in flat arrays; the two children of a node lie next to each other.
class DecisionTree {
public:
  struct Node {
    std::int32_t feature = -1;   ///< −1: a leaf
    std::uint16_t threshold = 0; ///< bins up to this one go left
    std::uint32_t left = 0;      ///< the right child is the next one; a leaf: where its shares begin
  };

  /// Grows the tree. `samples` is reordered. \param importance one number a feature: the decrease of
  /// impurity, weighted by the rows concerned, is added to it
  void grow(const BinnedMatrix& features, std::span<TreeSample> samples, std::size_t classes,
            const TreeOptions& options, const RandomStream& stream, std::span<double> importance) {
    Grower grower(*this, features, samples, classes, options, stream, importance);
    grower.run();
  }

  /// The leaf's class shares for a row: `classes` numbers that add up to 1.
  const float* shares(const BinnedMatrix& features, std::size_t row) const noexcept {
    std::uint32_t at = 0;
    while (nodes_[at].feature >= 0) {
      const auto& node = nodes_[at];
      at = node.left +
           (features.columns[static_cast<std::size_t>(node.feature)][row] > node.threshold ? 1U : 0U);
    }
    return shares_.data() + nodes_[at].left;
  }
  const std::vector<Node>& nodes() const noexcept { return nodes_; }

private:
  class Grower {
  public:
    Grower(DecisionTree& tree, const BinnedMatrix& features, std::span<TreeSample> samples,
           std::size_t classes, const TreeOptions& options, const RandomStream& stream,
           std::span<double> importance)
        : tree_(tree), features_(features), samples_(samples), classes_(classes), options_(options),
          random_(stream), importance_(importance), order_(features.columns.size()), total_(classes),
          left_(classes) {
      std::iota(order_.begin(), order_.end(), std::size_t{0});
      for (const auto& column : features.columns) {
        const auto largest = std::max_element(column.begin(), column.end());
        const std::size_t bins = largest == column.end() ? 1 : std::size_t{*largest} + 1;
        histogram_.resize(std::max(histogram_.size(), bins * classes));
      }
    }

    void run() {
      struct Work {
        std::uint32_t node;
        std::size_t begin;
        std::size_t end;
        std::size_t depth;
      };
      tree_.nodes_.assign(1, Node{});
      tree_.shares_.clear();
      std::vector<Work> stack{{0, 0, samples_.size(), 0}};
      while (!stack.empty()) {
        const Work work = stack.back();
        stack.pop_back();
        const auto node_samples = samples_.subspan(work.begin, work.end - work.begin);
        const Split split = splittable(node_samples, work.depth) ? best_split(node_samples) : Split{};
        if (split.feature < 0) {
          make_leaf(work.node);
          continue;
        }
        importance_[static_cast<std::size_t>(split.feature)] += split.gain;
        const auto& column = features_.columns[static_cast<std::size_t>(split.feature)];
        const auto middle =
            std::partition(node_samples.begin(), node_samples.end(),
                           [&](const TreeSample& sample) { return column[sample.row] <= split.threshold; });
        const auto cut = work.begin + static_cast<std::size_t>(middle - node_samples.begin());
        const auto child = static_cast<std::uint32_t>(tree_.nodes_.size());
        tree_.nodes_[work.node] = {split.feature, split.threshold, child};
        tree_.nodes_.resize(tree_.nodes_.size() + 2);
        stack.push_back({child + 1, cut, work.end, work.depth + 1});
        stack.push_back({child, work.begin, cut, work.depth + 1});
      }
    }

  private:
    struct Split {
      std::int32_t feature = -1;
      std::uint16_t threshold = 0;
      double gain = 0;
    };

    /// Counts the node's classes; is there anything to split?
    bool splittable(std::span<const TreeSample> samples, std::size_t depth) {
      std::fill(total_.begin(), total_.end(), 0U);
      weight_ = 0;
      for (const auto& sample : samples) {
        total_[sample.label] += sample.weight;
        weight_ += sample.weight;
      }
      const bool pure = std::find(total_.begin(), total_.end(), weight_) != total_.end();
      return !pure && weight_ >= 2 * options_.min_samples_leaf &&
             (options_.max_depth == 0 || depth < options_.max_depth);
    }

    void make_leaf(std::uint32_t node) {
      tree_.nodes_[node].left = static_cast<std::uint32_t>(tree_.shares_.size());
      for (const auto count : total_)
        tree_.shares_.push_back(static_cast<float>(count) /
                                static_cast<float>(std::max<std::uint64_t>(weight_, 1)));
    }

    /// Looks at `max_features` features drawn without replacement, and at more until one of them is not
    /// constant in the node, as scikit-learn does.
    Split best_split(std::span<const TreeSample> samples) {
      const std::size_t wanted = options_.max_features == 0 ? order_.size() : options_.max_features;
      parent_score_ = 0;
      for (const auto count : total_)
        parent_score_ += static_cast<double>(count) * static_cast<double>(count);
      parent_score_ /= static_cast<double>(weight_);
      Split best;
      bool any = false;
      for (std::size_t visited = 0; visited < order_.size() && (visited < wanted || !any); ++visited) {
        const auto pick = visited + random_.below(static_cast<std::uint32_t>(order_.size() - visited));
        std::swap(order_[visited], order_[pick]);
        const std::size_t feature = order_[visited];
        any = (samples.size() <= few ? try_sorted(samples, feature, best)
                                     : try_histogram(samples, feature, best)) ||
              any;
      }
      return best;
    }

    // Below this many samples, sorting them beats clearing and scanning a histogram.
    static constexpr std::size_t few = 48;

    bool try_sorted(std::span<const TreeSample> samples, std::size_t feature, Split& best) {
      const auto& column = features_.columns[feature];
      // bin, label and weight in one key: sorting needs no indirection
      std::uint64_t keys[few] = {};
      std::size_t count = 0;
      for (const auto& sample : samples)
        keys[count++] =
            (std::uint64_t{column[sample.row]} << 32U) | (std::uint64_t{sample.label} << 16U) | sample.weight;
      std::sort(keys, keys + count);
      if ((keys[0] >> 32U) == (keys[count - 1] >> 32U))
        return false;
      std::fill(left_.begin(), left_.end(), 0U);
      std::uint64_t left_weight = 0;
      for (std::size_t i = 0; i + 1 < count; ++i) {
        const auto weight = static_cast<std::uint32_t>(keys[i] & 0xFFFFU);
        left_[(keys[i] >> 16U) & 0xFFFFU] += weight;
        left_weight += weight;
        const auto here = keys[i] >> 32U;
        const auto next = keys[i + 1] >> 32U;
        if (here != next)
          consider(feature, here, next, left_weight, best);
      }
      return true;
    }

    bool try_histogram(std::span<const TreeSample> samples, std::size_t feature, Split& best) {
      const auto& column = features_.columns[feature];
      std::size_t low = std::numeric_limits<std::size_t>::max();
      std::size_t high = 0;
      for (const auto& sample : samples) {
        const std::size_t bin = column[sample.row];
        histogram_[bin * classes_ + sample.label] += sample.weight;
        low = std::min(low, bin);
        high = std::max(high, bin);
      }
      if (low != high) {
        std::fill(left_.begin(), left_.end(), 0U);
        std::uint64_t left_weight = 0;
        std::size_t previous = low;
        for (std::size_t bin = low; bin <= high; ++bin) {
          const std::uint32_t* counts = histogram_.data() + bin * classes_;
          std::uint64_t weight = 0;
          for (std::size_t k = 0; k < classes_; ++k)
            weight += counts[k];
          if (weight == 0)
            continue;
          if (bin != low)
            consider(feature, previous, bin, left_weight, best);
          for (std::size_t k = 0; k < classes_; ++k)
            left_[k] += counts[k];
          left_weight += weight;
          previous = bin;
        }
      }
      std::fill(histogram_.begin() + static_cast<std::ptrdiff_t>(low * classes_),
                histogram_.begin() + static_cast<std::ptrdiff_t>((high + 1) * classes_), 0U);
      return low != high;
    }

    /// A cut between two bins that have samples; the threshold lies midway, for rows with bins between them.
    void consider(std::size_t feature, std::size_t here, std::size_t next, std::uint64_t left_weight,
                  Split& best) {
      const std::uint64_t right_weight = weight_ - left_weight;
      if (left_weight < options_.min_samples_leaf || right_weight < options_.min_samples_leaf)
        return;
      double left_squares = 0;
      double right_squares = 0;
      for (std::size_t k = 0; k < classes_; ++k) {
        const auto left = static_cast<double>(left_[k]);
        const auto right = static_cast<double>(total_[k] - left_[k]);
        left_squares += left * left;
        right_squares += right * right;
      }
      const double gain = left_squares / static_cast<double>(left_weight) +
                          right_squares / static_cast<double>(right_weight) - parent_score_;
      // A split without gain is still a split when nothing better is known: both sides can gain later.
      if (best.feature < 0 || gain > best.gain)
        best = {static_cast<std::int32_t>(feature), static_cast<std::uint16_t>((here + next) / 2),
                std::max(gain, 0.0)};
    }

    DecisionTree& tree_;
    const BinnedMatrix& features_;
    std::span<TreeSample> samples_;
    std::size_t classes_;
    TreeOptions options_;
    RandomSequence random_;
    std::span<double> importance_;
    std::vector<std::size_t> order_;
    std::vector<std::uint32_t> histogram_;
    std::vector<std::uint32_t> total_;
    std::vector<std::uint32_t> left_;
    std::uint64_t weight_ = 0;
    double parent_score_ = 0;
  };

  std::vector<Node> nodes_;
  std::vector<float> shares_;
};

ROWSMITH_END
