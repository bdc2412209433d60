// SPDX-License-Identifier: MIT
/// \file
/// Heads made of trees, and mixtures of these with autoregressive ones: a column is drawn from the leaf of a
/// tree that the latent code and the columns before lead to.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <rowsmith/kernel/autoregressive_heads.hpp>

ROWSMITH_BEGIN
namespace kernel {

/// Numbers of 32 bits in the machine's order of bytes, aligned or not.
struct Words {
  const char* bytes = nullptr;

  std::uint32_t operator[](std::size_t i) const noexcept {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes + 4 * i, sizeof word);
    return word;
  }
};

/// The first of `count` numbers from 0 on that is not below, or `count`. \param below  (number), true up to
/// one
template <class Number, class Below>
inline Number first_not(Number count, const Below& below) noexcept {
  Number low = 0;
  while (low < count) {
    const Number middle = low + (count - low) / 2;
    if (below(middle))
      low = middle + 1;
    else
      count = middle;
  }
  return low;
}

/// The trees of one column. What they hold lies in words; members say where it begins. A *tuple* is a code
/// and the fine code behind it: code · fine_codes + fine code. A *level* is a tuple as later columns' trees
/// see it: values in order, where they have one.
struct TreeColumn {
  std::size_t stretch = 0;      ///< of the layout; if the column has a fine code, that is the next one
  std::uint32_t tuples = 0;     ///< there can be
  std::uint32_t fine_codes = 1; ///< 1: there is no fine code
  std::uint32_t level_count = 0;
  std::size_t levels = 0; ///< of each tuple
  std::size_t margin = 0; ///< of each tuple: the share of those up to it, of 2^32 − 1
  std::uint32_t trees = 0;
  std::size_t roots = 0; ///< a node a tree
  std::uint32_t node_count = 0;
  /// Four words a node: 1 + the feature, 0 for a leaf; the threshold; the next node; entries. A row whose
  /// feature is at most the threshold goes to the next node, others to the one behind that. A leaf's next
  /// node is its first entry.
  std::size_t nodes = 0;
  std::uint32_t entry_count = 0;
  std::size_t entries = 0; ///< two words each: a tuple, rising in a leaf; rows of the leaf up to it
  std::size_t orders = 0;  ///< a word for each column before: 0, or 1 + where the places of its levels begin
};

/// Features are the numbers of the latent code, compared as floats, then the columns before.
struct TreeHeads {
  const TreeColumn* columns = nullptr;
  Index count = 0;
  Index latent = 0;
  Words words;
  double smoothing = 0; ///< rows of the column's margin that are added to every leaf

  template <class Weights>
  constexpr Index room() const noexcept {
    return Weights::unit;
  }
  template <class Weights>
  void draw(const Weights&, const Columns& all, const Draw& draw, const float* outputs, std::int32_t* codes,
            float*) const noexcept {
    for (Index slot = 0; slot < count; ++slot)
      if (!settled(slot, all, draw, outputs, codes))
        draw_column(slot, outputs, draw.position_of_choice(columns[slot].stretch), codes);
  }
  /// Draws what more than the trees say: a label that was asked for, or within a restriction.
  /// \returns whether the column has its codes
  bool settled(Index slot, const Columns& all, const Draw& draw, const float* outputs,
               std::int32_t* codes) const noexcept {
    const auto stretch = columns[slot].stretch;
    if (static_cast<Index>(stretch) == all.label) {
      codes[stretch] = draw.label;
      return true;
    }
    const Restriction* of = draw.restriction(stretch);
    if (of == nullptr)
      return false;
    const double mass = allowed_mass(slot, *of, outputs, codes);
    draw.weight->multiply(mass);
    draw_allowed(slot, *of, mass, outputs, draw.position_of_choice(stretch), codes);
    draw.weight->multiply(1 / static_cast<double>(of->tilt(codes[stretch])));
    return true;
  }
  template <class Weights>
  double score(const Weights&, const Columns&, const float* outputs, const std::int32_t* codes, const float*,
               float*) const noexcept {
    double error = 0;
    for (Index slot = 0; slot < count; ++slot)
      error -= std::log(probability(slot, outputs, codes));
    return error;
  }

