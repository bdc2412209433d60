// SPDX-License-Identifier: MIT
/// \file
/// Bags of trees that part rows by codes, whose leaves keep what a column held there: a row's column is drawn
/// from the leaf that the columns before it lead to (sequential CART synthesis, Reiter, "Using CART to
/// generate partially synthetic public use microdata", J. Official Statistics 2005).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/core/team.hpp>

ROWSMITH_BEGIN
namespace forest {

/// A column that trees may part rows by.
struct CodeFeature {
  std::vector<std::uint16_t> levels{}; ///< one a row, below `count`
  std::int32_t count = 0;              ///< [1, 65536]
  bool ordered = false; ///< by number; otherwise each target puts the levels into an order of its own
};

/// What a column's trees foretell.
struct CodeTarget {
  std::vector<std::uint32_t> entries{}; ///< one a row: what a leaf keeps
  std::int32_t width = 0;               ///< of what splits are judged by: the classes, or the numbers a row
  std::vector<std::int32_t> classes{};  ///< one a row, below `width`; or empty, and then
  std::vector<float> numbers{};         ///< rows × width

  std::size_t rows() const noexcept { return entries.size(); }
};

/// The target of an ordered column: its entries, judged by three cosines of the rank, cos(π h r) / √h, which
/// part by shape as well as by place.
inline CodeTarget rank_target(const CodeFeature& column, std::vector<std::uint32_t> entries) {
  CodeTarget target{.entries = std::move(entries), .width = 3};
  const std::size_t rows = column.levels.size();
  std::vector<std::size_t> below(static_cast<std::size_t>(column.count) + 1);
  for (const auto level : column.levels)
    ++below[level + std::size_t{1}];
  std::partial_sum(below.begin(), below.end(), below.begin());
  target.numbers.reserve(3 * rows);
  for (const auto level : column.levels) {
    const double rank =
        static_cast<double>(below[level] + below[level + std::size_t{1}]) / 2 / static_cast<double>(rows);
    for (int h = 1; h <= 3; ++h)
      target.numbers.push_back(static_cast<float>(std::cos(3.14159265358979323846 * h * rank) /
                                                  std::sqrt(static_cast<double>(h))));
  }
  return target;
}

/// The target of any other column, judged by the Gini index; beyond `most` levels the rarest count as one
/// class.
inline CodeTarget class_target(const CodeFeature& column, std::vector<std::uint32_t> entries,
                               std::int32_t most = 40) {
  CodeTarget target{.entries = std::move(entries), .width = std::min(column.count, most)};
  std::vector<std::size_t> counts(static_cast<std::size_t>(column.count));
  for (const auto level : column.levels)
    ++counts[level];
  std::vector<std::int32_t> order(counts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return counts[static_cast<std::size_t>(a)] > counts[static_cast<std::size_t>(b)];
  });
  std::vector<std::int32_t> number(counts.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    number[static_cast<std::size_t>(order[i])] = std::min(static_cast<std::int32_t>(i), target.width - 1);
  for (const auto level : column.levels)
    target.classes.push_back(number[level]);
  return target;
}

struct CodeTreeOptions {
  std::size_t trees = 10;    ///< a column; [1, 1000]
  std::size_t min_leaf = 20; ///< rows that a leaf has at least: few are learnt by heart; [1, 1e9]
  double share = 0.632; ///< of the rows, without replacement, that part a tree; all fill its leaves; (0, 1]
  std::size_t most_rows = 200'000; ///< that part a tree, however many there are; [2, 1e9]
  std::uint64_t seed = 0;

  /// Calls `visit(name, value, range)` for each option that changes the result, but the seed.
  template <class Visit>
  void each_option(const std::string& prefix, Visit&& visit) const {
    visit(prefix + ".trees", static_cast<double>(trees), OptionRange{1, 1000});
    visit(prefix + ".min_leaf", static_cast<double>(min_leaf), OptionRange{1, 1e9});
    visit(prefix + ".share", share, OptionRange{0, 1, true});
    visit(prefix + ".most_rows", static_cast<double>(most_rows), OptionRange{2, 1e9});
  }
};

/// The trees of one column. A value type.
class CodeTrees {
public:
  struct Node {
    std::int32_t feature = -1;   ///< that parts the rows; −1: a leaf
    std::uint32_t threshold = 0; ///< levels up to it go to node `next`, others to `next + 1`
    std::uint32_t next = 0;      ///< of a leaf: its first entry
    std::uint32_t count = 0;     ///< of a leaf: its entries
    bool operator==(const Node&) const = default;
  };

