// SPDX-License-Identifier: MIT
/// \file
/// Trained heads made of trees, and mixtures of these with autoregressive ones, as values.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/kernel/tree_heads.hpp>
#include <rowsmith/models/autoregressive_heads.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/nn/inference.hpp>

ROWSMITH_BEGIN

namespace detail {

/// A row that is to be drawn by the trees of a column.
struct TreeRow {
  Index row;
  double uniform; ///< [0, 1)
};
/// `TreeHeads::draw_column` for many rows. Some walk side by side, so that they wait for memory together.
/// \param outputs  `width` a row, of which trees read the latent code \param codes  `stretches` a row
inline void draw_tree_rows(const kernel::TreeHeads& trees, Index slot, const std::vector<TreeRow>& rows,
                           const float* outputs, Index width, std::int32_t* codes, Index stretches) {
  constexpr std::size_t lanes = 8;
  std::array<kernel::TreeHeads::Walk, lanes> walks;
  for (std::size_t first = 0; first < rows.size(); first += lanes) {
    const std::size_t count = std::min(lanes, rows.size() - first);
    const TreeRow* of = rows.data() + first;
    for (std::size_t i = 0; i < count; ++i)
      walks[i] = trees.begin(slot, of[i].uniform);
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < count; ++i)
        moved |= trees.step(slot, outputs + of[i].row * width, codes + of[i].row * stretches, walks[i].node);
    }
    for (std::size_t i = 0; i < count; ++i)
      trees.end(slot, walks[i], codes + of[i].row * stretches);
  }
}

} // namespace detail

/// Trees for every column in an order. They read the latent code itself.
struct TreeNetwork {
  std::vector<kernel::TreeColumn> columns; ///< in the order in which they are drawn
  std::vector<std::uint32_t> words;        ///< what the columns point into
  Index latent = 0;
  double smoothing = 0; ///< rows of the column's margin that are added to every leaf; ≥ 0

  /// A view of this object.
  kernel::TreeHeads view() const noexcept {
    return {columns.data(),
            static_cast<Index>(columns.size()),
            latent,
            {reinterpret_cast<const char*>(words.data())},
            smoothing};
  }
  Index reads(const TableEncoder&) const noexcept { return latent; }
  /// Does any tree ask for a number of the latent code?
  bool reads_latent() const noexcept {
    return std::any_of(columns.begin(), columns.end(), [this](const kernel::TreeColumn& column) {
      for (std::size_t i = 0; i < column.node_count; ++i)
        if (const std::uint32_t asked = words[column.nodes + 4 * i]; asked > 0 && asked <= latent)
          return true;
      return false;
    });
  }
  std::vector<std::vector<std::int32_t>> stretches(const TableEncoder&) const {
    std::vector<std::vector<std::int32_t>> result;
    for (const auto& column : columns) {
      result.push_back({static_cast<std::int32_t>(column.stretch)});
      if (column.fine_codes > 1)
        result.back().push_back(static_cast<std::int32_t>(column.stretch + 1));
    }
    return result;
  }
  template <class DrawOf>
  void draw(const kernel::Columns& all, const float* read, Index rows, const DrawOf& draw_of,
            std::int32_t* codes, InferenceScratch&) const {
    const auto trees = view();
    const auto stretches = static_cast<Index>(all.stretches);
    std::vector<detail::TreeRow> some;
    for (Index slot = 0; slot < trees.count; ++slot) {
      some.clear();
      for (Index r = 0; r < rows; ++r) {
        const kernel::Draw draw = draw_of(r);
        if (!trees.settled(slot, all, draw, read + r * latent, codes + r * stretches))
          some.push_back({r, draw.position_of_choice(columns[static_cast<std::size_t>(slot)].stretch)});
      }
      detail::draw_tree_rows(trees, slot, some, read, latent, codes, stretches);
    }
  }
  void score(const kernel::Columns& all, const float* read, Index rows, const std::int32_t* codes,
             const float* numbers, double* scores, InferenceScratch&) const {
    detail::score_each_row(view(), all, read, latent, rows, codes, numbers, scores);
  }

