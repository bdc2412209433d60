// SPDX-License-Identifier: MIT
/// \file
/// A fitted guide as a value: boosted trees that say which drawn rows are drawn again.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/kernel/guide.hpp>

ROWSMITH_BEGIN

/// Says how likely a drawn row is taken. Rows come out distributed as the model's own, times the acceptance,
/// divided by the share of rows that are accepted.
struct RowGuide {
  std::vector<kernel::GuideColumn> columns;
  std::vector<std::uint32_t> words; ///< what the columns and trees point into
  std::uint32_t trees = 0;
  std::uint32_t node_count = 0;
  std::size_t roots = 0;
  std::size_t nodes = 0;
  double largest_odds = 1;      ///< ≥ 1
  std::uint32_t tries = 64;     ///< candidates for a row at most; ≥ 1
  std::vector<double> accepted; ///< share of the candidates, by label of a conditional model; (0, 1]

  /// Where the rows begin that a guide learns from: rows that nobody samples, as its trees know them too well
  /// to judge them. Words of random bits are counted in 64 bits, some to many a row, so that much further out
  /// they would be those of the first rows again.
  static constexpr std::uint64_t first_row = std::uint64_t{1} << 44U;

  bool empty() const noexcept { return columns.empty(); }
  /// A view of this object; an empty one takes every row.
  kernel::Guide view() const noexcept {
    return {
        columns.data(),     {reinterpret_cast<const char*>(words.data())}, trees, roots, nodes, largest_odds,
        empty() ? 1 : tries};
  }
  /// About how many candidates a row takes. \param label_shares  of a conditional model
  double candidates_a_row(const std::vector<double>& label_shares = {}) const {
    double candidates = 0;
    for (std::size_t k = 0; k < accepted.size(); ++k)
      candidates += (label_shares.empty() ? 1 / static_cast<double>(accepted.size()) : label_shares[k]) *
                    (1 - std::pow(1 - accepted[k], tries)) / accepted[k];
    return empty() ? 1 : candidates;
  }

  /// How much more often than the model's heads draw it a row of `codes` becomes one of a sample: it is taken
  /// as this or that candidate, or as the last one, which always is. \param label  of a conditional model,
  /// else 0
  double factor(const std::int32_t* codes, std::size_t label) const noexcept {
    if (empty())
      return 1;
    const double refused = std::pow(1 - accepted[label], tries - 1.0); // all but the last
    return view().acceptance(codes) * (1 - refused) / accepted[label] + refused;
  }

  /// All that the kernel relies on: nothing it reads lies outside, and every walk ends. \param labels  of the
  /// model \throws ShapeError
  void check(const TableEncoder& encoder, std::size_t labels) const {
    if (empty())
      return;
    const auto& layout = encoder.layout();
    const auto inside = [this](std::size_t first, std::uint64_t count) {
      return first <= words.size() && count <= words.size() - first;
    };
    require(encoder.number_columns() == 0, "columns that are numbers, not codes");
    require(tries >= 1 && largest_odds >= 1 && std::isfinite(largest_odds), "odds or tries that cannot be");
    require(accepted.size() == std::max<std::size_t>(labels, 1) &&
                std::all_of(accepted.begin(), accepted.end(), [](double a) { return a > 0 && a <= 1; }),
            "a share accepted outside (0, 1]");
    for (const auto& column : columns) {
      require(column.stretch < layout.size() && !layout[column.stretch].fine, "a column that is not there");
      const auto codes = static_cast<std::uint64_t>(layout[column.stretch].width);
      require(column.fine_codes == kernel::fine_codes_behind(layout.data(), layout.size(), column.stretch) &&
                  column.tuples == codes * column.fine_codes && inside(column.levels, column.tuples),
              "other codes than the encoding's");
    }
    require(trees > 0 && node_count > 0 && inside(roots, trees) &&
                inside(nodes, 3 * std::uint64_t{node_count}),
            "a part lies outside");
    for (std::size_t i = 0; i < trees; ++i)
      require(words[roots + i] < node_count, "a root is no node");
    for (std::uint32_t i = 0; i < node_count; ++i) {
      const std::uint32_t* node = words.data() + nodes + 3 * std::size_t{i};
      if (node[0] == 0)
        require(std::isfinite(std::bit_cast<float>(node[1])), "a leaf whose value is no number");
      else // children come after their parent, so that every walk ends
        require(node[0] - std::size_t{1} < columns.size() && node[2] > i &&
                    std::uint64_t{node[2]} + 1 < node_count,
                "a node leads nowhere");
    }
  }

private:
  static void require(bool fine, const char* what) {
    if (!fine)
      throw ShapeError(std::string("guide: ") + what);
  }
};

ROWSMITH_END
