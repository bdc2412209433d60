// SPDX-License-Identifier: MIT
/// \file
/// Grows decision trees on binned features.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/forest/binned_matrix.hpp>
#include <rowsmith/forest/decision_tree.hpp>
#include <rowsmith/forest/small_nodes.hpp>
#include <rowsmith/forest/tree_criteria.hpp>

ROWSMITH_BEGIN
namespace forest {

namespace detail {

/// Grows trees on packed bins, one after the other. \tparam Bin  of the packed bins \tparam Criterion  of
/// tree_criteria.hpp
template <class Bin, class Criterion>
class TreeGrower {
public:
  using Sample = typename Criterion::Sample;

  TreeGrower(const PackedBins<Bin>& features, Criterion criterion, const TreeOptions& options)
      : features_(features), criterion_(std::move(criterion)), options_(options), order_(features.features()),
        occupied_(std::size_t{std::numeric_limits<Bin>::max()} / 64 + 1), pure_(criterion_.classes()),
        small_(by_bits ? features.features() : 0) {
    for (std::size_t f = 0; f < features.features(); ++f)
      any_categorical_ = any_categorical_ || features.categorical(f);
  }

  /// `samples` is reordered. \param importance  one number a feature: the decrease of impurity, weighted by
  /// the rows concerned, is added to it
  DecisionTree grow(std::span<Sample> samples, const RandomStream& stream, std::span<double> importance) {
    RandomSequence random(stream);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    scratch_.resize(samples.size());
    std::fill(pure_.begin(), pure_.end(), unwritten);
    DecisionTree tree;
    tree.nodes_.resize(1);
    std::vector<Work> stack{{0, 0, samples.size(), 0}};
    while (!stack.empty()) {
      const Work work = stack.back();
      stack.pop_back();
      const auto mine = samples.subspan(work.begin, work.end - work.begin);
      if constexpr (by_bits)
        if (!any_categorical_ && small_.hold(std::span<const Sample>(mine))) {
          grow_small(tree, work.node, work.depth, random, importance);
          continue;
        }
      criterion_.enter(mine);
      const Split split = splittable(work.depth)
                              ? best_split(random, [&](std::size_t feature,
                                                       Split& best) { return scan(mine, feature, best); })
                              : Split{};
      if (split.feature == none) {
        tree.nodes_[work.node] = {-1, 0, leaf_values(tree)};
        continue;
      }
      importance[split.feature] += criterion_.decrease(split.score);
      const std::size_t cut = work.begin + partition(mine, split);
      const auto child = write_split(tree, work.node, split);
      stack.push_back({child + 1, cut, work.end, work.depth + 1});
      stack.push_back({child, work.begin, cut, work.depth + 1});
    }
    return tree;
  }

private:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  struct Work {
    std::uint32_t node;
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
  };
  struct Split {
    std::size_t feature = none;
    Bin threshold = 0; // from the feature's lowest bin
    double score = 0;
    bool by_category = false; // the bins of left_bins_ go left
  };

  bool splittable(std::size_t depth) const noexcept {
    return !criterion_.pure() && criterion_.weight() >= 2 * options_.min_samples_leaf &&
           (options_.max_depth == 0 || depth < options_.max_depth);
  }

  /// \returns the left child
  std::uint32_t write_split(DecisionTree& tree, std::uint32_t node, const Split& split) const {
    const auto child = static_cast<std::uint32_t>(tree.nodes_.size());
    const auto threshold = static_cast<std::uint16_t>(split.threshold + features_.first(split.feature));
    tree.nodes_[node] = {static_cast<std::int16_t>(split.feature),
                         split.by_category ? DecisionTree::by_category : threshold, child};
    if (split.by_category)
      write_set(tree, node, split.feature);
    tree.nodes_.resize(tree.nodes_.size() + 2);
    return child;
  }