  /// All that the kernel relies on: nothing it reads lies outside, and every walk ends.
  void check(const TableEncoder& encoder) const {
    const auto& layout = encoder.layout();
    std::size_t served = 0;
    std::vector<bool> seen(layout.size());
    require(latent >= 1 && std::isfinite(smoothing) && smoothing >= 0,
            "a width or a smoothing that cannot be");
    for (std::size_t slot = 0; slot < columns.size(); ++slot) {
      const auto& column = columns[slot];
      require(column.stretch < layout.size() && !seen[column.stretch] && !layout[column.stretch].fine &&
                  layout[column.stretch].categorical,
              "a column that is not there, is there twice, or has no codes");
      seen[column.stretch] = true;
      const bool fine = column.stretch + 1 < layout.size() && layout[column.stretch + 1].fine;
      served += fine ? 2 : 1;
      const auto codes = static_cast<std::uint64_t>(layout[column.stretch].width);
      const std::uint64_t fine_codes =
          kernel::fine_codes_behind(layout.data(), layout.size(), column.stretch);
      // A fine code of one kind only is none to a tree's eye, and would be read as no fine code.
      require(column.fine_codes == fine_codes && (!fine || fine_codes > 1) &&
                  column.tuples == codes * fine_codes,
              "other codes than the encoding's");
      check_words(slot);
    }
    require(served == layout.size(), "a column is not served");
  }

private:
  static void require(bool fine, const char* what) {
    if (!fine)
      throw ShapeError(std::string("tree heads: ") + what);
  }
  bool inside(std::size_t first, std::uint64_t count) const noexcept {
    return first <= words.size() && count <= words.size() - first;
  }
  void check_words(std::size_t slot) const {
    const auto& column = columns[slot];
    require(column.trees > 0 && column.node_count > 0 && inside(column.levels, column.tuples) &&
                inside(column.margin, column.tuples) && inside(column.roots, column.trees) &&
                inside(column.nodes, 4 * std::uint64_t{column.node_count}) &&
                inside(column.entries, 2 * std::uint64_t{column.entry_count}) && inside(column.orders, slot),
            "a part lies outside");
    std::uint32_t before = 0;
    for (std::size_t i = 0; i < column.tuples; ++i) {
      require(words[column.levels + i] < column.level_count, "a level that is none");
      require(words[column.margin + i] >= before, "a margin that falls");
      before = words[column.margin + i];
    }
    require(before == std::numeric_limits<std::uint32_t>::max(), "a margin that does not add up to 1");
    for (std::size_t i = 0; i < slot; ++i)
      if (const std::uint32_t order = words[column.orders + i]; order > 0) {
        require(inside(order - std::size_t{1}, columns[i].level_count), "a part lies outside");
      }
    for (std::size_t i = 0; i < column.trees; ++i)
      require(words[column.roots + i] < column.node_count, "a root is no node");
    std::uint64_t next_entry = 0; // leaves follow each other, so that each entry is looked at once
    for (std::uint32_t i = 0; i < column.node_count; ++i) {
      const std::uint32_t* node = words.data() + column.nodes + 4 * std::size_t{i};
      if (node[0] > 0) { // children come after their parent, so that every walk ends
        require(node[0] - std::size_t{1} < static_cast<std::size_t>(latent) + slot && node[2] > i &&
                    std::uint64_t{node[2]} + 1 < column.node_count,
                "a node leads nowhere");
        continue;
      }
      require(node[3] > 0 && node[2] == next_entry && next_entry + node[3] <= column.entry_count,
              "a leaf has no entries of its own");
      next_entry += node[3];
      const std::uint32_t* entry = words.data() + column.entries + 2 * std::size_t{node[2]};
      for (std::size_t k = 0; k < node[3]; ++k)
        require(entry[2 * k] < column.tuples &&
                    (k == 0 ? entry[1] > 0
                            : entry[2 * k] > entry[2 * k - 2] && entry[2 * k + 1] > entry[2 * k - 1]),
                "a leaf's entries do not rise");
    }
  }
};

/// Autoregressive heads and trees: each column is drawn by its trees with a probability of its own.
struct MixedNetwork {
  AutoregressiveNetwork neural;
  TreeNetwork trees;          ///< its columns in the order of the autoregressive heads
  std::vector<double> shares; ///< of the trees, one a column of these; [0, 1)

