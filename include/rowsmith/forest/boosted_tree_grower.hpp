// SPDX-License-Identifier: MIT
/// \file
/// How boosted trees are grown: regression trees on histograms of gradients and Hessians (Chen & Guestrin,
/// "XGBoost: A Scalable Tree Boosting System", KDD 2016).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/forest/binned_matrix.hpp>
#include <rowsmith/forest/boosted_trees.hpp>
#include <rowsmith/forest/pool.hpp>

ROWSMITH_BEGIN
namespace forest {

/// Defaults are those of XGBoost.
struct GradientBoostingOptions {
  std::size_t rounds = 100;   ///< trees (of each class, if there are more than two); [1, 100000]
  std::size_t max_depth = 6;  ///< splits on the way to a leaf; [1, 30]
  double learning_rate = 0.3; ///< share of each tree's leaf values that is added; (0, 1]
  double lambda = 1;          ///< squared penalty of leaf values; ≥ 0
  double gamma = 0; ///< gain a split must exceed, twice that of eq. 7, as in the program XGBoost; ≥ 0
  double min_child_weight = 1; ///< sum of Hessians a child must have; ≥ 0
  double subsample = 1;        ///< share of the rows a tree sees, drawn without replacement; (0, 1]
  std::size_t max_bins = 255;  ///< of a feature; [2, 65534]; up to 255, a bin number takes one byte
  std::uint64_t seed = 0;      ///< of the rows drawn
  int threads = 0;             ///< 0: all; never changes the result

  /// \throws OptionError
  void check() const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    check_option("boosting.rounds", static_cast<double>(rounds), {1, 100'000});
    check_option("boosting.max_depth", static_cast<double>(max_depth), {1, 30});
    check_option("boosting.learning_rate", learning_rate, {.least = 0, .most = 1, .least_open = true});
    check_option("boosting.lambda", lambda, {.least = 0, .most = infinity, .most_open = true});
    check_option("boosting.gamma", gamma, {.least = 0, .most = infinity, .most_open = true});
    check_option("boosting.min_child_weight", min_child_weight,
                 {.least = 0, .most = infinity, .most_open = true});
    check_option("boosting.subsample", subsample, {.least = 0, .most = 1, .least_open = true});
  }
};

namespace detail {

/// First and second derivative of a row's loss, in fixed point. Sums of integers are exact: they depend on no
/// order, and the histogram of one child is that of its parent less that of its sibling, to the last bit.
struct FixedGradient {
  std::int32_t g = 0;
  std::int32_t h = 0;
};

/// The bits behind the point of a gradient of size 1; sums of 2^32 rows fit in 64 bits.
inline constexpr int gradient_bits = 30;

struct alignas(16) GradientSum {
  std::int64_t g = 0;
  std::int64_t h = 0;

  void add(const GradientSum& other) noexcept {
    g += other.g;
    h += other.h;
  }
  void subtract(const GradientSum& other) noexcept {
    g -= other.g;
    h -= other.h;
  }
  bool empty() const noexcept { return (g | h) == 0; }
};

/// Grows trees on chosen rows of a binned matrix. \tparam Bin  std::uint8_t if every feature's bins fit in it
template <class Bin>
class BoostedTreeGrower {
public:
  /// \param bins  outlives the grower
  BoostedTreeGrower(const PackedBins<Bin>& bins, const GradientBoostingOptions& options, int threads)
      : options_(options), threads_(threads), bins_(bins), features_(bins.features()), offset_(features_ + 1),
        by_row_(bins.rows() * features_), scratch_(bins.rows()), gain_(features_) {
    for (std::size_t f = 0; f < features_; ++f)
      offset_[f + 1] = offset_[f] + bins.bins(f);
    constexpr std::size_t block = 4096;
    parallel_for((bins.rows() + block - 1) / block, threads_, [&](std::size_t part) {
      for (std::size_t f = 0; f < features_; ++f)
        for (std::size_t i = part * block; i < std::min(bins.rows(), (part + 1) * block); ++i)
          by_row_[i * features_ + f] = bins.column(f)[i];
    });
  }

