// SPDX-License-Identifier: MIT
/// \file
/// The codes of one private column, learnt from noisy counts alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/encoding/column_codec.hpp>
#include <rowsmith/encoding/fit_codec.hpp>
#include <rowsmith/privacy/noisy_counts.hpp>
#include <rowsmith/privacy/options.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN
namespace detail {

/// What one column's codes are learnt from.
class PrivateColumn {
public:
  /// \param rows  in the table, about: a noisy count
  PrivateColumn(const Column& column, const ColumnDomain* domain, const PrivacyOptions& options,
                NoisyCounts& counts, double rows)
      : column_(&column), domain_(domain), options_(&options), counts_(&counts), rows_(rows) {}

  /// Histograms that `codec` takes: known before any row is seen.
  static std::size_t looks(const Column& column, const ColumnDomain* domain) {
    if (column.kind == ColumnKind::categorical)
      return 1;
    const bool range = domain != nullptr && domain->minimum && domain->maximum;
    return (range ? 0U : 1U) + (domain != nullptr && domain->decimals ? 0U : 1U) + rounds;
  }
  /// Whether names of categories are told where their counts are high.
  static bool tells_names(const Column& column, const ColumnDomain* domain) {
    return column.kind == ColumnKind::categorical && (domain == nullptr || domain->categories.empty());
  }

  /// \param threshold_delta  with that probability a category of one row is told \param other_text  for those
  /// that are not
  ColumnCodec codec(double threshold_delta, const std::string& other_text) {
    ColumnCodec result;
    result.name = column_->name;
    if (column_->kind == ColumnKind::categorical)
      categorical(result, threshold_delta, other_text);
    else
      numerical(result);
    return result;
  }

private:
  static constexpr std::size_t rounds = 3;
  static constexpr std::size_t first_cells = 64;
  static constexpr std::size_t parts_of_a_cell = 32;
  static constexpr int least_magnitude = -128; ///< of a number, as a power of two; smaller ones count as it
  /// So many deviations of the noise, and a count is no chance.
  static constexpr double clear = 4;

  struct Cell {
    double low, high; ///< [low, high)
    double count = 0;
    bool zero = false; ///< of zero alone
  };

  void categorical(ColumnCodec& codec, double threshold_delta, const std::string& other_text) {
    const auto& texts = column_->dictionary.texts();
    const bool told = tells_names(*column_, domain_);
    std::vector<std::size_t> cell_of(texts.size());
    std::vector<std::string> names;
    if (told)
      names = texts;
    else
      names = domain_->categories;
    std::sort(names.begin(), names.end());
    if (std::adjacent_find(names.begin(), names.end()) != names.end())
      throw OptionError("privacy.domains: column '" + column_->name + "' has a category twice");
    for (std::size_t code = 0; code < texts.size(); ++code) {
      const auto at = std::lower_bound(names.begin(), names.end(), texts[code]);
      cell_of[code] = at != names.end() && *at == texts[code] ? static_cast<std::size_t>(at - names.begin())
                                                              : names.size();
    }
    // The last cell is missing.
    const auto count = counts_->histogram(column_->codes.size(), names.size() + 1, [&](std::size_t row) {
      const auto code = column_->codes[row];
      const std::size_t cell =
          code == missing_code ? names.size() + 1 : cell_of[static_cast<std::size_t>(code)];
      return cell == names.size() + 1 ? names.size() : cell == names.size() ? names.size() + 1 : cell;
    });
    const double threshold =
        told ? 1 + std::ceil(counts_->sigma() * -normal_quantile(threshold_delta)) // counts are whole
             : -std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < names.size(); ++k)
      if (!told || count[k] > threshold)
        codec.categories.push_back(names[k]);
    codec.has_missing = count.back() > clear * counts_->sigma();
    codec.has_other = true;
    codec.other_text = other_text;
    while (std::binary_search(codec.categories.begin(), codec.categories.end(), codec.other_text))
      codec.other_text += '_';
  }