  std::uint32_t tuple(Index slot, const std::int32_t* codes) const noexcept {
    return tuple_of(codes, columns[slot].stretch, columns[slot].fine_codes);
  }
  /// Sets the codes of a column. \param codes  those of the columns before are read
  void draw_column(Index slot, const float* outputs, double uniform, std::int32_t* codes) const noexcept {
    Walk walk = begin(slot, uniform);
    while (step(slot, outputs, codes, walk.node)) {
    }
    end(slot, walk, codes);
  }
  /// The parts of `draw_column`, for those who draw many rows side by side: a node, and the place among the
  /// rows of the leaf that it leads to.
  struct Walk {
    std::size_t node; ///< its first word
    double place;     ///< [0, 1)
  };
  Walk begin(Index slot, double uniform) const noexcept {
    const TreeColumn& column = columns[slot];
    const double scaled = uniform * static_cast<double>(column.trees);
    const std::uint32_t tree = std::min(static_cast<std::uint32_t>(scaled), column.trees - 1);
    return {root(column, tree), scaled - static_cast<double>(tree)};
  }
  /// Goes on to the next node. \returns false, and stays, at a leaf
  bool step(Index slot, const float* outputs, const std::int32_t* codes, std::size_t& node) const noexcept {
    if (words[node] == 0)
      return false;
    const TreeColumn& own = columns[slot];
    const Index feature = static_cast<Index>(words[node]) - 1;
    const std::uint32_t threshold = words[node + 1];
    const bool left = feature < latent
                          ? outputs[feature] <= std::bit_cast<float>(threshold)
                          : level(columns[feature - latent], feature - latent, own, codes) <= threshold;
    node = own.nodes + 4 * (std::size_t{words[node + 2]} + (left ? 0 : 1));
    return true;
  }
  /// Sets the codes of a column from the leaf that a walk has led to.
  void end(Index slot, const Walk& walk, std::int32_t* codes) const noexcept {
    const TreeColumn& column = columns[slot];
    set_codes(slot, tuple_at(column, leaf_at(column, walk.node), walk.place), codes);
  }
  /// The probability of what is allowed of a column, given those before.
  double allowed_mass(Index slot, const Restriction& of, const float* outputs,
                      const std::int32_t* codes) const noexcept {
    double sum = 0;
    for (std::uint32_t tree = 0; tree < columns[slot].trees; ++tree)
      sum += allowed_share(leaf(slot, tree, outputs, codes), of);
    return sum / static_cast<double>(columns[slot].trees);
  }
  /// Sets the codes of a column to some that are allowed. \param mass  of `allowed_mass`; 0: to any
  void draw_allowed(Index slot, const Restriction& of, double mass, const float* outputs, double uniform,
                    std::int32_t* codes) const noexcept {
    const TreeColumn& column = columns[slot];
    double left = uniform * mass * static_cast<double>(column.trees);
    std::uint32_t tree = 0;
    Leaf found = leaf(slot, tree, outputs, codes);
    double share = allowed_share(found, of);
    while (left >= share && tree + 1 < column.trees) {
      left -= share;
      found = leaf(slot, ++tree, outputs, codes);
      share = allowed_share(found, of);
    }
    set_codes(slot, allowed_tuple(column, found, of, left * (found.rows + smoothing)), codes);
  }
  /// Of the codes that a column has, given those before.
  double probability(Index slot, const float* outputs, const std::int32_t* codes) const noexcept {
    const TreeColumn& column = columns[slot];
    const std::uint32_t wanted = tuple(slot, codes);
    const double margin = share(column, wanted);
    double sum = 0;
    for (std::uint32_t tree = 0; tree < column.trees; ++tree) {
      const Leaf found = leaf(slot, tree, outputs, codes);
      const std::size_t entry = first_not(
          found.count, [&](std::uint32_t i) { return words[found.first + 2 * std::size_t{i}] < wanted; });
      double rows = 0;
      if (entry < found.count && words[found.first + 2 * entry] == wanted)
        rows = static_cast<double>(words[found.first + 2 * entry + 1] -
                                   (entry == 0 ? 0 : words[found.first + 2 * entry - 1]));
      sum += (rows + smoothing * margin) / (found.rows + smoothing);
    }
    return sum / static_cast<double>(column.trees);
  }