  CodeTrees() = default;
  /// From parts, such as a file has. \throws ShapeError if they do not fit together
  /// \param orders  one a feature: the place of each of its levels; empty: as they are
  CodeTrees(std::vector<std::uint32_t> roots, std::vector<Node> nodes, std::vector<std::uint32_t> entries,
            std::vector<std::vector<std::uint16_t>> orders)
      : roots_(std::move(roots)), nodes_(std::move(nodes)), entries_(std::move(entries)),
        orders_(std::move(orders)) {
    const auto require = [](bool fine, const char* what) {
      if (!fine)
        throw ShapeError(std::string("CodeTrees: ") + what);
    };
    require(!roots_.empty(), "there is no tree");
    for (const auto root : roots_)
      require(root < nodes_.size(), "a root is no node");
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Node& node = nodes_[i];
      if (node.feature < 0)
        require(node.count > 0 && std::uint64_t{node.next} + node.count <= entries_.size(),
                "a leaf has no entries");
      else // children come after their parent, so that every walk ends
        require(static_cast<std::size_t>(node.feature) < orders_.size() && node.next > i &&
                    std::uint64_t{node.next} + 1 < nodes_.size(),
                "a node leads nowhere");
    }
  }

  /// \param features  of the columns before \param workers  members of a team grow trees in turns
  /// \param turn  how many trees they have grown before \throws ShapeError if rows or levels do not fit,
  /// OptionError
  static CodeTrees fit(std::span<const CodeFeature* const> features, const CodeTarget& target,
                       const CodeTreeOptions& options, Workers workers = 1, std::size_t turn = 0);

  std::size_t trees() const noexcept { return roots_.size(); }
  const std::vector<std::uint32_t>& roots() const noexcept { return roots_; }
  const std::vector<Node>& nodes() const noexcept { return nodes_; }
  const std::vector<std::uint32_t>& entries() const noexcept { return entries_; }
  const std::vector<std::vector<std::uint16_t>>& orders() const noexcept { return orders_; }

  /// The entries of the leaf that a row comes to. \param level_at  (feature) -> the row's level
  template <class LevelAt>
  std::span<const std::uint32_t> leaf(std::size_t tree, const LevelAt& level_at) const noexcept {
    const Node* node = &nodes_[roots_[tree]];
    while (node->feature >= 0) {
      const auto feature = static_cast<std::size_t>(node->feature);
      std::uint32_t level = level_at(feature);
      if (!orders_[feature].empty())
        level = orders_[feature][level];
      node = &nodes_[node->next + (level <= node->threshold ? 0U : 1U)];
    }
    return {entries_.data() + node->next, node->count};
  }

private:
  std::vector<std::uint32_t> roots_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> entries_;
  std::vector<std::vector<std::uint16_t>> orders_;
};

namespace detail {

/// Grows the trees of one column.
class CodeTreeGrower {
public:
  CodeTreeGrower(std::span<const CodeFeature* const> features, const CodeTarget& target,
                 const CodeTreeOptions& options)
      : target_(target), options_(options), width_(static_cast<std::size_t>(target.width)) {
    const auto require = [](bool fine, const char* what) {
      if (!fine)
        throw ShapeError(std::string("CodeTrees: ") + what);
    };
    const std::size_t rows = target.rows();
    require(rows > 0 && rows < std::numeric_limits<std::uint32_t>::max(),
            "between 1 and 2^32 - 2 rows are expected");
    require(target.width > 0 && (target.classes.empty() ? target.numbers.size() == rows * width_
                                                        : target.classes.size() == rows),
            "the target does not have one class, or its numbers, a row");
    reordered_.reserve(features.size()); // spans into it stay
    for (const auto* pointer : features) {
      const CodeFeature& feature = *pointer;
      require(feature.levels.size() == rows && feature.count > 0 && feature.count <= 65536,
              "a feature does not have one level a row");
      require(std::all_of(feature.levels.begin(), feature.levels.end(),
                          [&](std::uint16_t level) { return level < feature.count; }),
              "a level is not one of its feature");
      counts_.push_back(static_cast<std::size_t>(feature.count));
      orders_.push_back(feature.ordered || feature.count <= 2 ? std::vector<std::uint16_t>()
                                                              : order(feature));
      levels_.emplace_back(feature.levels);
      if (orders_.back().empty())
        continue;
      auto& reordered = reordered_.emplace_back(feature.levels);
      for (auto& level : reordered)
        level = orders_.back()[level];
      levels_.back() = reordered;
    }
  }

