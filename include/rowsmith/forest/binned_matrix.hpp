// SPDX-License-Identifier: MIT
/// \file
/// Features as small integers: what trees split on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
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