  // Bins of one byte, two classes: nodes of few rows are sets of bits.
  static constexpr bool by_bits = sizeof(Bin) == 1 && std::is_same_v<Criterion, BinaryGini>;

  struct SmallWork {
    std::uint32_t node;
    std::uint64_t set;
    std::size_t depth;
  };

  /// Grows all that lies below a node, whose samples `small_` holds: the same splits as of larger nodes.
  void grow_small(DecisionTree& tree, std::uint32_t root, std::size_t root_depth, RandomSequence& random,
                  std::span<double> importance) {
    small_stack_.assign(1, {root, small_.everything(), root_depth});
    while (!small_stack_.empty()) {
      const SmallWork work = small_stack_.back();
      small_stack_.pop_back();
      criterion_.enter(small_.sum(work.set));
      const Split split = splittable(work.depth) ? best_split(random,
                                                              [&](std::size_t feature, Split& best) {
                                                                return scan_small(work.set, feature, best);
                                                              })
                                                 : Split{};
      if (split.feature == none) {
        tree.nodes_[work.node] = {-1, 0, leaf_values(tree)};
        continue;
      }
      importance[split.feature] += criterion_.decrease(split.score);
      // The threshold lies midway to the next bin, as in `consider`.
      const std::uint8_t* codes = small_.codes(split.feature, features_.column(split.feature));
      const std::uint64_t left = work.set & Bytes64(codes).compare(split.threshold).at_most;
      std::size_t next = std::numeric_limits<Bin>::max();
      for (std::uint64_t rest = work.set & ~left; rest != 0; rest &= rest - 1)
        next = std::min<std::size_t>(next, codes[std::countr_zero(rest)]);
      Split midway = split;
      midway.threshold = static_cast<Bin>((split.threshold + next) / 2);
      const auto child = write_split(tree, work.node, midway);
      small_stack_.push_back({child + 1, work.set & ~left, work.depth + 1});
      small_stack_.push_back({child, left, work.depth + 1});
    }
  }

  /// Looks at the cuts of a feature in any order; the threshold is the highest bin on the left. \returns
  /// whether there are any
  bool scan_small(std::uint64_t set, std::size_t feature, Split& best) noexcept {
    const std::uint8_t* codes = small_.codes(feature, features_.column(feature));
    const Bytes64 bytes(codes);
    const std::uint64_t total = criterion_.total();
    bool any = false;
    for (std::uint64_t rest = set; rest != 0;) {
      const std::uint8_t bin = codes[std::countr_zero(rest)];
      const auto masks = bytes.compare(bin);
      rest &= ~masks.equal;
      const std::uint64_t left_set = set & masks.at_most;
      if (left_set == set)
        continue;
      any = true;
      const std::uint64_t left = small_.sum(left_set);
      if (!leaves_are_heavy(left & 0xFFFFFFFFU))
        continue;
      const double score = Criterion::score(total, left);
      // Of equally good cuts of a feature the lowest is taken, as by a scan from below.
      if (best.feature == none || score > best.score ||
          (score == best.score && best.feature == feature && bin < best.threshold))
        best = {feature, bin, score, false};
    }
    return any;
  }

  /// Writes the node's values. Leaves of one class alone share theirs: most leaves are such.
  std::uint32_t leaf_values(DecisionTree& tree) {
    const auto next = static_cast<std::uint32_t>(tree.values_.size());
    if (const std::size_t k = criterion_.only_class(); k < pure_.size()) {
      if (pure_[k] != unwritten)
        return pure_[k];
      pure_[k] = next;
    }
    tree.values_.resize(tree.values_.size() + criterion_.values());
    criterion_.write(tree.values_.data() + next);
    return next;
  }