  struct Tree {
    std::vector<CodeTrees::Node> nodes;
    std::vector<std::uint32_t> entries;
  };
  const std::vector<std::vector<std::uint16_t>>& orders() const noexcept { return orders_; }

  Tree grow(std::uint32_t number) const {
    std::vector<std::uint32_t> rows(target_.rows());
    std::iota(rows.begin(), rows.end(), 0U);
    RandomSequence random(RandomStream(options_.seed, Purpose::forest_bootstrap, number));
    shuffle(std::span<std::uint32_t>(rows), random);
    const auto part = static_cast<std::size_t>(options_.share * static_cast<double>(rows.size()));
    rows.resize(std::clamp<std::size_t>(part, 1, options_.most_rows));
    Tree tree;
    tree.nodes.emplace_back();
    struct Job {
      std::size_t node, begin, end;
    };
    std::vector<Job> jobs{{0, 0, rows.size()}};
    Room room;
    while (!jobs.empty()) {
      const Job job = jobs.back();
      jobs.pop_back();
      const std::span<std::uint32_t> here(rows.data() + job.begin, job.end - job.begin);
      const Split split = best_split(here, room);
      if (split.feature < 0)
        continue;
      const auto& levels = levels_[static_cast<std::size_t>(split.feature)];
      const auto middle = std::stable_partition(
          here.begin(), here.end(), [&](std::uint32_t row) { return levels[row] <= split.threshold; });
      const std::size_t parting = job.begin + static_cast<std::size_t>(middle - here.begin());
      tree.nodes[job.node] = {split.feature, split.threshold, static_cast<std::uint32_t>(tree.nodes.size()),
                              0};
      jobs.push_back({tree.nodes.size(), job.begin, parting});
      jobs.push_back({tree.nodes.size() + 1, parting, job.end});
      tree.nodes.resize(tree.nodes.size() + 2);
    }
    fill(tree);
    return tree;
  }

private:
  struct Split {
    std::int32_t feature = -1;
    std::uint32_t threshold = 0;
  };
  struct Room { // buffers that nodes share
    std::vector<double> histogram, total, left;
    std::vector<std::size_t> rows_at;
    std::vector<std::pair<std::uint16_t, std::uint32_t>> sorted;
  };

  template <class Add>
  void each_number(std::uint32_t row, const Add& add) const {
    if (!target_.classes.empty())
      add(static_cast<std::size_t>(target_.classes[row]), 1.0);
    else
      for (std::size_t d = 0; d < width_; ++d)
        add(d, static_cast<double>(target_.numbers[row * width_ + d]));
  }