  /// Adds a tree. \param gradients  one a row (in the order of the constructor's rows) in units of `unit`;
  /// Hessians in units of 1 \param gamma  gain a split must exceed \param sample  rows the tree is grown on
  void grow(BoostedTrees& trees, std::span<const FixedGradient> gradients, double unit, double gamma,
            std::span<const std::uint32_t> sample) {
    gradients_ = gradients;
    g_scale_ = std::ldexp(unit, -gradient_bits);
    h_scale_ = std::ldexp(1.0, -gradient_bits);
    least_gain_ = std::max(gamma, 1e-6 * unit * unit); // XGBoost's least, where gradients are at most 1
    order_.assign(sample.begin(), sample.end());
    Branch trunk;
    trunk.nodes.resize(1);
    Child root{0, 0, order_.size(), 0, {}};
    for (const auto row : order_)
      root.total.add({gradients_[row].g, gradients_[row].h});
    if (may_split(root)) {
      Family family;
      family.built = root;
      family.split_built = true;
      trunk.families.push_back(std::move(family));
    } else {
      make_leaf(root, trunk);
    }

    // Large nodes one after the other, their rows shared out among the threads; then the branches below, each
    // on one thread. Sums are exact, so that this shows in no result.
    const std::size_t large = threads_ == 1 || order_.size() < 2 * few
                                  ? 0
                                  : std::max(few, order_.size() / (2 * static_cast<std::size_t>(threads_)));
    std::vector<Family> waiting;
    while (!trunk.families.empty()) {
      Family family = std::move(trunk.families.back());
      trunk.families.pop_back();
      if (family.size() < large)
        waiting.push_back(std::move(family));
      else
        split(std::move(family), trunk, threads_);
    }
    std::sort(waiting.begin(), waiting.end(),
              [](const Family& a, const Family& b) { return a.size() > b.size(); });
    std::vector<Branch> branches(waiting.size());
    parallel_for(waiting.size(), threads_,
                 [&](std::size_t i) { grow_branch(std::move(waiting[i]), trunk, branches[i]); });
    assemble(trees, trunk, branches);
  }

  /// Adds the last tree's leaf values to element `row * stride` of the scores, for the rows it was grown on.
  void add_leaf_values(double* scores, std::size_t stride) const {
    parallel_for(leaves_.size(), threads_for(order_.size()), [&](std::size_t l) {
      const Leaf& leaf = leaves_[l];
      for (std::size_t i = leaf.begin; i < leaf.end; ++i)
        scores[order_[i] * stride] += leaf.value;
    });
  }

  /// Of all trees, by feature.
  const std::vector<double>& gain() const noexcept { return gain_; }

private:
  using Histogram = AlignedBuffer<GradientSum>;

  struct Child {
    std::uint32_t node = 0;
    std::size_t begin = 0; // of its rows in order_
    std::size_t end = 0;
    std::size_t depth = 0;
    GradientSum total;

    std::size_t size() const noexcept { return end - begin; }
  };
  struct Split {
    std::int32_t feature = -1;
    std::uint16_t threshold = 0; // bins from the feature's lowest one
    std::uint16_t missing_right = 0;
    double gain = 0;
    GradientSum left;
  };
  /// One or two siblings: the histogram of the smaller one is built from its rows, that of the other one is
  /// what remains of their parent's. The root is built alone.
  struct Family {
    Child built;
    Child rest;
    bool split_built = false;
    bool split_rest = false;
    Histogram parent; // empty unless the rest is to be split

    std::size_t size() const noexcept { return built.size() + rest.size(); }
  };
  struct Leaf {
    std::size_t begin;
    std::size_t end;
    double value;
  };
  /// A part of a tree that is grown on its own. Nodes count from 0; those of a branch below the trunk begin
  /// with two that the trunk has already.
  struct Branch {
    std::vector<BoostedTrees::Node> nodes;
    std::vector<Family> families; // a stack of what is still to be split
    std::vector<Leaf> leaves;
    std::size_t depth = 0;
    std::uint32_t trunk_node = 0; // where the trunk has the first of the two
  };