  Index reads(const TableEncoder& encoder) const noexcept { return neural.reads(encoder); }
  std::vector<std::vector<std::int32_t>> stretches(const TableEncoder& encoder) const {
    return trees.stretches(encoder);
  }
  void check(const TableEncoder& encoder) const {
    neural.check(encoder);
    trees.check(encoder);
    const auto require = [](bool fine, const char* what) {
      if (!fine)
        throw ShapeError(std::string("mixed heads: ") + what);
    };
    require(neural.inputs == trees.latent, "trees that read another latent code");
    require(shares.size() == trees.columns.size(), "not one share for each column");
    for (const double share : shares)
      require(share >= 0 && share < 1, "a share outside [0, 1)");
    std::vector<std::int32_t> order;
    for (const auto& part : stretches(encoder))
      order.insert(order.end(), part.begin(), part.end());
    require(order == neural.order.order(), "trees and autoregressive heads have different orders");
  }
  /// The column of the trees that each position of the order belongs to.
  std::vector<std::int32_t> slots() const {
    std::vector<std::int32_t> result;
    for (std::size_t slot = 0; slot < trees.columns.size(); ++slot)
      result.insert(result.end(), trees.columns[slot].fine_codes > 1 ? 2 : 1,
                    static_cast<std::int32_t>(slot));
    return result;
  }
  /// The rules of the mixture as the kernel has them, without the network. A view of this object and `slots`.
  kernel::MixedHeads rules(const std::vector<std::int32_t>& slots) const noexcept {
    kernel::MixedHeads rules;
    rules.neural.count = static_cast<Index>(slots.size());
    rules.trees = trees.view();
    rules.shares = shares.data();
    rules.slot_of = slots.data();
    return rules;
  }
  template <class DrawOf>
  void draw(const kernel::Columns& columns, const float* read, Index rows, const DrawOf& draw_of,
            std::int32_t* codes, InferenceScratch& scratch) const {
    const auto shape = neural.shape();
    const Index count = shape.columns;
    const auto slots = this->slots();
    const auto rules = this->rules(slots);
    std::vector<std::int32_t> drawn(static_cast<std::size_t>(rows * count));
    const auto note = [&](Index r, Index q) {
      drawn[static_cast<std::size_t>(r * count + q)] =
          static_cast<std::int32_t>(shape.prefix[q]) + codes[r * count + shape.order[q]];
    };
    std::vector<detail::TreeRow> walking;
    // What trees draw needs nothing of the network: half of its work, where they draw every other column.
    neural.each_position_of_some(
        read, rows, drawn.data(), scratch,
        [&](Index q, std::vector<Index>& some) {
          const auto h = static_cast<std::size_t>(shape.order[q]);
          walking.clear();
          for (Index r = 0; r < rows; ++r) {
            const kernel::Draw draw = draw_of(r);
            const auto way = draw.restriction(h) != nullptr ? kernel::MixedHeads::Way::by_network
                                                            : rules.way(q, h, columns, draw);
            if (way == kernel::MixedHeads::Way::by_network) {
              some.push_back(r);
              continue;
            }
            if (way == kernel::MixedHeads::Way::by_trees)
              walking.push_back({r, rules.uniform_of_trees(q, draw)});
            else if (way == kernel::MixedHeads::Way::as_asked)
              codes[r * count + static_cast<Index>(h)] = draw.label;
            if (way != kernel::MixedHeads::Way::by_trees)
              note(r, q);
          }
          detail::draw_tree_rows(rules.trees, slots[static_cast<std::size_t>(q)], walking, read,
                                 neural.inputs, codes, count);
          for (const auto& one : walking)
            note(one.row, q);
        },
        [&](Index q, const std::vector<Index>& some, float* logits, Index width) {
          const auto h = static_cast<std::size_t>(shape.order[q]);
          for (const Index r : some) {
            const kernel::Draw draw = draw_of(r);
            std::int32_t* own = codes + r * count;
            if (const kernel::Restriction* of = draw.restriction(h))
              rules.choose_allowed(q, h, *of, draw, logits, width, read + r * neural.inputs, own);
            else
              own[h] = kernel::choose(logits, logits, width, draw.choice, rules.uniform(q, h, draw));
            note(r, q);
            logits += width;
          }
        });
  }
  void score(const kernel::Columns&, const float* read, Index rows, const std::int32_t* codes, const float*,
             double* scores, InferenceScratch& scratch) const {
    std::fill_n(scores, rows, 0.0);
    each_error(read, rows, codes, 1, scratch,
               [&](Index r, std::size_t, double error) { scores[r] += error; });
  }
  /// Calls `visit(row, column of the trees, −log p of its codes given those before)`.
  /// \param inverse  of the temperature of the network's softmax
  template <class Visit>
  void each_error(const float* read, Index rows, const std::int32_t* codes, float inverse,
                  InferenceScratch& scratch, const Visit& visit) const {
    const auto shape = neural.shape();
    const Index count = shape.columns;
    const auto slots = this->slots();
    const auto rules = this->rules(slots);
    const auto numbered = neural.number_through(codes, rows);
    std::vector<double> of_column(static_cast<std::size_t>(rows));
    neural.each_position(read, rows, numbered.data(), scratch, [&](Index q, float* logits, Index width) {
      for (Index r = 0; r < rows; ++r) {
        double& error = of_column[static_cast<std::size_t>(r)];
        error += kernel::cross_entropy(logits + r * width, logits + r * width, width,
                                       codes[r * count + shape.order[q]], inverse);
        if (rules.completes(q)) {
          const auto slot = slots[static_cast<std::size_t>(q)];
          visit(r, static_cast<std::size_t>(slot),
                rules.error(slot, error, read + r * neural.inputs, codes + r * count));
          error = 0;
        }
      }
    });
  }
};

ROWSMITH_END
