// SPDX-License-Identifier: MIT
/// \file
/// Features as small integers: what trees split on.
#pragma once

#include <algorithm>
#include <bit>
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
#include <rowsmith/core/parallel.hpp>

ROWSMITH_BEGIN
namespace forest {

/// Features column by column. A missing value is NaN. Categories are codes: a tree splits them by order, as
/// scikit-learn's trees do after an ordinal encoding, unless the feature is said to be categorical.
struct FeatureMatrix {
  std::vector<std::string> names;
  std::vector<std::vector<double>> columns; ///< one vector a feature, all of one length
  /// By feature, whether its values have no order; empty: all have. Random forests of two classes or of
  /// numbers part the categories of such a feature in any way; all other models go by the order of the codes.
  /// Missing is a category, too. With more categories than bins, neighbours share a bin.
  std::vector<bool> categorical{};

  std::size_t rows() const noexcept { return columns.empty() ? 0 : columns.front().size(); }
};

/// Rows of bin numbers, column-major.
struct BinnedMatrix {
  std::size_t rows = 0;
  std::vector<std::vector<std::uint16_t>> columns;
  std::vector<bool> categorical{}; ///< as of the features
};

/// Where the bins of each feature begin. Bin 0 holds missing values, which are thereby ordered before all
/// others.
class Binning {
public:
  /// Fits to the given rows. A feature of at most `max_bins` distinct values gets a bin for each of them;
  /// others are cut at quantiles. \param max_bins [2, 65534] \throws OptionError, ShapeError
  static Binning fit(const FeatureMatrix& features, std::size_t max_bins = 256, int threads = 0) {
    if (max_bins < 2 || max_bins > 65534)
      throw OptionError("binning: max_bins = " + std::to_string(max_bins) + ", expected 2 to 65534");
    check_lengths(features);
    Binning binning;
    binning.edges_.resize(features.columns.size());
    binning.categorical_ = features.categorical;
    parallel_for(features.columns.size(), resolve_threads(threads), [&](std::size_t f) {
      binning.edges_[f] = cut(sorted_values(features.columns[f]), max_bins);
    });
    return binning;
  }

  std::size_t features() const noexcept { return edges_.size(); }
  /// Bins of a feature, the one for missing values included.
  std::size_t bins(std::size_t feature) const noexcept { return edges_[feature].size() + 2; }

  /// \throws ShapeError for another number of features than fitted
  BinnedMatrix apply(const FeatureMatrix& features, int threads = 0) const {
    if (features.columns.size() != edges_.size())
      throw ShapeError("binning: " + std::to_string(features.columns.size()) + " features, expected " +
                       std::to_string(edges_.size()));
    check_lengths(features);
    BinnedMatrix binned;
    binned.rows = features.rows();
    binned.categorical = categorical_;
    binned.columns.resize(edges_.size());
    parallel_for(edges_.size(), resolve_threads(threads), [&](std::size_t f) {
      binned.columns[f].reserve(binned.rows);
      for (const double value : features.columns[f])
        binned.columns[f].push_back(bin_of(edges_[f], value));
    });
    return binned;
  }

private:
  static void check_lengths(const FeatureMatrix& features) {
    if (!features.categorical.empty() && features.categorical.size() != features.columns.size())
      throw ShapeError("binning: " + std::to_string(features.categorical.size()) +
                       " features said to be categorical or not, expected " +
                       std::to_string(features.columns.size()) + " or none");
    for (const auto& column : features.columns)
      if (column.size() != features.rows())
        throw ShapeError("binning: a feature of " + std::to_string(column.size()) + " rows, another of " +
                         std::to_string(features.rows()));
  }

  static std::uint16_t bin_of(std::span<const double> edges, double value) noexcept {
    if (std::isnan(value))
      return 0;
    // The first edge not below the value, without branches that a processor would guess wrong.
    const double* base = edges.data();
    std::size_t count = edges.size();
    while (count > 1) {
      const std::size_t half = count / 2;
      base = base[half - 1] < value ? base + half : base;
      count -= half;
    }
    const auto below = static_cast<std::size_t>(base - edges.data()) + (count == 1 && *base < value ? 1 : 0);
    return static_cast<std::uint16_t>(1 + below);
  }

  /// Without the missing ones. By radix: the bits of a double, with the sign turned, are ordered as the
  /// number.
  static std::vector<double> sorted_values(std::span<const double> column) {
    constexpr std::uint64_t sign = std::uint64_t{1} << 63U;
    std::vector<std::uint64_t> keys;
    keys.reserve(column.size());
    for (const double value : column)
      if (!std::isnan(value)) {
        const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
        keys.push_back((bits & sign) != 0 ? ~bits : bits | sign);
      }
    constexpr unsigned digit_bits = 11;
    constexpr std::size_t digits = std::size_t{1} << digit_bits;
    std::vector<std::uint64_t> sorted(keys.size());
    for (unsigned shift = 0; shift < 64; shift += digit_bits) {
      const auto digit = [&](std::uint64_t key) { return (key >> shift) & (digits - 1); };
      std::vector<std::size_t> place(digits + 1);
      for (const auto key : keys)
        ++place[digit(key) + 1];
      if (std::find(place.begin(), place.end(), keys.size()) != place.end())
        continue; // one digit for all
      std::partial_sum(place.begin(), place.end(), place.begin());
      for (const auto key : keys)
        sorted[place[digit(key)]++] = key;
      keys.swap(sorted);
    }
    std::vector<double> values;
    values.reserve(keys.size());
    for (const auto key : keys)
      values.push_back(std::bit_cast<double>((key & sign) != 0 ? key & ~sign : ~key));
    return values;
  }

