// SPDX-License-Identifier: MIT
/// \file
/// A tree of a forest on binned features (Breiman et al. 1984): classes by Gini impurity, numbers by squared
/// error.
#pragma once

#include <algorithm>
#include <array>
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

ROWSMITH_BEGIN

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
  friend class TreeGrower;

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

/// Criteria say what a tree's samples are, sum them up by bin, and judge a split by those sums. The score of
/// a split is what it takes from the impurity, but for a constant of the node.

/// Gini impurity of two classes. A sum holds the weight in its lower half and that of class 1 in the upper
/// one.
class BinaryGini {
public:
  struct Sample {
    std::uint32_t row;
    std::uint16_t weight; ///< how many times it was drawn
    std::uint16_t label;
  };

  explicit BinaryGini(std::size_t bins) : sums_(2 * bins) {}

  /// Sums up a node.
  void enter(std::span<const Sample> samples) noexcept {
    total_ = 0;
    for (const auto& sample : samples)
      total_ += packed(sample);
  }
  std::uint64_t weight() const noexcept { return total_ & half; }
  bool pure() const noexcept { return total_ >> 32U == 0 || total_ >> 32U == weight(); }
  double node_score() const noexcept { return squares(total_); }

  void add(std::size_t bin, const Sample& sample) noexcept { sums_[2 * bin] += packed(sample); }
  /// The same in a second sum of the bin: an addition need not wait for the one before, if that was of the
  /// same bin.
  void add_aside(std::size_t bin, const Sample& sample) noexcept { sums_[2 * bin + 1] += packed(sample); }
  bool empty(std::size_t bin) const noexcept { return sum(bin) == 0; }
  /// Begins a scan with nothing on the left.
  void start() noexcept { left_ = 0; }
  /// Moves a bin to the left and clears it.
  void take(std::size_t bin) noexcept {
    left_ += sum(bin);
    sums_[2 * bin] = sums_[2 * bin + 1] = 0;
  }
  std::uint64_t left_weight() const noexcept { return left_ & half; }
  /// What categories are ordered by.
  double mean(std::size_t bin) const noexcept {
    const auto [one, zero] = counts(sum(bin));
    return one / (one + zero);
  }
  double score() const noexcept {
    const auto [a, b] = counts(left_);
    const auto [c, d] = counts(total_ - left_);
    const double left = a + b;
    const double right = c + d;
    return ((a * a + b * b) * right + (c * c + d * d) * left) / (left * right);
  }

  std::size_t values() const noexcept { return 2; }
  std::size_t classes() const noexcept { return 2; }
  /// The class of a pure node, else `classes()`.
  std::size_t only_class() const noexcept { return !pure() ? 2 : total_ >> 32U == 0 ? 0 : 1; }
  void write(float* out) const noexcept {
    const auto [one, zero] = counts(total_);
    out[0] = static_cast<float>(zero / (one + zero));
    out[1] = static_cast<float>(one / (one + zero));
  }

private:
  static constexpr std::uint64_t half = 0xFFFFFFFFU;
  std::uint64_t sum(std::size_t bin) const noexcept { return sums_[2 * bin] + sums_[2 * bin + 1]; }
  static std::uint64_t packed(const Sample& sample) noexcept {
    return ((std::uint64_t{sample.label} << 32U) | 1U) * sample.weight;
  }
  static std::pair<double, double> counts(std::uint64_t sum) noexcept {
    const auto ones = static_cast<double>(static_cast<std::uint32_t>(sum >> 32U));
    return {ones, static_cast<double>(static_cast<std::uint32_t>(sum)) - ones};
  }
  static double squares(std::uint64_t sum) noexcept {
    const auto [one, zero] = counts(sum);
    return (one * one + zero * zero) / (one + zero);
  }

  std::vector<std::uint64_t> sums_;
  std::uint64_t total_ = 0;
  std::uint64_t left_ = 0;
};

/// Gini impurity of any number of classes.
class Gini {
public:
  using Sample = BinaryGini::Sample;

  Gini(std::size_t bins, std::size_t classes)
      : classes_(classes), sums_(bins * classes), total_(classes), left_(classes) {}

