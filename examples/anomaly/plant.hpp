// SPDX-License-Identifier: MIT
// Plants anomalies of four kinds into copies of real rows. What is odd is told by the training rows alone,
// never by a model.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/table/table.hpp>

namespace anomaly {

namespace rs = rowsmith;

enum class Kind { out_of_range, broken_dependency, rare_combination, contextual };
inline constexpr std::array kinds{Kind::out_of_range, Kind::broken_dependency, Kind::rare_combination,
                                  Kind::contextual};
inline std::string name_of(Kind kind) {
  switch (kind) {
  case Kind::out_of_range:
    return "out of range";
  case Kind::broken_dependency:
    return "broken dependency";
  case Kind::rare_combination:
    return "rare combination";
  default:
    return "contextual";
  }
}

class Planter {
public:
  explicit Planter(const rs::Table& train) : train_(&train) {
    for (std::size_t c = 0; c < train.size(); ++c) {
      sorted_.push_back(sorted_numbers(train[c]));
      levels_.push_back(levels_of(train[c], sorted_.back()));
      if (!sorted_.back().empty() && sorted_.back().front() < sorted_.back().back())
        numerical_.push_back(c);
    }
  }

  // Some rows, drawn at random and made odd in one way each; nothing if the table has no place for the kind.
  std::optional<rs::Table> plant(Kind kind, const rs::Table& rows, std::size_t count,
                                 std::uint64_t seed) const {
    rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, static_cast<std::uint32_t>(kind)));
    std::vector<std::size_t> chosen;
    std::vector<std::size_t> all(rows.rows());
    std::iota(all.begin(), all.end(), std::size_t{0});
    rs::shuffle(std::span<std::size_t>(all), random);
    auto columns = rows.select(all).columns(); // the same dictionaries
    for (std::size_t row = 0; row < all.size() && chosen.size() < count; ++row)
      if (change(kind, rows, columns, row, random))
        chosen.push_back(row);
    if (chosen.empty())
      return std::nullopt;
    return rs::Table(std::move(columns), rows.schema().label()).select(chosen);
  }

