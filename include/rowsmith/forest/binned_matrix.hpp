// SPDX-License-Identifier: MIT
/// \file
/// Features as small integers: what trees split on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN

/// Features column by column. A missing value is NaN. Categories are ordinal codes: a tree splits them by
/// order, as scikit-learn's trees do after an ordinal encoding.
struct FeatureMatrix {
  std::vector<std::string> names;
  std::vector<std::vector<double>> columns; ///< one vector a feature, all of one length

  std::size_t rows() const noexcept { return columns.empty() ? 0 : columns.front().size(); }
};

/// Rows of bin numbers, column-major.
struct BinnedMatrix {
  std::size_t rows = 0;
  std::vector<std::vector<std::uint16_t>> columns;
};

/// 0, 1, …: every row of a matrix.
inline std::vector<std::uint32_t> all_rows(const BinnedMatrix& binned) {
  std::vector<std::uint32_t> rows(binned.rows);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

/// \throws ShapeError unless the matrix has as many columns as `features`, all of its length, and all chosen
/// rows
inline void check_rows(const char* who, const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                       std::size_t features) {
  if (binned.columns.size() != features)
    throw ShapeError(std::string(who) + ": " + std::to_string(binned.columns.size()) +
                     " features, expected " + std::to_string(features));
  for (const auto& column : binned.columns)
    if (column.size() != binned.rows)
      throw ShapeError(std::string(who) + ": a feature of " + std::to_string(column.size()) +
                       " rows, expected " + std::to_string(binned.rows));
  for (const auto row : rows)
    if (row >= binned.rows)
      throw ShapeError(std::string(who) + ": row " + std::to_string(row) + " of a matrix of " +
                       std::to_string(binned.rows) + " rows");
}

/// \throws ShapeError unless rows can be learnt from
inline void check_training(const char* who, const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                           std::size_t targets) {
  if (rows.empty() || binned.columns.empty())
    throw ShapeError(std::string(who) + ": no rows or no features to fit to");
  if (rows.size() > std::numeric_limits<std::uint32_t>::max())
    throw ShapeError(std::string(who) + ": " + std::to_string(rows.size()) +
                     " rows, expected fewer than 2^32");
  if (targets != binned.rows)
    throw ShapeError(std::string(who) + ": " + std::to_string(targets) + " labels for " +
                     std::to_string(binned.rows) + " rows");
  check_rows(who, binned, rows, binned.columns.size());
}
inline void check_training(const char* who, const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                           std::span<const std::uint16_t> labels, std::size_t classes) {
  check_training(who, binned, rows, labels.size());
  if (classes < 2 || std::any_of(labels.begin(), labels.end(), [&](auto label) { return label >= classes; }))
    throw ShapeError(std::string(who) +
                     ": labels must lie in [0, classes), and there must be two classes or more");
}
inline void check_training(const char* who, const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                           std::span<const double> targets) {
  check_training(who, binned, rows, targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (!(std::abs(targets[i]) <= 1e100))
      throw ShapeError(std::string(who) + ": the target of row " + std::to_string(i) + " is " +
                       std::to_string(targets[i]) + ", expected a finite number of at most 1e100 in size");
}

/// Where the bins of each feature begin. Bin 0 holds missing values, which are thereby ordered before all
/// others.
class Binning {
public:
  /// Fits to the given rows. A feature of at most `max_bins` distinct values gets a bin for each of them;
  /// others are cut at quantiles. \param max_bins [2, 65534] \throws OptionError, ShapeError
  static Binning fit(const FeatureMatrix& features, std::size_t max_bins = 256) {
    if (max_bins < 2 || max_bins > 65534)
      throw OptionError("binning: max_bins = " + std::to_string(max_bins) + ", expected 2 to 65534");
    Binning binning;
    for (const auto& column : features.columns) {
      if (column.size() != features.rows())
        throw ShapeError("binning: features of different lengths");
      std::vector<double> sorted;
      sorted.reserve(column.size());
      std::copy_if(column.begin(), column.end(), std::back_inserter(sorted),
                   [](double value) { return !std::isnan(value); });
      std::sort(sorted.begin(), sorted.end());
      binning.edges_.push_back(cut(sorted, max_bins));
    }
    return binning;
  }

  std::size_t features() const noexcept { return edges_.size(); }
  /// Bins of a feature, the one for missing values included.
  std::size_t bins(std::size_t feature) const noexcept { return edges_[feature].size() + 2; }

  /// \throws ShapeError for another number of features than fitted
  BinnedMatrix apply(const FeatureMatrix& features) const {
    if (features.columns.size() != edges_.size())
      throw ShapeError("binning: " + std::to_string(features.columns.size()) + " features, expected " +
                       std::to_string(edges_.size()));
    BinnedMatrix binned;
    binned.rows = features.rows();
    for (std::size_t f = 0; f < edges_.size(); ++f) {
      std::vector<std::uint16_t> column;
      column.reserve(binned.rows);
      for (const double value : features.columns[f])
        column.push_back(bin_of(f, value));
      binned.columns.push_back(std::move(column));
    }
    return binned;
  }

private:
  std::uint16_t bin_of(std::size_t feature, double value) const {
    if (std::isnan(value))
      return 0;
    const auto& edges = edges_[feature];
    return static_cast<std::uint16_t>(1 +
                                      (std::lower_bound(edges.begin(), edges.end(), value) - edges.begin()));
  }

  /// Values up to and including edge k, and above edge k − 1, are in bin k + 1.
  static std::vector<double> cut(const std::vector<double>& sorted, std::size_t max_bins) {
    std::vector<double> distinct;
    std::unique_copy(sorted.begin(), sorted.end(), std::back_inserter(distinct));
    std::vector<double> edges;
    const auto between = [](double a, double b) { return a + (b - a) / 2; };
    if (distinct.size() <= max_bins) {
      for (std::size_t k = 1; k < distinct.size(); ++k)
        edges.push_back(between(distinct[k - 1], distinct[k]));
      return edges;
    }
    for (std::size_t k = 1; k < max_bins; ++k) {
      const double at = sorted[k * sorted.size() / max_bins];
      const auto next = std::upper_bound(distinct.begin(), distinct.end(), at);
      if (next == distinct.end())
        break;
      const double edge = between(at, *next);
      if (edges.empty() || edge > edges.back())
        edges.push_back(edge);
    }
    return edges;
  }
  std::vector<std::vector<double>> edges_;
};

ROWSMITH_END