  /// A tuple's share of the column's margin.
  double share(const TreeColumn& column, std::uint32_t wanted) const noexcept {
    const std::uint32_t before = wanted == 0 ? 0 : words[column.margin + wanted - 1];
    return static_cast<double>(words[column.margin + wanted] - before) / 4294967295.0;
  }

private:
  struct Leaf {
    std::size_t first; ///< word of its first entry
    std::uint32_t count;
    double rows;
  };
  void set_codes(Index slot, std::uint32_t tuple, std::int32_t* codes) const noexcept {
    const TreeColumn& column = columns[slot];
    codes[column.stretch] = static_cast<std::int32_t>(tuple / column.fine_codes);
    if (column.fine_codes > 1)
      codes[column.stretch + 1] = static_cast<std::int32_t>(tuple % column.fine_codes);
  }
  /// Of a leaf and the smoothing's margin together.
  double allowed_share(const Leaf& leaf, const Restriction& of) const noexcept {
    double rows = 0;
    each_entry(leaf, [&](std::uint32_t tuple, double own) {
      rows += own * of.factor(tuple);
      return true;
    });
    return (rows + smoothing * of.margin) / (leaf.rows + smoothing);
  }
  /// Calls `visit(tuple, its rows)` until that says false.
  template <class Visit>
  void each_entry(const Leaf& leaf, const Visit& visit) const noexcept {
    std::uint32_t before = 0;
    for (std::uint32_t i = 0; i < leaf.count; ++i) {
      const std::uint32_t up_to = words[leaf.first + 2 * std::size_t{i} + 1];
      if (!visit(words[leaf.first + 2 * std::size_t{i}], static_cast<double>(up_to - before)))
        return;
      before = up_to;
    }
  }
  /// The allowed tuple that `point` falls to, counted in rows of the leaf, then of the smoothing's margin. Of
  /// a point that rounding put behind the last one, that.
  std::uint32_t allowed_tuple(const TreeColumn& column, const Leaf& leaf, const Restriction& of,
                              double point) const noexcept {
    std::uint32_t last = 0;
    bool reached = false;
    const auto take = [&](std::uint32_t tuple, double rows) {
      const double own = rows * of.factor(tuple);
      if (own > 0)
        last = tuple;
      reached = own > 0 && point < own;
      point -= own;
      return !reached;
    };
    each_entry(leaf, take);
    for (std::uint32_t tuple = 0; !reached && smoothing > 0 && tuple < column.tuples; ++tuple)
      take(tuple, smoothing * share(column, tuple));
    return last;
  }
  std::uint32_t level(const TreeColumn& column, Index slot, const TreeColumn& own,
                      const std::int32_t* codes) const noexcept {
    const std::uint32_t plain = words[column.levels + tuple(slot, codes)];
    const std::uint32_t order = words[own.orders + static_cast<std::size_t>(slot)];
    return order == 0 ? plain : words[order - 1 + std::size_t{plain}];
  }
  Leaf leaf(Index slot, std::uint32_t tree, const float* outputs, const std::int32_t* codes) const noexcept {
    std::size_t node = root(columns[slot], tree);
    while (step(slot, outputs, codes, node)) {
    }
    return leaf_at(columns[slot], node);
  }
  std::size_t root(const TreeColumn& column, std::uint32_t tree) const noexcept {
    return column.nodes + 4 * std::size_t{words[column.roots + tree]};
  }
  Leaf leaf_at(const TreeColumn& own, std::size_t node) const noexcept {
    const std::size_t first = own.entries + 2 * std::size_t{words[node + 2]};
    const std::uint32_t entries = words[node + 3];
    return {first, entries, static_cast<double>(words[first + 2 * std::size_t{entries} - 1])};
  }
  /// An entry of a leaf, or by the weight of the smoothing any tuple by its margin.
  std::uint32_t tuple_at(const TreeColumn& column, const Leaf& found, double place) const noexcept {
    double point = place * (found.rows + smoothing);
    // A quotient of two shares may round up to 1.
    if (point < found.rows || smoothing == 0) {
      // The first entry that holds more rows, with those before it, than the point.
      const std::size_t entry = first_not(found.count - 1, [&](std::uint32_t i) {
        return static_cast<double>(words[found.first + 2 * std::size_t{i} + 1]) <= point;
      });
      return words[found.first + 2 * entry];
    }
    point = (point - found.rows) / smoothing * 4294967295.0;
    return first_not(column.tuples - 1,
                     [&](std::uint32_t i) { return static_cast<double>(words[column.margin + i]) <= point; });
  }
};

/// Each column is drawn by its trees with a probability of its own, otherwise by the autoregressive heads.
/// Both know all columns before, whoever drew them.
struct MixedHeads {
  AutoregressiveHeads neural;
  TreeHeads trees;
  const double* shares = nullptr;        ///< of the trees, one a column of these
  const std::int32_t* slot_of = nullptr; ///< of each position of the order: its column of the trees