private:
  // A category, or a part of a column's numbers: one of few values, or a fifth of them.
  static constexpr std::size_t few = 10;
  static std::vector<double> sorted_numbers(const rs::Column& column) {
    std::vector<double> values;
    for (const double value : column.values)
      if (!std::isnan(value))
        values.push_back(value);
    std::sort(values.begin(), values.end());
    return values;
  }
  // Upper ends of parts; empty for categories.
  static std::vector<double> levels_of(const rs::Column& column, const std::vector<double>& sorted) {
    if (column.kind == rs::ColumnKind::categorical)
      return {};
    std::vector<double> ends = sorted;
    ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
    if (ends.size() <= few)
      return ends;
    ends.clear();
    for (std::size_t part = 1; part <= 5; ++part)
      if (const double end = sorted[part * sorted.size() / 5 - 1]; ends.empty() || end > ends.back())
        ends.push_back(end);
    return ends;
  }
  // −1: missing or unknown to the training rows.
  std::int32_t level(const rs::Column& column, std::size_t c, std::size_t row) const {
    if (column.is_missing(row))
      return -1;
    if (column.kind == rs::ColumnKind::categorical)
      return (*train_)[c].dictionary.find(column.dictionary.text(column.codes[row]));
    const auto& ends = levels_[c];
    const auto at = std::lower_bound(ends.begin(), ends.end(), column.values[row]);
    return static_cast<std::int32_t>(
        std::min<std::ptrdiff_t>(at - ends.begin(), static_cast<std::ptrdiff_t>(ends.size()) - 1));
  }
  // The training rows by level of a column.
  const std::vector<std::vector<std::uint32_t>>& rows_by_level(std::size_t c) const {
    auto& rows = by_level_[c];
    if (rows.empty()) {
      const auto& column = (*train_)[c];
      rows.resize(std::max<std::size_t>(
          column.kind == rs::ColumnKind::categorical ? column.dictionary.size() : levels_[c].size(), 1));
      for (std::uint32_t row = 0; row < train_->rows(); ++row)
        if (const auto at = level(column, c, row); at >= 0)
          rows[static_cast<std::size_t>(at)].push_back(row);
    }
    return rows;
  }

  template <class T>
  static const T& one_of(const std::vector<T>& things, rs::RandomSequence& random) {
    return things[random.below(static_cast<std::uint32_t>(things.size()))];
  }
  static double rounded(const rs::Column& column, double value) {
    const double unit = column.decimals >= 0 ? std::pow(10.0, column.decimals) : 0;
    return unit > 0 ? std::round(value * unit) / unit : value;
  }
  void set(rs::Column& to, std::size_t row, const rs::Column& from, std::size_t from_row) const {
    if (to.kind == rs::ColumnKind::numerical)
      to.values[row] = from.values[from_row];
    else
      to.codes[row] = from.is_missing(from_row)
                          ? rs::missing_code
                          : to.dictionary.insert(from.dictionary.text(from.codes[from_row]));
  }

  bool change(Kind kind, const rs::Table& rows, std::vector<rs::Column>& columns, std::size_t row,
              rs::RandomSequence& random) const {
    switch (kind) {
    case Kind::out_of_range:
      return out_of_range(columns, row, random);
    case Kind::broken_dependency:
      return broken_dependency(rows, columns, row, random);
    case Kind::rare_combination:
      return rare_combination(columns, row, random);
    default:
      return contextual(columns, row, random);
    }
  }

  // One number is outside the training rows' range by a twentieth to a half of it.
  bool out_of_range(std::vector<rs::Column>& columns, std::size_t row, rs::RandomSequence& random) const {
    if (numerical_.empty())
      return false;
    const std::size_t c = one_of(numerical_, random);
    const double low = sorted_[c].front();
    const double high = sorted_[c].back();
    const double by = (0.05 + 0.45 * random.uniform()) * (high - low);
    const double value = rounded((*train_)[c], random.below(2) == 0 ? low - by : high + by);
    if (value >= low && value <= high)
      return false;
    columns[c].values[row] = value;
    return true;
  }

  // Half of the columns are another row's.
  bool broken_dependency(const rs::Table& rows, std::vector<rs::Column>& columns, std::size_t row,
                         rs::RandomSequence& random) const {
    std::vector<std::size_t> order(columns.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    rs::shuffle(std::span<std::size_t>(order), random);
    const auto other = random.below(static_cast<std::uint32_t>(rows.rows()));
    for (std::size_t i = 0; i < order.size() / 2; ++i)
      set(columns[order[i]], row, rows[order[i]], other);
    return true;
  }

  // Two cells, each of which 2 % of the training rows or more have, that occur together in some of them, but
  // a tenth as often as if they were independent, or less.
  bool rare_combination(std::vector<rs::Column>& columns, std::size_t row, rs::RandomSequence& random) const {
    const auto n = static_cast<double>(train_->rows());
    for (int attempt = 0; attempt < 20; ++attempt) {
      const auto [a, b] = two_columns(columns.size(), random);
      const auto at = level(columns[a], a, row);
      if (at < 0 || static_cast<std::size_t>(at) >= rows_by_level(a).size())
        continue;
      const auto& with_a = rows_by_level(a)[static_cast<std::size_t>(at)];
      const auto& levels = rows_by_level(b);
      std::vector<std::size_t> both(levels.size());
      for (const auto r : with_a)
        if (const auto l = level((*train_)[b], b, r); l >= 0)
          ++both[static_cast<std::size_t>(l)];
      std::vector<std::size_t> rare;
      for (std::size_t l = 0; l < levels.size(); ++l) {
        const double expected =
            static_cast<double>(with_a.size()) * static_cast<double>(levels[l].size()) / n;
        if (static_cast<double>(std::min(with_a.size(), levels[l].size())) >= 0.02 * n && both[l] >= 1 &&
            static_cast<double>(both[l]) <= 0.1 * expected)
          rare.push_back(l);
      }
      if (rare.empty())
        continue;
      set(columns[b], row, (*train_)[b], one_of(levels[one_of(rare, random)], random));
      return true;
    }
    return false;
  }

  // A number that is usual (from the 5th to the 95th percentile of all training rows), but not for rows with
  // the row's cell in another column: below the 1st or above the 99th percentile of those.
  bool contextual(std::vector<rs::Column>& columns, std::size_t row, rs::RandomSequence& random) const {
    for (int attempt = 0; attempt < 20 && !numerical_.empty(); ++attempt) {
      const std::size_t c = one_of(numerical_, random);
      const std::size_t other = random.below(static_cast<std::uint32_t>(columns.size()));
      const auto at = other == c ? -1 : level(columns[other], other, row);
      if (at < 0 || static_cast<std::size_t>(at) >= rows_by_level(other).size())
        continue;
      std::vector<double> here;
      for (const auto r : rows_by_level(other)[static_cast<std::size_t>(at)])
        if (const double value = (*train_)[c].values[r]; !std::isnan(value))
          here.push_back(value);
      if (here.size() < 100)
        continue;
      std::sort(here.begin(), here.end());
      const auto& all = sorted_[c];
      const double low = here[here.size() / 100];
      const double high = here[here.size() - 1 - here.size() / 100];
      std::vector<double> strange;
      for (std::size_t i = all.size() / 20; i < all.size() - all.size() / 20; ++i)
        if (all[i] < low || all[i] > high)
          strange.push_back(all[i]);
      if (strange.empty())
        continue;
      columns[c].values[row] = one_of(strange, random);
      return true;
    }
    return false;
  }
  static std::pair<std::size_t, std::size_t> two_columns(std::size_t columns, rs::RandomSequence& random) {
    const std::size_t a = random.below(static_cast<std::uint32_t>(columns));
    const std::size_t b = random.below(static_cast<std::uint32_t>(columns));
    return {a, a == b ? (b + 1) % columns : b};
  }

  const rs::Table* train_;
  std::vector<std::vector<double>> sorted_; // by column; of categories none
  std::vector<std::vector<double>> levels_; // by column
  std::vector<std::size_t> numerical_;      // columns whose numbers differ
  mutable std::map<std::size_t, std::vector<std::vector<std::uint32_t>>> by_level_; // made when asked for
};

} // namespace anomaly