  // Fewer rows than this are not worth waking a thread for.
  static constexpr std::size_t few = 4096;
  int threads_for(std::size_t rows) const noexcept { return rows < few ? 1 : threads_; }

  bool may_split(const Child& child) const noexcept {
    return child.depth < options_.max_depth && child.size() >= 2 && child.total.h > 0 &&
           static_cast<double>(child.total.h) * h_scale_ >= 2 * options_.min_child_weight;
  }

  void make_leaf(const Child& child, Branch& branch) const {
    const double g = static_cast<double>(child.total.g) * g_scale_;
    const double h = static_cast<double>(child.total.h) * h_scale_ + options_.lambda;
    auto& node = branch.nodes[child.node];
    node = {};
    node.left = child.node;
    node.value = h > 0 ? static_cast<float>(-options_.learning_rate * g / h) : 0.0F;
    branch.leaves.push_back({child.begin, child.end, static_cast<double>(node.value)});
  }

  void grow_branch(Family family, const Branch& trunk, Branch& branch) {
    // The branch's own numbers for the nodes it begins with; one of them may be a leaf already.
    const std::uint32_t first = std::min(family.built.node, family.rest.node);
    branch.trunk_node = first;
    branch.nodes = {trunk.nodes[first], trunk.nodes[first + 1]};
    family.built.node -= first;
    family.rest.node -= first;
    branch.families.push_back(std::move(family));
    while (!branch.families.empty()) {
      Family next = std::move(branch.families.back());
      branch.families.pop_back();
      split(std::move(next), branch, 1);
    }
  }

  /// Splits the members of a family that may be split; the new families go on the branch's stack.
  void split(Family family, Branch& branch, int threads) {
    Histogram built = build(family.built, threads);
    Split rest_split;
    if (family.split_rest) {
      for (std::size_t b = 0; b < built.size(); ++b)
        family.parent[b].subtract(built[b]);
      rest_split = best_split(family.parent.data(), family.rest.total);
    }
    if (family.split_built) {
      const Split best = best_split(built.data(), family.built.total);
      apply(family.built, best, std::move(built), branch, threads);
    } else {
      pool_.give(std::move(built));
    }
    if (family.split_rest)
      apply(family.rest, rest_split, std::move(family.parent), branch, threads);
  }

  /// The histogram of a node's rows, on up to `threads` threads.
  Histogram build(const Child& child, int threads) {
    const std::size_t pieces =
        std::clamp<std::size_t>(child.size() / few, 1, static_cast<std::size_t>(threads));
    std::vector<Histogram> histograms;
    for (std::size_t p = 0; p < pieces; ++p)
      histograms.push_back(pool_.take([&] { return Histogram(offset_.back()); }));
    parallel_for(pieces, threads, [&](std::size_t p) {
      add_rows(child.begin + child.size() * p / pieces, child.begin + child.size() * (p + 1) / pieces,
               histograms[p]);
    });
    for (std::size_t p = 1; p < pieces; ++p) {
      for (std::size_t b = 0; b < histograms[0].size(); ++b)
        histograms[0][b].add(histograms[p][b]);
      pool_.give(std::move(histograms[p]));
    }
    return std::move(histograms[0]);
  }

  void add_rows(std::size_t begin, std::size_t end, Histogram& buffer) const {
    buffer.fill({});
    GradientSum* histogram = buffer.data();
    const std::uint32_t* order = order_.data();
    const std::size_t* offset = offset_.data();
    const FixedGradient* gradients = gradients_.data();
    const Bin* by_row = by_row_.data();
    const std::size_t features = features_; // a member would be read again after each store
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t row = order[i];
      const GradientSum gradient{gradients[row].g, gradients[row].h};
      const Bin* bins = by_row + row * features;
      for (std::size_t f = 0; f < features; ++f)
        histogram[offset[f] + bins[f]].add(gradient);
    }
  }