  void enter(std::span<const Sample> samples) noexcept {
    std::fill(total_.begin(), total_.end(), 0U);
    weight_ = 0;
    for (const auto& sample : samples) {
      total_[sample.label] += sample.weight;
      weight_ += sample.weight;
    }
  }
  std::uint64_t weight() const noexcept { return weight_; }
  bool pure() const noexcept { return only_class() < classes_; }
  double node_score() const noexcept {
    double squares = 0;
    for (const auto count : total_)
      squares += static_cast<double>(count) * static_cast<double>(count);
    return squares / static_cast<double>(weight_);
  }

  void add(std::size_t bin, const Sample& sample) noexcept {
    sums_[bin * classes_ + sample.label] += sample.weight;
  }
  bool empty(std::size_t bin) const noexcept {
    const auto begin = sums_.begin() + static_cast<std::ptrdiff_t>(bin * classes_);
    return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(classes_), [](auto n) { return n == 0; });
  }
  void start() noexcept {
    std::fill(left_.begin(), left_.end(), 0U);
    left_weight_ = 0;
  }
  void take(std::size_t bin) noexcept {
    for (std::size_t k = 0; k < classes_; ++k) {
      const auto count = std::exchange(sums_[bin * classes_ + k], 0U);
      left_[k] += count;
      left_weight_ += count;
    }
  }
  std::uint64_t left_weight() const noexcept { return left_weight_; }
  double score() const noexcept {
    double left = 0;
    double right = 0;
    for (std::size_t k = 0; k < classes_; ++k) {
      const auto a = static_cast<double>(left_[k]);
      const auto b = static_cast<double>(total_[k] - left_[k]);
      left += a * a;
      right += b * b;
    }
    return left / static_cast<double>(left_weight_) + right / static_cast<double>(weight_ - left_weight_);
  }

  std::size_t values() const noexcept { return classes_; }
  std::size_t classes() const noexcept { return classes_; }
  std::size_t only_class() const noexcept {
    return static_cast<std::size_t>(std::find(total_.begin(), total_.end(), weight_) - total_.begin());
  }
  void write(float* out) const noexcept {
    for (std::size_t k = 0; k < classes_; ++k)
      out[k] = static_cast<float>(static_cast<double>(total_[k]) / static_cast<double>(weight_));
  }

private:
  std::size_t classes_;
  std::vector<std::uint32_t> sums_; // bins × classes
  std::vector<std::uint32_t> total_;
  std::vector<std::uint32_t> left_;
  std::uint64_t weight_ = 0;
  std::uint64_t left_weight_ = 0;
};

/// Squared error.
class SquaredError {
public:
  struct Sample {
    float target; ///< best near 0: sums of squares are compared
    std::uint32_t row;
    std::uint32_t weight;
  };

  explicit SquaredError(std::size_t bins) : sums_(bins) {}

  void enter(std::span<const Sample> samples) noexcept {
    total_ = {};
    low_ = std::numeric_limits<float>::infinity();
    high_ = -low_;
    for (const auto& sample : samples) {
      total_.add(sample);
      low_ = std::min(low_, sample.target);
      high_ = std::max(high_, sample.target);
    }
  }
  std::uint64_t weight() const noexcept { return total_.weight; }
  bool pure() const noexcept { return !(low_ < high_); }
  double node_score() const noexcept { return total_.target * total_.target / static_cast<double>(weight()); }

  void add(std::size_t bin, const Sample& sample) noexcept { sums_[bin].add(sample); }
  bool empty(std::size_t bin) const noexcept { return sums_[bin].weight == 0; }
  void start() noexcept { left_ = {}; }
  void take(std::size_t bin) noexcept {
    left_.target += sums_[bin].target;
    left_.weight += sums_[bin].weight;
    sums_[bin] = {};
  }
  std::uint64_t left_weight() const noexcept { return left_.weight; }
  double mean(std::size_t bin) const noexcept {
    return sums_[bin].target / static_cast<double>(sums_[bin].weight);
  }
  double score() const noexcept {
    const auto left = static_cast<double>(left_.weight);
    const auto right = static_cast<double>(total_.weight - left_.weight);
    const double rest = total_.target - left_.target;
    return (left_.target * left_.target * right + rest * rest * left) / (left * right);
  }