  /// Puts the levels of an unordered feature into the order of their mean target along the direction in which
  /// these differ most (the optimal order for two classes, Breiman et al. 1984; Coppersmith et al. 1999 for
  /// more).
  std::vector<std::uint16_t> order(const CodeFeature& feature) const {
    const auto count = static_cast<std::size_t>(feature.count);
    std::vector<double> sums(count * width_);
    std::vector<double> rows(count);
    std::vector<double> mean(width_);
    for (std::size_t row = 0; row < target_.rows(); ++row) {
      ++rows[feature.levels[row]];
      each_number(static_cast<std::uint32_t>(row), [&](std::size_t d, double x) {
        sums[feature.levels[row] * width_ + d] += x;
        mean[d] += x / static_cast<double>(target_.rows());
      });
    }
    constexpr double prior = 2; // rows of the mean: rare levels stand in the middle
    for (std::size_t k = 0; k < count; ++k)
      for (std::size_t d = 0; d < width_; ++d)
        sums[k * width_ + d] = (sums[k * width_ + d] + prior * mean[d]) / (rows[k] + prior) - mean[d];
    // The first principal component of the means, by power iteration.
    std::vector<double> direction(width_);
    for (std::size_t d = 0; d < width_; ++d)
      direction[d] = 1 + 0.01 * static_cast<double>(d);
    const auto along = [&](std::size_t k) {
      double sum = 0;
      for (std::size_t d = 0; d < width_; ++d)
        sum += sums[k * width_ + d] * direction[d];
      return sum;
    };
    for (int step = 0; step < 50; ++step) {
      std::vector<double> next(width_);
      for (std::size_t k = 0; k < count; ++k) {
        const double place = rows[k] * along(k);
        for (std::size_t d = 0; d < width_; ++d)
          next[d] += place * sums[k * width_ + d];
      }
      const double length = std::sqrt(std::inner_product(next.begin(), next.end(), next.begin(), 0.0));
      if (!(length > 0))
        break;
      for (std::size_t d = 0; d < width_; ++d)
        direction[d] = next[d] / length;
    }
    std::vector<double> place(count);
    std::vector<std::size_t> sorted(count);
    for (std::size_t k = 0; k < count; ++k) {
      place[k] = along(k);
      sorted[k] = k;
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](std::size_t a, std::size_t b) { return place[a] < place[b]; });
    std::vector<std::uint16_t> result(count);
    for (std::size_t i = 0; i < count; ++i)
      result[sorted[i]] = static_cast<std::uint16_t>(i);
    return result;
  }

  /// The split that leaves the target most alike on both sides: it maximises Σ over sides |Σ target|² / rows,
  /// which is least squares, and for classes the Gini index.
  Split best_split(std::span<const std::uint32_t> rows, Room& room) const {
    Split split;
    const std::size_t least = options_.min_leaf;
    if (rows.size() < 2 * least)
      return split;
    const auto n = static_cast<double>(rows.size());
    room.total.assign(width_, 0);
    for (const auto row : rows)
      each_number(row, [&](std::size_t d, double x) { room.total[d] += x; });
    const double whole = std::inner_product(room.total.begin(), room.total.end(), room.total.begin(), 0.0);
    double best = whole / n + 1e-7 * n;
    if (!target_.classes.empty() && best >= n)
      return split; // one class only
    for (std::size_t f = 0; f < levels_.size(); ++f) {
      const auto& levels = levels_[f];
      // Levels that occur, ascending, with their rows' sums: by a histogram, or by sorting few rows of many
      // levels.
      const auto consider = [&](std::size_t left_rows, double left, double right, std::size_t level) {
        if (left_rows < least || rows.size() - left_rows < least)
          return;
        const double gain =
            left / static_cast<double>(left_rows) + right / static_cast<double>(rows.size() - left_rows);
        if (gain > best) {
          best = gain;
          split = {static_cast<std::int32_t>(f), static_cast<std::uint32_t>(level)};
        }
      };
      room.left.assign(width_, 0);
      if (rows.size() < counts_[f] / 2) {
        room.sorted.clear();
        for (const auto row : rows)
          room.sorted.emplace_back(levels[row], row);
        std::sort(room.sorted.begin(), room.sorted.end());
        double left = 0;  // |Σ left|²
        double cross = 0; // Σ left · Σ all
        for (std::size_t i = 0; i + 1 < room.sorted.size(); ++i) {
          each_number(room.sorted[i].second, [&](std::size_t d, double x) {
            left += x * (2 * room.left[d] + x);
            cross += x * room.total[d];
            room.left[d] += x;
          });
          if (room.sorted[i].first != room.sorted[i + 1].first)
            consider(i + 1, left, whole - 2 * cross + left, room.sorted[i].first);
        }
        continue;
      }
      room.histogram.assign(counts_[f] * width_, 0);
      room.rows_at.assign(counts_[f], 0);
      for (const auto row : rows) {
        ++room.rows_at[levels[row]];
        double* to = room.histogram.data() + levels[row] * width_;
        each_number(row, [&](std::size_t d, double x) { to[d] += x; });
      }
      std::size_t left_rows = 0;
      for (std::size_t level = 0; level + 1 < counts_[f]; ++level) {
        if (room.rows_at[level] == 0)
          continue;
        left_rows += room.rows_at[level];
        double left = 0;
        double right = 0;
        for (std::size_t d = 0; d < width_; ++d) {
          room.left[d] += room.histogram[level * width_ + d];
          left += room.left[d] * room.left[d];
          const double other = room.total[d] - room.left[d];
          right += other * other;
        }
        consider(left_rows, left, right, level);
      }
    }
    return split;
  }