  /// Turns a node into an inner one with two children, or into a leaf if no split gains enough.
  void apply(const Child& child, const Split& split, Histogram histogram, Branch& branch, int threads) {
    if (split.feature < 0) {
      make_leaf(child, branch);
      pool_.give(std::move(histogram));
      return;
    }
    const auto feature = static_cast<std::size_t>(split.feature);
    branch.depth = std::max(branch.depth, child.depth + 1);
    const auto node = static_cast<std::uint32_t>(branch.nodes.size());
    branch.nodes.resize(branch.nodes.size() + 2);
    branch.nodes[child.node] = {split.feature,
                                static_cast<std::uint16_t>(split.threshold + bins_.first(feature)),
                                split.missing_right, node, static_cast<float>(split.gain)};
    const std::size_t middle = partition(child, split, threads);
    Child left{node, child.begin, middle, child.depth + 1, split.left};
    Child right{node + 1, middle, child.end, child.depth + 1, child.total};
    right.total.subtract(left.total);
    Family family;
    const bool left_smaller = left.size() <= right.size();
    family.built = left_smaller ? left : right;
    family.rest = left_smaller ? right : left;
    family.split_built = may_split(family.built);
    family.split_rest = may_split(family.rest);
    if (!family.split_built)
      make_leaf(family.built, branch);
    if (!family.split_rest)
      make_leaf(family.rest, branch);
    if (family.split_rest)
      family.parent = std::move(histogram);
    else
      pool_.give(std::move(histogram));
    if (family.split_built || family.split_rest)
      branch.families.push_back(std::move(family));
  }

  /// Puts the rows of the left child first, each side in ascending order. \returns where the right ones begin
  std::size_t partition(const Child& child, const Split& split, int threads) {
    const std::size_t pieces =
        std::clamp<std::size_t>(child.size() / few, 1, static_cast<std::size_t>(threads));
    const auto begin_of = [&](std::size_t p) { return child.begin + child.size() * p / pieces; };
    const auto feature = static_cast<std::size_t>(split.feature);
    // Less one, a missing value is the largest of all bins.
    const bool shifted = split.missing_right != 0 && bins_.first(feature) == 0;
    std::vector<std::size_t> lefts(pieces);
    parallel_for(pieces, threads, [&](std::size_t p) {
      // Left rows stay in order_, at places already read; right rows go to scratch_.
      const Bin* column = bins_.column(feature);
      const std::uint32_t shift = shifted ? 1 : 0;
      const std::uint32_t bound = split.threshold - shift;
      const std::uint32_t* next = order_.data() + begin_of(p);
      const std::uint32_t* end = order_.data() + begin_of(p + 1);
      std::uint32_t* left = order_.data() + begin_of(p);
      std::uint32_t* right = scratch_.data() + begin_of(p);
      for (; next != end; ++next) {
        const std::uint32_t row = *next;
        const std::uint32_t goes_right = static_cast<Bin>(column[row] - shift) > bound ? 1 : 0;
        *left = row;
        *right = row;
        left += 1 - goes_right;
        right += goes_right;
      }
      lefts[p] = static_cast<std::size_t>(left - (order_.data() + begin_of(p)));
    });
    std::size_t at = child.begin;
    for (std::size_t p = 0; p < pieces; at += lefts[p++])
      if (at != begin_of(p))
        std::copy_n(order_.data() + begin_of(p), lefts[p], order_.data() + at);
    const std::size_t middle = at;
    for (std::size_t p = 0; p < pieces; ++p) {
      const std::size_t rights = begin_of(p + 1) - begin_of(p) - lefts[p];
      std::copy_n(scratch_.data() + begin_of(p), rights, order_.data() + at);
      at += rights;
    }
    return middle;
  }

  Split best_split(const GradientSum* histogram, const GradientSum& total) const {
    Split best;
    double best_score = 0;
    for (std::size_t f = 0; f < features_; ++f) {
      const std::span<const GradientSum> bins(histogram + offset_[f], offset_[f + 1] - offset_[f]);
      const bool missing = bins_.first(f) == 0 && !bins[0].empty();
      scan(f, bins, missing, false, total, best, best_score);
      if (missing)
        scan(f, bins, missing, true, total, best, best_score);
    }
    const double g = static_cast<double>(total.g) * g_scale_;
    const double h = static_cast<double>(total.h) * h_scale_ + options_.lambda;
    best.gain = best_score - (h > 0 ? g * g / h : 0);
    if (!(best.gain > least_gain_))
      best.feature = -1;
    return best;
  }