  /// Looks at `max_features` features drawn without replacement, and at more until one of them is not
  /// constant in the node, as scikit-learn does.
  /// \param scan  `scan(feature, best)` considers the cuts of a feature and says whether there are any
  template <class Scan>
  Split best_split(RandomSequence& random, const Scan& scan) {
    const std::size_t wanted = options_.max_features == 0 ? order_.size() : options_.max_features;
    Split best;
    bool any = false;
    for (std::size_t visited = 0; visited < order_.size() && (visited < wanted || !any); ++visited) {
      const auto pick = visited + random.below(static_cast<std::uint32_t>(order_.size() - visited));
      std::swap(order_[visited], order_[pick]);
      const std::size_t feature = order_[visited];
      any = scan(feature, best) || any;
    }
    return best;
  }

  /// Considers the cuts of a feature. \returns whether there are any
  bool scan(std::span<const Sample> samples, std::size_t feature, Split& best) {
    if constexpr (requires { criterion_.mean(0); })
      if (features_.categorical(feature))
        return scan_categories(samples, feature, best);
    return samples.size() < features_.bins(feature) / 2 ? scan_occupied(samples, feature, best)
                                                        : scan_all(samples, feature, best);
  }

  /// Of all ways to part the categories in two, the best one cuts them in the order of their means (Fisher
  /// 1958; Breiman et al. 1984, section 4.2.2).
  bool scan_categories(std::span<const Sample> samples, std::size_t feature, Split& best) {
    const Bin* column = features_.column(feature);
    for (const auto& sample : samples)
      criterion_.add(column[sample.row], sample);
    by_mean_.clear();
    for (std::size_t bin = 0; bin < features_.bins(feature); ++bin)
      if (!criterion_.empty(bin))
        by_mean_.emplace_back(criterion_.mean(bin), static_cast<Bin>(bin));
    std::sort(by_mean_.begin(), by_mean_.end());
    criterion_.start();
    std::size_t left = 0;
    for (std::size_t i = 0; i < by_mean_.size(); ++i) {
      if (i > 0 && consider(feature, 0, 0, best))
        left = i;
      criterion_.take(by_mean_[i].second);
    }
    if (left > 0) {
      best.by_category = true;
      left_bins_.clear();
      for (std::size_t i = 0; i < left; ++i)
        left_bins_.push_back(by_mean_[i].second);
    }
    return by_mean_.size() > 1;
  }

  void write_set(DecisionTree& tree, std::uint32_t node, std::size_t feature) const {
    const std::size_t first = features_.first(feature);
    const std::size_t words = (first + features_.bins(feature) - 1) / 64 + 1;
    tree.set_of_.resize(tree.nodes_.size());
    tree.set_of_[node] = tree.sets_.size();
    tree.sets_.push_back(words);
    tree.sets_.resize(tree.sets_.size() + words);
    std::uint64_t* set = tree.sets_.data() + tree.set_of_[node] + 1;
    for (const std::size_t bin : left_bins_)
      set[(first + bin) / 64] |= std::uint64_t{1} << ((first + bin) % 64);
  }

  /// Notes which bins are occupied, and visits those alone: best for few samples.
  bool scan_occupied(std::span<const Sample> samples, std::size_t feature, Split& best) {
    const Bin* column = features_.column(feature);
    std::size_t low = occupied_.size();
    std::size_t high = 0;
    for (const auto& sample : samples) {
      const std::size_t bin = column[sample.row];
      criterion_.add(bin, sample);
      occupied_[bin / 64] |= std::uint64_t{1} << (bin % 64);
      low = std::min(low, bin / 64);
      high = std::max(high, bin / 64);
    }
    criterion_.start();
    std::size_t previous = none;
    bool any = false;
    for (std::size_t word = low; word <= high; ++word)
      for (std::uint64_t bits = std::exchange(occupied_[word], 0); bits != 0; bits &= bits - 1) {
        const std::size_t bin = 64 * word + static_cast<std::size_t>(std::countr_zero(bits));
        any = take(feature, bin, previous, best) || any;
      }
    return any;
  }

