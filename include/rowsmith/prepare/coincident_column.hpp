// SPDX-License-Identifier: MIT
/// \file
/// Numerical columns that often, but not always, hold the very number of another.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <rowsmith/prepare/transform.hpp>

ROWSMITH_BEGIN

/// A numerical column that in many training rows equals another, such as a payment of a whole bill. The model
/// learns whether it does (1 or 0), and the column's own number only where it does not: codes and bins have
/// no word for "the same".
struct CoincidentColumn {
  static constexpr std::string_view kind = "coincident";

  std::size_t column = 0; ///< its slot
  std::size_t other = 0;  ///< the slot of the column that it often equals
  bool whole = true;      ///< it is never missing
  int decimals = -1;      ///< as `Column::decimals`

  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("column", self.column);
    visit("other", self.other);
    visit("whole", self.whole);
    visit("decimals", self.decimals);
  }

  static std::vector<CoincidentColumn> fit(const PreparedColumns& train, const PreparationOptions& options) {
    std::vector<CoincidentColumn> found;
    if (!options.coincidences)
      return found;
    std::vector<Values> values;
    for (const std::size_t slot : train.live)
      if (train.slots[slot]->kind == ColumnKind::numerical)
        values.push_back(values_of(slot, *train.slots[slot]));
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
        found.push_back({.column = column,
                         .other = other,
                         .whole = train.slots[column]->missing_count() == 0,
                         .decimals = train.slots[column]->decimals});
    // A column is read before it is taken itself.
    std::sort(found.begin(), found.end(), [](const auto& x, const auto& y) { return x.column > y.column; });
    return found;
  }

  std::vector<std::size_t> takes() const { return {column}; }
  std::vector<std::size_t> reads() const { return {other}; }
  std::vector<ColumnSchema> makes(const std::vector<ColumnSchema>& schema) const {
    if (other >= schema.size() || column >= schema.size() || other == column || decimals < -1 ||
        schema[column].kind != ColumnKind::numerical || schema[other].kind != ColumnKind::numerical)
      throw SchemaError("prepare: what column " + std::to_string(column + 1) + " often equals is impossible");
    std::string name = "'" + schema[column].name + "' = '" + schema[other].name + "'";
    while (std::any_of(schema.begin(), schema.end(),
                       [&name](const ColumnSchema& one) { return one.name == name; }))
      name += "'";
    return {{name, ColumnKind::numerical}, schema[column]};
  }
  std::string text(const std::vector<ColumnSchema>& schema) const {
    return "'" + schema[column].name + "' = '" + schema[other].name + "' in some rows";
  }
  std::vector<Column> forward(SlotColumns slots, const Refusals&) const {
    auto flag = Column::numerical({}, {}, 0);
    auto rest = *slots[column];
    flag.values.reserve(rest.rows());
    for (std::size_t row = 0; row < rest.rows(); ++row) {
      const bool same = rest.values[row] == slots[other]->values[row];
      flag.values.push_back(same ? 1 : 0);
      rest.values[row] = same ? std::numeric_limits<double>::quiet_NaN() : rest.values[row];
    }
    return {std::move(flag), std::move(rest)};
  }
  std::vector<Column> backward(SlotColumns slots, std::size_t made, std::size_t rows) const {
    auto result = *slots[made + 1];
    result.decimals = decimals;
    for (std::size_t row = 0; row < rows; ++row)
      result.values[row] = value(slots[made]->values[row], result.values[row], slots[other]->values[row]);
    return {std::move(result)};
  }
  bool forward(RowCells cells, std::size_t made) const noexcept {
    const bool same = cells.numbers[column] == cells.numbers[other];
    cells.numbers[made] = same ? 1 : 0;
    cells.numbers[made + 1] = same ? std::numeric_limits<double>::quiet_NaN() : cells.numbers[column];
    return true;
  }
  void backward(RowCells cells, std::size_t made) const noexcept {
    cells.numbers[column] = value(cells.numbers[made], cells.numbers[made + 1], cells.numbers[other]);
  }

private:
  struct Values {
    std::size_t slot;
    const Column* column;
    std::vector<bool> rare; ///< by row: a number that few rows have
  };
  /// The number: the other's if it is said to be, or if the model forgot to draw one of the column's own.
  double value(double flag, double own, double others) const noexcept {
    return flag > 0.5 || (whole && std::isnan(own)) ? others : own;
  }
  static Values values_of(std::size_t slot, const Column& column) {
    Values result{slot, &column, std::vector<bool>(column.rows())};
    std::vector<double> sorted;
    for (const double value : column.values)
      if (!std::isnan(value))
        sorted.push_back(value);
    std::sort(sorted.begin(), sorted.end());
    // A value of many rows has a code of its own, by which others can follow it.
    const std::size_t most = std::max<std::size_t>(column.rows() / 256, 2);
    for (std::size_t row = 0; row < column.rows(); ++row)
      if (!std::isnan(column.values[row])) {
        const auto [first, end] = std::equal_range(sorted.begin(), sorted.end(), column.values[row]);
        result.rare[row] = static_cast<std::size_t>(end - first) <= most;
      }
    return result;
  }
  /// In how many rows two columns have the same rare number, if those are many, and many more than have
  /// neighbouring ones: otherwise the columns are merely close, which bins can say. 0 if not.
  static std::size_t telling(const Values& a, const Values& b) {
    const auto& x = a.column->values;
    const auto& y = b.column->values;
    if (a.column->decimals != b.column->decimals)
      return 0;
    const std::size_t rows = x.size();
    const std::size_t glances = std::min<std::size_t>(rows, 512);
    const auto same = [&](std::size_t row) { return x[row] == y[row] && a.rare[row] && b.rare[row]; };
    std::size_t seen = 0;
    for (std::size_t i = 0; i < glances; ++i)
      seen += same(i * rows / glances) ? 1U : 0U;
    if (seen == 0)
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