  /// Looks at each cut between bins. \param missing  does the first bin hold missing values?
  void scan(std::size_t feature, std::span<const GradientSum> bins, bool missing, bool missing_right,
            const GradientSum& total, Split& best, double& best_score) const {
    const auto total_g = static_cast<double>(total.g) * g_scale_;
    const auto total_h = static_cast<double>(total.h) * h_scale_;
    const double least = options_.min_child_weight;
    GradientSum left;
    std::size_t previous = bins.size();
    for (std::size_t b = missing_right ? 1 : 0; b < bins.size(); ++b) {
      if (bins[b].empty())
        continue;
      if (previous != bins.size()) {
        const double left_g = static_cast<double>(left.g) * g_scale_;
        const double left_h = static_cast<double>(left.h) * h_scale_;
        const double right_g = total_g - left_g;
        const double right_h = total_h - left_h;
        if (right_h < least)
          return; // and less further on
        if (left_h >= least && left_h > 0 && right_h > 0) {
          const double a = left_h + options_.lambda;
          const double c = right_h + options_.lambda;
          const double score = (left_g * left_g * c + right_g * right_g * a) / (a * c);
          if (score > best_score) {
            best_score = score;
            best.feature = static_cast<std::int32_t>(feature);
            // Midway between the bins that hold rows; nothing lies between missing values and others.
            best.threshold = static_cast<std::uint16_t>(missing && previous == 0 ? 0 : (previous + b) / 2);
            best.missing_right = (missing ? missing_right : right_h > left_h) ? 1 : 0;
            best.left = left;
          }
        }
      }
      left.add(bins[b]);
      previous = b;
    }
  }

  /// Puts a tree together, level by level from left to right, however it was shared out.
  void assemble(BoostedTrees& trees, Branch& trunk, std::span<Branch> branches) {
    struct Place {
      const Branch* branch;
      std::uint32_t node;
    };
    std::unordered_map<std::uint32_t, const Branch*> grown;
    for (auto& branch : branches) {
      grown[branch.trunk_node] = &branch;
      trunk.depth = std::max(trunk.depth, branch.depth);
      trunk.leaves.insert(trunk.leaves.end(), branch.leaves.begin(), branch.leaves.end());
    }
    leaves_ = std::move(trunk.leaves);
    std::vector<BoostedTrees::Node> nodes;
    std::vector<Place> places{{&trunk, 0}};
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto [branch, number] = places[i];
      auto node = branch->nodes[number];
      if (node.feature < 0) {
        node.left = static_cast<std::uint32_t>(i);
      } else {
        Place left{branch, node.left};
        if (const auto found = grown.find(node.left); branch == &trunk && found != grown.end())
          left = {found->second, 0};
        node.left = static_cast<std::uint32_t>(places.size());
        places.push_back(left);
        places.push_back({left.branch, left.node + 1});
        gain_[static_cast<std::size_t>(node.feature)] += static_cast<double>(node.value);
      }
      nodes.push_back(node);
    }
    trees.add(nodes, trunk.depth);
  }

  GradientBoostingOptions options_;
  int threads_;
  const PackedBins<Bin>& bins_;
  std::size_t features_;
  std::vector<std::size_t> offset_;    // where a feature's bins begin in a histogram
  std::vector<Bin> by_row_;            // the bins, rows × features
  std::vector<std::uint32_t> order_;   // rows, those of a node together
  std::vector<std::uint32_t> scratch_; // as long
  Pool<Histogram> pool_;
  std::span<const FixedGradient> gradients_;
  double g_scale_ = 1;
  double h_scale_ = 1;
  double least_gain_ = 0;
  std::vector<Leaf> leaves_;
  std::vector<double> gain_;
};

} // namespace detail

} // namespace forest
using forest::GradientBoostingOptions;
ROWSMITH_END