  /// Values up to and including edge k, and above edge k − 1, are in bin k + 1.
  static std::vector<double> cut(const std::vector<double>& sorted, std::size_t max_bins) {
    std::vector<double> distinct;
    std::unique_copy(sorted.begin(), sorted.end(), std::back_inserter(distinct));
    std::vector<double> edges;
    // At least a and below b, whatever their size.
    const auto between = [](double a, double b) {
      const double middle = std::midpoint(a, b);
      return middle >= a && middle < b ? middle : a;
    };
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
  std::vector<bool> categorical_;
};

namespace detail {

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
  if (!binned.categorical.empty() && binned.categorical.size() != features)
    throw ShapeError(std::string(who) + ": " + std::to_string(binned.categorical.size()) +
                     " features said to be categorical or not, expected " + std::to_string(features) +
                     " or none");
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

/// Targets in units of their largest deviation from the mean: trees see numbers in [−1, 1], whatever the
/// scale.
class TargetScale {
public:
  TargetScale() = default;
  TargetScale(std::span<const std::uint32_t> rows, std::span<const double> targets) {
    for (const auto row : rows)
      mean_ += targets[row] / static_cast<double>(rows.size());
    double largest = 0;
    for (const auto row : rows)
      largest = std::max(largest, std::abs(targets[row] - mean_));
    unit_ = largest > 0 ? largest : 1;
  }

  double unit() const noexcept { return unit_; }
  double to_units(double target) const noexcept { return (target - mean_) / unit_; }
  double from_units(double value) const noexcept { return mean_ + unit_ * value; }

private:
  double mean_ = 0;
  double unit_ = 1;
};

/// The bins of chosen rows, column by column, less the lowest bin of each column: what trees are grown on.
template <class Bin>
class PackedBins {
public:
  /// \param rows  at least one, all in the matrix
  PackedBins(const BinnedMatrix& binned, std::span<const std::uint32_t> rows, int threads)
      : rows_(rows.size()), first_(binned.columns.size()), bins_(first_.size()),
        packed_(first_.size() * rows_), categorical_(binned.categorical) {
    categorical_.resize(first_.size());
    parallel_for(first_.size(), threads, [&](std::size_t f) {
      const auto [low, high] = range(binned, rows, f);
      first_[f] = low;
      bins_[f] = std::size_t{high} - low + 1;
      for (std::size_t i = 0; i < rows_; ++i)
        packed_[f * rows_ + i] = static_cast<Bin>(binned.columns[f][rows[i]] - low);
    });
  }

  std::size_t rows() const noexcept { return rows_; }
  std::size_t features() const noexcept { return first_.size(); }
  /// The lowest bin of a feature: 0 if a value is missing.
  std::uint16_t first(std::size_t feature) const noexcept { return first_[feature]; }
  /// From the lowest bin to the highest.
  std::size_t bins(std::size_t feature) const noexcept { return bins_[feature]; }
  std::size_t max_bins() const noexcept { return *std::max_element(bins_.begin(), bins_.end()); }
  bool categorical(std::size_t feature) const { return categorical_[feature]; }
  const Bin* column(std::size_t feature) const noexcept { return packed_.data() + feature * rows_; }

  /// Can all features be packed?
  static bool fits(const BinnedMatrix& binned, std::span<const std::uint32_t> rows) {
    for (std::size_t f = 0; f < binned.columns.size(); ++f) {
      const auto [low, high] = range(binned, rows, f);
      if (high - low > std::numeric_limits<Bin>::max())
        return false;
    }
    return true;
  }

private:
  static std::pair<std::uint16_t, std::uint16_t>
  range(const BinnedMatrix& binned, std::span<const std::uint32_t> rows, std::size_t feature) {
    const auto& column = binned.columns[feature];
    std::pair<std::uint16_t, std::uint16_t> result{column[rows[0]], column[rows[0]]};
    for (const auto row : rows) {
      result.first = std::min(result.first, column[row]);
      result.second = std::max(result.second, column[row]);
    }
    return result;
  }

  std::size_t rows_;
  std::vector<std::uint16_t> first_;
  std::vector<std::size_t> bins_;
  std::vector<Bin> packed_; // features × rows
  std::vector<bool> categorical_;
};

/// Calls `body(begin, bins)` for each `block` of the rows: `bins[i]` points to the bins of row `begin` + i,
/// one a feature, with a 0 before the first of them.
template <class Body>
void for_row_blocks(const BinnedMatrix& binned, std::span<const std::uint32_t> rows, std::size_t block,
                    int threads, const Body& body) {
  const std::size_t features = binned.columns.size();
  parallel_for((rows.size() + block - 1) / block, threads, [&](std::size_t part) {
    const std::size_t begin = part * block;
    const std::size_t count = std::min(rows.size() - begin, block);
    std::vector<std::uint16_t> bins((features + 1) * count);
    std::vector<const std::uint16_t*> pointers(count);
    for (std::size_t i = 0; i < count; ++i)
      pointers[i] = bins.data() + i * (features + 1) + 1;
    for (std::size_t f = 0; f < features; ++f)
      for (std::size_t i = 0; i < count; ++i)
        bins[i * (features + 1) + 1 + f] = binned.columns[f][rows[begin + i]];
    body(begin, std::span<const std::uint16_t* const>(pointers));
  });
}

/// Calls `body(PackedBins<Bin>)` with bins of one byte where they fit, else of two.
template <class Body>
auto with_packed_bins(const BinnedMatrix& binned, std::span<const std::uint32_t> rows, int threads,
                      const Body& body) {
  return PackedBins<std::uint8_t>::fits(binned, rows)
             ? body(PackedBins<std::uint8_t>(binned, rows, threads))
             : body(PackedBins<std::uint16_t>(binned, rows, threads));
}

} // namespace detail

} // namespace forest
using forest::FeatureMatrix;
ROWSMITH_END