  /// Gives every leaf what all rows that come to it hold, in ascending order: no trace of the rows' order is
  /// left.
  void fill(Tree& tree) const {
    std::vector<std::uint32_t> leaf(target_.rows());
    for (std::size_t row = 0; row < leaf.size(); ++row) {
      std::uint32_t i = 0;
      while (tree.nodes[i].feature >= 0)
        i = tree.nodes[i].next +
            (levels_[static_cast<std::size_t>(tree.nodes[i].feature)][row] <= tree.nodes[i].threshold ? 0U
                                                                                                      : 1U);
      leaf[row] = i;
      ++tree.nodes[i].count;
    }
    std::uint32_t first = 0;
    for (auto& node : tree.nodes)
      if (node.feature < 0) {
        node.next = first;
        first += std::exchange(node.count, 0U);
      }
    tree.entries.resize(leaf.size());
    for (std::size_t row = 0; row < leaf.size(); ++row) {
      auto& node = tree.nodes[leaf[row]];
      tree.entries[node.next + node.count++] = target_.entries[row];
    }
    for (const auto& node : tree.nodes)
      if (node.feature < 0)
        std::sort(tree.entries.begin() + node.next, tree.entries.begin() + node.next + node.count);
  }

  const CodeTarget& target_;
  const CodeTreeOptions& options_;
  std::size_t width_;
  std::vector<std::span<const std::uint16_t>> levels_; // in the order of this target
  std::vector<std::vector<std::uint16_t>> reordered_;
  std::vector<std::size_t> counts_;
  std::vector<std::vector<std::uint16_t>> orders_;
};

} // namespace detail

inline CodeTrees CodeTrees::fit(std::span<const CodeFeature* const> features, const CodeTarget& target,
                                const CodeTreeOptions& options, Workers workers, std::size_t turn) {
  options.each_option("trees", check_option);
  const detail::CodeTreeGrower grower(features, target, options);
  std::vector<detail::CodeTreeGrower::Tree> trees(options.trees);
  std::vector<std::size_t> own;
  for (std::size_t t = 0; t < trees.size(); ++t)
    if (workers.owns(turn + t))
      own.push_back(t);
  parallel_for(own.size(), workers.threads,
               [&](std::size_t i) { trees[own[i]] = grower.grow(static_cast<std::uint32_t>(own[i])); });
  for (std::size_t t = 0; workers.team != nullptr && t < trees.size(); ++t) {
    workers.team->share_list(trees[t].nodes, workers.owner(turn + t));
    workers.team->share_list(trees[t].entries, workers.owner(turn + t));
  }
  std::vector<std::uint32_t> roots;
  std::vector<Node> nodes;
  std::vector<std::uint32_t> entries;
  for (auto& tree : trees) {
    const auto node_offset = static_cast<std::uint32_t>(nodes.size());
    const auto entry_offset = static_cast<std::uint32_t>(entries.size());
    if (entries.size() + tree.entries.size() > std::numeric_limits<std::uint32_t>::max())
      throw ShapeError("CodeTrees: more than 2^32 - 1 entries; fewer trees or rows are needed");
    roots.push_back(node_offset);
    for (auto node : tree.nodes) {
      node.next += node.feature < 0 ? entry_offset : node_offset;
      nodes.push_back(node);
    }
    entries.insert(entries.end(), tree.entries.begin(), tree.entries.end());
    tree = {}; // two copies of all trees would be the most memory that a training takes
  }
  return CodeTrees(std::move(roots), std::move(nodes), std::move(entries), grower.orders());
}

} // namespace forest
ROWSMITH_END