  std::size_t values() const noexcept { return 1; }
  std::size_t classes() const noexcept { return 0; }
  std::size_t only_class() const noexcept { return 0; }
  void write(float* out) const noexcept {
    *out = pure() ? low_ : static_cast<float>(total_.target / static_cast<double>(total_.weight));
  }

private:
  struct Sum {
    double target = 0;
    std::uint64_t weight = 0;
    void add(const Sample& sample) noexcept {
      target += static_cast<double>(sample.target) * sample.weight;
      weight += sample.weight;
    }
  };
  std::vector<Sum> sums_;
  Sum total_;
  Sum left_;
  float low_ = 0;
  float high_ = 0;
};

/// Grows trees on packed bins, one after the other. \tparam Bin  of the packed bins \tparam Criterion  see
/// above
template <class Bin, class Criterion>
class TreeGrower {
public:
  using Sample = typename Criterion::Sample;

  TreeGrower(const PackedBins<Bin>& features, Criterion criterion, const TreeOptions& options)
      : features_(features), criterion_(std::move(criterion)), options_(options), order_(features.features()),
        occupied_(std::size_t{std::numeric_limits<Bin>::max()} / 64 + 1), pure_(criterion_.classes()) {}

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
      criterion_.enter(mine);
      const bool splittable = !criterion_.pure() && criterion_.weight() >= 2 * options_.min_samples_leaf &&
                              (options_.max_depth == 0 || work.depth < options_.max_depth);
      const Split split = splittable ? best_split(mine, random) : Split{};
      if (split.feature == none) {
        tree.nodes_[work.node] = {-1, 0, leaf_values(tree)};
        continue;
      }
      importance[split.feature] += std::max(split.score - criterion_.node_score(), 0.0);
      const std::size_t cut = work.begin + partition(mine, split);
      const auto child = static_cast<std::uint32_t>(tree.nodes_.size());
      const auto threshold = static_cast<std::uint16_t>(split.threshold + features_.first(split.feature));
      tree.nodes_[work.node] = {static_cast<std::int16_t>(split.feature),
                                split.by_category ? DecisionTree::by_category : threshold, child};
      if (split.by_category)
        write_set(tree, work.node, split.feature);
      tree.nodes_.resize(tree.nodes_.size() + 2);
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
  Split best_split(std::span<const Sample> samples, RandomSequence& random) {
    const std::size_t wanted = options_.max_features == 0 ? order_.size() : options_.max_features;
    Split best;
    bool any = false;
    for (std::size_t visited = 0; visited < order_.size() && (visited < wanted || !any); ++visited) {
      const auto pick = visited + random.below(static_cast<std::uint32_t>(order_.size() - visited));
      std::swap(order_[visited], order_[pick]);
      const std::size_t feature = order_[visited];
      any = scan(samples, feature, best) || any;
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
        if (previous != none) {
          consider(feature, previous, bin, best);
          any = true;
        }
        criterion_.take(bin);
        previous = bin;
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
      if (previous != none) {
        consider(feature, previous, bin, best);
        any = true;
      }
      criterion_.take(bin);
      previous = bin;
    }
    return any;
  }

  /// A cut between two bins that have samples; the threshold lies midway, for rows with bins between them.
  /// A split without gain is still a split when nothing better is known: both sides can gain later.
  /// \returns whether it is the best so far
  bool consider(std::size_t feature, std::size_t here, std::size_t next, Split& best) noexcept {
    const std::uint64_t left = criterion_.left_weight();
    if (left < options_.min_samples_leaf || criterion_.weight() - left < options_.min_samples_leaf)
      return false;
    const double score = criterion_.score();
    if (best.feature != none && !(score > best.score))
      return false;
    best = {feature, static_cast<Bin>((here + next) / 2), score, false};
    return true;
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
};

ROWSMITH_END