  void numerical(ColumnCodec& codec) {
    codec.kind = ColumnCodec::Kind::binned;
    const int decimals = domain_ != nullptr && domain_->decimals ? *domain_->decimals : learn_decimals();
    const double unit = decimals < 0 ? 0 : std::pow(10.0, -decimals);
    auto [low, high] = range();
    codec.decimals = decimals;
    if (unit > 0) {
      low = (std::floor(low / unit + 1e-9) - 0.5) * unit; // edges lie midway between numbers there can be
      high = (std::ceil(high / unit - 1e-9) + 0.5) * unit;
    }
    if (!(low < high))
      high = low + std::max(1.0, std::abs(low));
    // What many columns have most of has a cell of its own from the start.
    constexpr double all = std::numeric_limits<double>::infinity();
    const double half = unit > 0 ? unit / 2 : std::ldexp(1.0, least_magnitude);
    std::vector<Cell> cells;
    if (low < half && high > -half) {
      if (low < -1.5 * half)
        cells.push_back({low, -half, all});
      cells.push_back({-half, half, all, true});
      if (high > 1.5 * half)
        cells.push_back({half, high, all});
    } else {
      cells.push_back({low, high, all});
    }
    double missing = 0;
    const double heavy =
        std::max(clear * counts_->sigma(), rows_ / (2 * static_cast<double>(options_->bins)));
    for (std::size_t round = 0; round < rounds; ++round) {
      cells = split(cells, heavy, round == 0 ? first_cells : parts_of_a_cell, unit);
      const auto counted = count(cells);
      missing = counted.back();
      for (std::size_t i = 0; i < cells.size(); ++i)
        cells[i].count = counted[i];
    }
    codec.has_missing = missing > clear * counts_->sigma();
    trim(cells);
    merge(codec, cells, unit);
  }

  /// Digits after the point that all but a few rows need.
  int learn_decimals() {
    constexpr int most = 6;
    const auto count =
        counts_->histogram(column_->values.size(), most + 2, [&](std::size_t row) -> std::size_t {
          const double value = column_->values[row];
          if (std::isnan(value) || std::isinf(value))
            return most + 2;
          for (int decimals = 0; decimals <= most; ++decimals)
            if (has_decimals(value, decimals))
              return static_cast<std::size_t>(decimals);
          return most + 1;
        });
    const double noise = counts_->sigma() * std::sqrt(static_cast<double>(count.size())); // of a sum of them
    const double few = std::max(clear * noise, 0.01 * rows_);
    double rest = std::accumulate(count.begin(), count.end(), 0.0);
    for (int decimals = 0; decimals <= most; ++decimals) {
      rest -= count[static_cast<std::size_t>(decimals)];
      if (rest <= few)
        return decimals;
    }
    return -1;
  }
  /// The least power of two (or zero) beyond the numbers, on either side.
  std::pair<double, double> range() {
    if (domain_ != nullptr && domain_->minimum && domain_->maximum)
      return {*domain_->minimum, *domain_->maximum};
    constexpr int least = least_magnitude;
    constexpr int most = 128;
    constexpr std::size_t magnitudes = most - least + 1;
    // Negative magnitudes from the largest down, zero, positive ones upwards.
    const auto count =
        counts_->histogram(column_->values.size(), 2 * magnitudes + 1, [&](std::size_t row) -> std::size_t {
          const double value = column_->values[row];
          if (std::isnan(value) || std::isinf(value))
            return 2 * magnitudes + 1;
          if (value == 0)
            return magnitudes;
          const auto magnitude = static_cast<std::size_t>(std::clamp(std::ilogb(value), least, most) - least);
          return value > 0 ? magnitudes + 1 + magnitude : magnitudes - 1 - magnitude;
        });
    const double sigma = counts_->sigma();
    // One cell far away that noise alone made would spoil the column: none of all columns' is to.
    constexpr double certain = 6;
    std::size_t first = count.size();
    std::size_t last = 0;
    for (std::size_t i = 0; i < count.size(); ++i)
      if (count[i] > certain * sigma) {
        first = std::min(first, i);
        last = i;
      }
    if (first == count.size())
      return {0, 1};
    // Near by, less will do.
    constexpr std::size_t near = 2;
    for (bool more = true; more;) {
      more = false;
      for (std::size_t step = 1; step <= near; ++step) {
        if (first >= step && count[first - step] > 3 * sigma) {
          first -= step;
          more = true;
        }
        if (last + step < count.size() && count[last + step] > 3 * sigma) {
          last += step;
          more = true;
        }
      }
    }
    const auto end = [&](std::size_t i, bool upper) {
      if (i == magnitudes)
        return 0.0;
      const bool positive = i > magnitudes;
      const int magnitude = static_cast<int>(positive ? i - magnitudes - 1 : magnitudes - 1 - i) + least;
      const double outer = std::ldexp(1.0, magnitude + 1);
      const double inner = std::ldexp(1.0, magnitude);
      return positive ? (upper ? outer : inner) : (upper ? -inner : -outer);
    };
    return {end(first, false), end(last, true)};
  }

