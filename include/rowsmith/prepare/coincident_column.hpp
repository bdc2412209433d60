// SPDX-License-Identifier: MIT
/// \file
/// Numerical columns that often, but not always, hold the very number of another.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <rowsmith/prepare/transform.hpp>

ROWSMITH_BEGIN

/// A numerical column that in many training rows equals another, such as a payment of a whole bill. The model
/// learns beside the column whether it does (1 or 0): codes and bins have no word for "the same". Where a
/// generated row says that it does, the column becomes the other's number, to the last digit.
struct CoincidentColumn {
  static constexpr std::string_view kind = "coincident";

  std::size_t column = 0; ///< its slot
  std::size_t other = 0;  ///< the slot of the column that it often equals

  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("column", self.column);
    visit("other", self.other);
  }

  static std::vector<CoincidentColumn> fit(const PreparedColumns& train, const PreparationOptions& options) {
    std::vector<CoincidentColumn> found;
    if (!options.coincidences)
      return found;
    std::vector<Values> values;
    for (const std::size_t slot : train.live)
      if (train.slots[slot]->kind == ColumnKind::numerical)
        values.push_back({slot, train.slots[slot]});
    std::vector<std::tuple<std::size_t, std::size_t, std::size_t>> pairs; // equal rows, column, other
    for (std::size_t a = 0; a < values.size(); ++a)
      for (std::size_t b = 0; b < a; ++b)
        if (const std::size_t equal = telling(values[a], values[b]); equal > 0)
          pairs.emplace_back(equal, values[a].slot, values[b].slot); // the later one, given the earlier one
    std::sort(pairs.begin(), pairs.end(), [](const auto& x, const auto& y) {
      return std::get<0>(x) != std::get<0>(y)
                 ? std::get<0>(x) > std::get<0>(y)
                 : std::tuple(std::get<1>(x), std::get<2>(x)) < std::tuple(std::get<1>(y), std::get<2>(y));
    });
    for (const auto& [equal, column, other] : pairs)
      if (std::none_of(found.begin(), found.end(),
                       [column = column](const auto& one) { return one.column == column; }))
        found.push_back({.column = column, .other = other});
    // A column is mended before others are by it.
    std::sort(found.begin(), found.end(), [](const auto& x, const auto& y) { return x.column > y.column; });
    return found;
  }

  std::vector<std::size_t> takes() const { return {}; }
  std::vector<std::size_t> reads() const { return {other}; }
  std::vector<std::size_t> mends() const { return {column}; }
  std::vector<ColumnSchema> makes(const std::vector<ColumnSchema>& schema) const {
    if (other >= schema.size() || column >= schema.size() || other == column ||
        schema[column].kind != ColumnKind::numerical || schema[other].kind != ColumnKind::numerical)
      throw SchemaError("prepare: what column " + std::to_string(column + 1) + " often equals is impossible");
    return {detail::made_column("'" + schema[column].name + "' = '" + schema[other].name + "'", schema)};
  }
  std::string text(const std::vector<ColumnSchema>& schema) const {
    return "'" + schema[column].name + "' = '" + schema[other].name + "' in some rows";
  }
  std::vector<Column> forward(SlotColumns slots, const Refusals&) const {
    auto flag = Column::numerical({}, {}, 0);
    const auto& values = slots[column]->values;
    flag.values.reserve(values.size());
    for (std::size_t row = 0; row < values.size(); ++row)
      flag.values.push_back(values[row] == slots[other]->values[row] ? 1 : 0);
    return {std::move(flag)};
  }
  std::vector<Column> backward(SlotColumns slots, std::size_t made, std::size_t rows) const {
    auto result = *slots[column];
    for (std::size_t row = 0; row < rows; ++row)
      result.values[row] = value(slots[made]->values[row], result.values[row], slots[other]->values[row]);
    return {std::move(result)};
  }
  bool forward(RowCells cells, std::size_t made) const noexcept {
    cells.numbers[made] = cells.numbers[column] == cells.numbers[other] ? 1 : 0;
    return true;
  }
  void backward(RowCells cells, std::size_t made) const noexcept {
    cells.numbers[column] = value(cells.numbers[made], cells.numbers[column], cells.numbers[other]);
  }

  /// Where the column is fixed, the other is not, and both are said to be the same: puts the other.
  bool settle(RowCells cells, std::size_t made, std::vector<bool>& fixed,
              std::span<const int>) const noexcept {
    if (!fixed[column] || fixed[other] || !(cells.numbers[made] > 0.5) || std::isnan(cells.numbers[column]))
      return false;
    cells.numbers[other] = cells.numbers[column];
    fixed[other] = true;
    return true;
  }

private:
  struct Values {
    std::size_t slot;
    const Column* column;
    std::optional<std::vector<double>> frequent{}; ///< once it was asked for
  };
  /// The other's number if it is said to be, and there is one.
  static double value(double flag, double own, double others) noexcept {
    return flag > 0.5 && !std::isnan(own) && !std::isnan(others) ? others : own;
  }
  /// Numbers that many rows have, which have a code of their own, by which others can follow them; ascending.
  static const std::vector<double>& frequent(Values& values) {
    if (values.frequent)
      return *values.frequent;
    std::vector<double> sorted;
    for (const double value : values.column->values)
      if (!std::isnan(value))
        sorted.push_back(value);
    std::sort(sorted.begin(), sorted.end());
    const std::size_t most = std::max<std::size_t>(values.column->rows() / 256, 2);
    values.frequent.emplace();
    for (std::size_t first = 0, end = 0; first < sorted.size(); first = end) {
      while (end < sorted.size() && sorted[end] == sorted[first])
        ++end;
      if (end - first > most)
        values.frequent->push_back(sorted[first]);
    }
    return *values.frequent;
  }
  /// In how many rows two columns have the same rare number, if those are many, and many more than have
  /// neighbouring ones: otherwise the columns are merely close, which bins can say. 0 if not.
  static std::size_t telling(Values& a, Values& b) {
    const auto& x = a.column->values;
    const auto& y = b.column->values;
    if (a.column->decimals != b.column->decimals)
      return 0;
    const std::size_t rows = x.size();
    const std::size_t glances = std::min<std::size_t>(rows, 512);
    const auto glance = [&](const auto& same) {
      for (std::size_t i = 0; i < glances; ++i)
        if (same(i * rows / glances))
          return true;
      return false;
    };
    if (!glance([&](std::size_t row) { return x[row] == y[row]; })) // most pairs, before anything is sorted
      return 0;
    const auto& often_x = frequent(a);
    const auto& often_y = frequent(b);
    const auto same = [&](std::size_t row) {
      return x[row] == y[row] && !std::binary_search(often_x.begin(), often_x.end(), x[row]) &&
             !std::binary_search(often_y.begin(), often_y.end(), x[row]);
    };
    if (!glance(same))
      return 0;
    std::size_t equal = 0;
    std::size_t near = 0; // one unit apart, on either side
    const double unit = a.column->decimals < 0 ? 0 : std::pow(10.0, -a.column->decimals);
    for (std::size_t row = 0; row < rows; ++row) {
      equal += same(row) ? 1U : 0U;
      const double apart = std::abs(x[row] - y[row]);
      near += unit > 0 && apart > 0.5 * unit && apart < 1.5 * unit ? 1U : 0U;
    }
    return equal >= std::max<std::size_t>(20, rows / 100) && equal >= 2 * near ? equal : 0;
  }
};

ROWSMITH_END