  bool scan_all(std::span<const Sample> samples, std::size_t feature, Split& best) {
    const Bin* column = features_.column(feature);
    std::size_t i = 0;
    if constexpr (requires { criterion_.add_aside(0, samples[0]); })
      for (; i + 1 < samples.size(); i += 2) {
        criterion_.add(column[samples[i].row], samples[i]);
        criterion_.add_aside(column[samples[i + 1].row], samples[i + 1]);
      }
    for (; i < samples.size(); ++i)
      criterion_.add(column[samples[i].row], samples[i]);
    criterion_.start();
    std::size_t previous = none;
    bool any = false;
    for (std::size_t bin = 0; bin < features_.bins(feature); ++bin) {
      if (criterion_.empty(bin))
        continue;
      any = take(feature, bin, previous, best) || any;
    }
    return any;
  }

  /// Looks at the cut before an occupied bin and moves the bin to the left. \param previous  the occupied bin
  /// before it, or `none`; becomes this one \returns whether there is a cut
  bool take(std::size_t feature, std::size_t bin, std::size_t& previous, Split& best) noexcept {
    const std::size_t before = std::exchange(previous, bin);
    if (before != none)
      consider(feature, before, bin, best);
    criterion_.take(bin);
    return before != none;
  }

  /// A cut between two bins that have samples; the threshold lies midway, for rows with bins between them.
  /// A split without gain is still a split when nothing better is known: both sides can gain later.
  /// \returns whether it is the best so far
  bool consider(std::size_t feature, std::size_t here, std::size_t next, Split& best) noexcept {
    if (!leaves_are_heavy(criterion_.left_weight()))
      return false;
    const double score = criterion_.score();
    if (best.feature != none && !(score > best.score))
      return false;
    best = {feature, static_cast<Bin>((here + next) / 2), score, false};
    return true;
  }

  bool leaves_are_heavy(std::uint64_t left) const noexcept {
    return left >= options_.min_samples_leaf && criterion_.weight() - left >= options_.min_samples_leaf;
  }

  std::size_t partition(std::span<Sample> samples, const Split& split) {
    const Bin* column = features_.column(split.feature);
    if (split.by_category) {
      goes_left_.assign(features_.bins(split.feature), 0);
      for (const std::size_t bin : left_bins_)
        goes_left_[bin] = 1;
      return partition(samples, [&](std::uint32_t row) { return goes_left_[column[row]] == 0; });
    }
    const std::uint32_t bound = split.threshold;
    return partition(samples, [column, bound](std::uint32_t row) { return column[row] > bound; });
  }
  /// Moves the samples that go left to the front, both sides in their order. \returns how many there are
  template <class GoesRight>
  requires std::is_invocable_r_v<bool, GoesRight, std::uint32_t> std::size_t
  partition(std::span<Sample> samples, const GoesRight& goes_right)
  noexcept {
    Sample* left = samples.data();
    Sample* right = scratch_.data();
    for (const Sample *next = left, *end = left + samples.size(); next != end; ++next) {
      const Sample sample = *next;
      const std::size_t is_right = goes_right(sample.row) ? 1 : 0;
      *left = sample;
      *right = sample;
      left += 1 - is_right;
      right += is_right;
    }
    std::copy(scratch_.data(), right, left);
    return static_cast<std::size_t>(left - samples.data());
  }

  const PackedBins<Bin>& features_;
  Criterion criterion_;
  TreeOptions options_;
  std::vector<std::size_t> order_;
  std::vector<std::uint64_t> occupied_; // a bit a bin
  std::vector<Sample> scratch_;
  std::vector<std::pair<double, Bin>> by_mean_; // a node's categories
  std::vector<Bin> left_bins_;                  // those that the best split so far sends left
  std::vector<std::uint8_t> goes_left_;         // the same, by bin
  static constexpr std::uint32_t unwritten = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> pure_; // by class, where the values of a leaf of this class alone begin
  SmallNodes small_;
  std::vector<SmallWork> small_stack_;
  bool any_categorical_ = false;
};

} // namespace detail

} // namespace forest
ROWSMITH_END