  template <class Weights>
  constexpr Index room() const noexcept {
    return neural.template room<Weights>();
  }
  /// How a position gets its code, where nothing is restricted.
  enum class Way {
    as_asked,   ///< the label that was asked for
    by_trees,   ///< and with it the fine code behind it
    with_first, ///< a fine code that came with the code before it
    by_network
  };
  /// \param stretch  of position q
  Way way(Index q, std::size_t stretch, const Columns& columns, const Draw& draw) const noexcept {
    if (static_cast<Index>(stretch) == columns.label)
      return Way::as_asked;
    const Index slot = slot_of[q];
    const std::size_t first = trees.columns[slot].stretch;
    if (!(draw.position_of_choice(first) < shares[slot]))
      return Way::by_network;
    return stretch == first ? Way::by_trees : Way::with_first;
  }
  /// What trees draw the column of position q with, where they do.
  double uniform_of_trees(Index q, const Draw& draw) const noexcept {
    const Index slot = slot_of[q];
    return draw.position_of_choice(trees.columns[slot].stretch) / shares[slot];
  }
  /// Draws without the network what can be. \returns whether the position has its code
  bool chosen(Index q, std::size_t stretch, const Columns& columns, const Draw& draw, const float* outputs,
              std::int32_t* codes) const noexcept {
    const Way way = this->way(q, stretch, columns, draw);
    if (way == Way::as_asked)
      codes[stretch] = draw.label;
    else if (way == Way::by_trees)
      trees.draw_column(slot_of[q], outputs, uniform_of_trees(q, draw), codes);
    return way != Way::by_network;
  }
  /// Draws within a restriction, from the trees' share of what is allowed or from the network's.
  /// \param logits  of position q
  void choose_allowed(Index q, std::size_t stretch, const Restriction& of, const Draw& draw, float* logits,
                      Index width, const float* outputs, std::int32_t* codes) const noexcept {
    if (stretch != of.stretch) {
      if (!draw.weight->by_trees)
        codes[stretch] = draw.code(logits, logits, width, stretch, codes, draw.uniform_at(stretch));
      return;
    }
    const Index slot = slot_of[q];
    const double share = shares[slot];
    const double by_trees = share > 0 ? trees.allowed_mass(slot, of, outputs, codes) : 0;
    const double uniform = draw.position_of_choice(stretch);
    const double by_network =
        sum_allowed(logits, logits, width, draw.choice.temperature, [&of](Index k) { return of.codes[k]; });
    const double mass = share * by_trees + (1 - share) * by_network;
    draw.weight->multiply(mass);
    const double of_trees = mass > 0 ? share * by_trees / mass : 0;
    draw.weight->by_trees = uniform < of_trees;
    if (draw.weight->by_trees)
      trees.draw_allowed(slot, of, by_trees, outputs, uniform / of_trees, codes);
    else
      codes[stretch] = code_at(logits, width, static_cast<float>((uniform - of_trees) / (1 - of_trees)));
    draw.weight->multiply(1 / static_cast<double>(of.tilt(codes[stretch])));
  }
  /// What the network's code at position q is drawn with, where `chosen` did not.
  float uniform(Index q, std::size_t stretch, const Draw& draw) const noexcept {
    const Index slot = slot_of[q];
    if (stretch != trees.columns[slot].stretch || shares[slot] == 0)
      return draw.uniform_at(stretch);
    return static_cast<float>((draw.position_of_choice(stretch) - shares[slot]) / (1 - shares[slot]));
  }
  /// −log of the probability of a column's codes. \param neural_error  by the network alone
  double error(Index slot, double neural_error, const float* outputs,
               const std::int32_t* codes) const noexcept {
    if (shares[slot] == 0)
      return neural_error;
    return -std::log(shares[slot] * trees.probability(slot, outputs, codes) +
                     (1 - shares[slot]) * std::exp(-neural_error));
  }
  /// Whether position q is the last one of its column.
  bool completes(Index q) const noexcept { return q + 1 == neural.count || slot_of[q + 1] != slot_of[q]; }

  template <class Weights>
  void draw(const Weights& weights, const Columns& columns, const Draw& draw, const float* outputs,
            std::int32_t* codes, float* room) const noexcept {
    AutoregressiveRow<Weights> row(neural, weights, columns, outputs, codes, room);
    for (Index q = 0; q < neural.count; ++q) {
      const auto h = neural.positions[q].stretch;
      const Restriction* of = draw.restriction(h);
      if (of != nullptr || !chosen(q, h, columns, draw, outputs, codes)) {
        row.hidden(q);
        row.gate(q);
        float* logits = row.logits(q);
        if (of != nullptr)
          choose_allowed(q, h, *of, draw, logits, neural.positions[q].codes, outputs, codes);
        else
          codes[h] = choose(logits, logits, neural.positions[q].codes, draw.choice, uniform(q, h, draw));
      }
      row.contribute(q);
    }
  }
  template <class Weights>
  double score(const Weights& weights, const Columns& columns, const float* outputs,
               const std::int32_t* codes, const float*, float* room) const noexcept {
    double total = 0;
    double of_column = 0;
    AutoregressiveRow<Weights> row(neural, weights, columns, outputs, codes, room);
    each_position(row, neural.count, [&](Index q, float* logits) {
      of_column +=
          cross_entropy(logits, logits, neural.positions[q].codes, codes[neural.positions[q].stretch]);
      if (completes(q)) {
        total += error(slot_of[q], of_column, outputs, codes);
        of_column = 0;
      }
    });
    return total;
  }
};

} // namespace kernel
ROWSMITH_END