  /// Cells of many rows in parts; others as they are.
  static std::vector<Cell> split(const std::vector<Cell>& cells, double heavy, std::size_t parts,
                                 double unit) {
    std::vector<Cell> result;
    for (const auto& cell : cells) {
      const double width = cell.high - cell.low;
      const double steps = unit > 0 ? std::round(width / unit) : std::numeric_limits<double>::infinity();
      if (cell.zero || !(cell.count > heavy) || steps < 2 || !(width > 1e-12 * std::abs(cell.high))) {
        result.push_back(cell);
        continue;
      }
      const auto count = static_cast<std::size_t>(std::min(static_cast<double>(parts), steps));
      double low = cell.low;
      for (std::size_t k = 1; k <= count; ++k) {
        const double share = static_cast<double>(k) / static_cast<double>(count);
        const double high = k == count ? cell.high
                            : unit > 0 ? cell.low + std::round(steps * share) * unit
                                       : cell.low + width * share;
        if (!(high > low))
          continue;
        result.push_back({low, high, 0});
        low = high;
      }
    }
    return result;
  }
  /// Rows in each cell, and missing ones. Numbers beyond the ends count there.
  std::vector<double> count(const std::vector<Cell>& cells) {
    return counts_->histogram(column_->values.size(), cells.size() + 1, [&](std::size_t row) -> std::size_t {
      const double value = column_->values[row];
      if (std::isnan(value))
        return cells.size();
      const auto above = std::upper_bound(cells.begin() + 1, cells.end(), value,
                                          [](double v, const Cell& cell) { return v < cell.low; });
      return static_cast<std::size_t>(above - cells.begin()) - 1;
    });
  }
  /// Cells at the ends in which there is nothing but noise go.
  void trim(std::vector<Cell>& cells) const {
    // So much that one time in ten noise alone has it in any of them.
    const double nothing = counts_->sigma() * -normal_quantile(0.1 / static_cast<double>(cells.size()));
    std::size_t first = 0;
    std::size_t last = cells.size();
    while (last - first > 1 && cells[last - 1].count < nothing)
      --last;
    while (last - first > 1 && cells[first].count < nothing)
      ++first;
    cells = {cells.begin() + static_cast<std::ptrdiff_t>(first),
             cells.begin() + static_cast<std::ptrdiff_t>(last)};
  }
  /// Numbers that many rows have are codes; the rest lies in bins of about as many rows each.
  void merge(ColumnCodec& codec, const std::vector<Cell>& cells, double unit) const {
    const double bins = static_cast<double>(options_->bins);
    const double sigma = counts_->sigma();
    const bool few_valued = unit > 0 && (cells.back().high - cells.front().low) / unit <= 2 * bins + 0.5;
    const double least = few_valued ? 3 * sigma : std::max(clear * sigma, rows_ / (2 * bins));
    const auto is_point = [&](const Cell& cell) {
      return (cell.zero || (unit > 0 && cell.high - cell.low < 1.5 * unit)) && cell.count > least;
    };
    double rest = 0;
    for (const auto& cell : cells)
      rest += is_point(cell) ? 0 : std::max(0.0, cell.count);
    const double target = std::max(rest / bins, 2 * sigma);
    codec.knots.push_back(cells.front().low);
    double mass = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (is_point(cells[i]) && cells[i].zero) {
        codec.points.push_back(0);
      } else if (is_point(cells[i])) {
        const double middle = (cells[i].low + cells[i].high) / 2;
        codec.points.push_back(std::round(middle / unit) * unit);
        if (codec.decimals > 0) { // the double nearest to the number's text
          const double scale = std::pow(10.0, codec.decimals);
          codec.points.back() = std::round(middle * scale) / scale;
        }
      } else {
        mass += cells[i].count;
      }
      if (mass >= target && i + 1 < cells.size()) {
        codec.knots.push_back(cells[i].high);
        mass = 0;
      }
    }
    if (cells.back().high > codec.knots.back())
      codec.knots.push_back(cells.back().high);
    codec.minimum = cells.front().zero ? 0 : codec.knots.front();
    codec.maximum = cells.back().zero ? 0 : codec.knots.back();
    if (unit > 0) { // numbers that can be written
      codec.minimum = (std::round(codec.minimum / unit + 0.5)) * unit;
      codec.maximum = (std::round(codec.maximum / unit - 0.5)) * unit;
      if (codec.minimum > codec.maximum)
        codec.maximum = codec.minimum;
    }
  }

  const Column* column_;
  const ColumnDomain* domain_;
  const PrivacyOptions* options_;
  NoisyCounts* counts_;
  double rows_;
};

} // namespace detail
ROWSMITH_END
