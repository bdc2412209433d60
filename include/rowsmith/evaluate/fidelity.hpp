// SPDX-License-Identifier: MIT
/// \file
/// Do the columns, and the pairs of columns, of a synthetic table look like those of a real one?
///
/// Errors are one minus the similarities of SDMetrics' quality report (KSComplement, TVComplement,
/// CorrelationSimilarity, ContingencySimilarity), which papers on tables quote in per cent. Where SDMetrics
/// passes over missing values, a missing value counts here as a value of its own, below all others.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/json_object.hpp>
#include <rowsmith/evaluate/resample.hpp>

ROWSMITH_BEGIN

struct FidelityOptions {
  std::size_t replicates = 20; ///< of the bootstrap behind each standard deviation; [0, 10000], 0: none
  std::size_t bins = 10;       ///< of equal width for a numerical column beside a categorical one; [1, 1000]
  std::uint64_t seed = 0;
  int threads = 0; ///< 0: all; never changes the result

  /// \throws OptionError
  void check() const {
    if (replicates > 10'000)
      throw OptionError("fidelity.replicates = " + std::to_string(replicates) + ": expected 0 to 10000");
    if (bins < 1 || bins > 1000)
      throw OptionError("fidelity.bins = " + std::to_string(bins) + ": expected 1 to 1000");
  }
};

/// Kolmogorov–Smirnov statistic: the largest distance between two cumulative distributions over the same
/// ordered levels, given how often each level occurs. \throws ShapeError if the sizes differ or a side is
/// empty
inline double ks_statistic(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b);

/// Total variation distance: half the sum of the absolute differences of two distributions over the same
/// levels, given how often each occurs. \throws ShapeError if the sizes differ or a side is empty
inline double total_variation(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b);

/// How far one column's distribution is off.
struct ColumnShape {
  std::string name;
  ColumnKind kind = ColumnKind::numerical;
  Estimate error; ///< Kolmogorov–Smirnov statistic (numerical) or total variation distance (categorical)
};

/// In [0, 1]; 0 is ideal, and two samples of one source come near it only as far as their size allows.
struct ShapeResult {
  std::vector<ColumnShape> columns; ///< in the table's order
  Estimate mean;                    ///< over the columns
  std::size_t worst = 0;            ///< number of the column with the largest error
  std::size_t real_rows = 0;
  std::size_t synthetic_rows = 0;
};

/// How far the relation of two columns is off.
struct PairTrend {
  std::size_t first = 0; ///< numbers of the columns
  std::size_t second = 0;
  std::string first_name;
  std::string second_name;
  /// Two numerical columns: half the difference of their Pearson correlations. Otherwise: total variation
  /// distance of the joint distributions, numbers cut into bins of equal width over the real table's range.
  Estimate error;
};

/// In [0, 1]; 0 is ideal.
struct TrendResult {
  std::vector<PairTrend> pairs; ///< largest error first
  Estimate mean;                ///< over the pairs; 0 for a table of one column
  std::size_t real_rows = 0;
  std::size_t synthetic_rows = 0;
};

/// Strength of the relation of each two columns of one table, columns × columns: Pearson's correlation of two
/// numerical ones, in [−1, 1]; Cramér's V of two categorical ones (Cramér 1946), and the correlation ratio η
/// of a numerical and a categorical one (Fisher 1925), in [0, 1]. 0 where a column is constant. Rows with a
/// missing number are left out of its pairs; a missing category is a category.
struct AssociationMatrix {
  std::size_t columns = 0;
  std::vector<double> values; ///< row-major, symmetric, ones on the diagonal

  double operator()(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
};

inline double ks_statistic(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  if (a.size() != b.size())
    throw ShapeError("ks_statistic: " + std::to_string(a.size()) + " levels against " +
                     std::to_string(b.size()));
  double total_a = 0;
  double total_b = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    total_a += static_cast<double>(a[k]);
    total_b += static_cast<double>(b[k]);
  }
  if (total_a == 0 || total_b == 0)
    throw ShapeError("ks_statistic: no rows on one side");
  std::uint64_t below_a = 0;
  std::uint64_t below_b = 0;
  double largest = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    below_a += a[k];
    below_b += b[k];
    largest = std::max(
        largest, std::abs(static_cast<double>(below_a) / total_a - static_cast<double>(below_b) / total_b));
  }
  return largest;
}

inline double total_variation(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  if (a.size() != b.size())
    throw ShapeError("total_variation: " + std::to_string(a.size()) + " levels against " +
                     std::to_string(b.size()));
  double total_a = 0;
  double total_b = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    total_a += static_cast<double>(a[k]);
    total_b += static_cast<double>(b[k]);
  }
  if (total_a == 0 || total_b == 0)
    throw ShapeError("total_variation: no rows on one side");
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    sum += std::abs(static_cast<double>(a[k]) / total_a - static_cast<double>(b[k]) / total_b);
  return sum / 2;
}

namespace detail {

/// The rows of one column in two tables as levels 0, 1, 2, …; 0 is a missing value.
struct ColumnLevels {
  std::vector<std::uint32_t> real;
  std::vector<std::uint32_t> synthetic;
  std::size_t levels = 1;
};

/// Categories by their shared codes, numbers by their rank among the distinct numbers of both tables.
inline ColumnLevels column_levels(const Table& real, const Table& synthetic, const SharedCodes& codes,
                                  std::size_t column) {
  ColumnLevels result;
  if (real[column].kind == ColumnKind::categorical) {
    result.levels = codes.texts(column).size() + 1;
    for (const auto code : codes.codes(real[column], column))
      result.real.push_back(static_cast<std::uint32_t>(code + 1));
    for (const auto code : codes.codes(synthetic[column], column))
      result.synthetic.push_back(static_cast<std::uint32_t>(code + 1));
    return result;
  }
  std::vector<double> distinct;
  for (const auto* values : {&real[column].values, &synthetic[column].values})
    std::copy_if(values->begin(), values->end(), std::back_inserter(distinct),
                 [](double value) { return !std::isnan(value); });
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  const auto rank = [&](double value) {
    return std::isnan(value)
               ? 0U
               : static_cast<std::uint32_t>(
                     1 + (std::lower_bound(distinct.begin(), distinct.end(), value) - distinct.begin()));
  };
  result.levels = distinct.size() + 1;
  std::transform(real[column].values.begin(), real[column].values.end(), std::back_inserter(result.real),
                 rank);
  std::transform(synthetic[column].values.begin(), synthetic[column].values.end(),
                 std::back_inserter(result.synthetic), rank);
  return result;
}

/// Numbers cut at the `bins` + 1 equidistant edges over the real ones' range: level 1 lies below the first
/// edge, level k + 1 from edge k − 1 up to below edge k, the last level from the last edge on, as numpy's
/// `histogram_bin_edges` and `digitize` do; 0 is a missing value.
inline ColumnLevels binned_levels(const Column& real, const Column& synthetic, std::size_t bins) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const double value : real.values)
    if (!std::isnan(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (low > high)
    low = high = 0; // no value at all: any edges do
  if (low == high) {
    low -= 0.5;
    high += 0.5;
  }
  std::vector<double> edges;
  const double step = (high - low) / static_cast<double>(bins);
  for (std::size_t k = 0; k < bins; ++k)
    edges.push_back(low + static_cast<double>(k) * step);
  edges.push_back(high);
  const auto level = [&](double value) {
    return std::isnan(value) ? 0U
                             : static_cast<std::uint32_t>(
                                   1 + (std::upper_bound(edges.begin(), edges.end(), value) - edges.begin()));
  };
  ColumnLevels result;
  result.levels = edges.size() + 2;
  std::transform(real.values.begin(), real.values.end(), std::back_inserter(result.real), level);
  std::transform(synthetic.values.begin(), synthetic.values.end(), std::back_inserter(result.synthetic),
                 level);
  return result;
}

/// Levels of two columns at once: one number for each pair of levels that occurs.
inline ColumnLevels joint_levels(const ColumnLevels& a, const ColumnLevels& b) {
  ColumnLevels result;
  std::vector<std::uint64_t> keys;
  keys.reserve(a.real.size() + a.synthetic.size());
  for (std::size_t i = 0; i < a.real.size(); ++i)
    keys.push_back(std::uint64_t{a.real[i]} * b.levels + b.real[i]);
  for (std::size_t i = 0; i < a.synthetic.size(); ++i)
    keys.push_back(std::uint64_t{a.synthetic[i]} * b.levels + b.synthetic[i]);
  constexpr std::uint64_t dense = 1U << 16U; // a table of this size is cleared faster than keys are sorted
  const auto cells = static_cast<std::uint64_t>(a.levels) * b.levels;
  std::vector<std::uint64_t> occurring;
  if (cells > dense) {
    occurring = keys;
    std::sort(occurring.begin(), occurring.end());
    occurring.erase(std::unique(occurring.begin(), occurring.end()), occurring.end());
  }
  result.levels = static_cast<std::size_t>(cells > dense ? occurring.size() : cells);
  const auto level = [&](std::uint64_t key) {
    return static_cast<std::uint32_t>(
        cells > dense ? static_cast<std::uint64_t>(std::lower_bound(occurring.begin(), occurring.end(), key) -
                                                   occurring.begin())
                      : key);
  };
  const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(a.real.size());
  std::transform(keys.begin(), middle, std::back_inserter(result.real), level);
  std::transform(middle, keys.end(), std::back_inserter(result.synthetic), level);
  return result;
}

/// How often rows of each level are drawn.
inline void count_levels(std::span<const std::uint32_t> levels, std::span<const std::uint32_t> weights,
                         std::vector<std::uint64_t>& counts) {
  std::fill(counts.begin(), counts.end(), std::uint64_t{0});
  for (std::size_t i = 0; i < levels.size(); ++i)
    counts[levels[i]] += weights[i];
}

/// Pearson's correlation over the rows where both numbers are there, each row counted by its weight; 0 if one
/// of them is constant.
inline double pearson(std::span<const double> x, std::span<const double> y,
                      std::span<const std::uint32_t> weights) {
  double n = 0;
  double sum_x = 0;
  double sum_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!std::isnan(x[i]) && !std::isnan(y[i])) {
      const double w = weights[i];
      n += w;
      sum_x += w * x[i];
      sum_y += w * y[i];
    }
  if (n == 0)
    return 0;
  const double mean_x = sum_x / n;
  const double mean_y = sum_y / n;
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!std::isnan(x[i]) && !std::isnan(y[i])) {
      const double w = weights[i];
      const double dx = x[i] - mean_x;
      const double dy = y[i] - mean_y;
      xx += w * dx * dx;
      yy += w * dy * dy;
      xy += w * dx * dy;
    }
  return xx > 0 && yy > 0 ? std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0) : 0;
}

/// Row weights of replicate 0 (the sample itself) and of the bootstrap's, one vector each.
inline std::vector<std::vector<std::uint32_t>> all_weights(std::size_t rows, const FidelityOptions& options,
                                                           EvaluateStream stream) {
  std::vector<std::vector<std::uint32_t>> weights(options.replicates + 1);
  parallel_for(weights.size(), resolve_threads(options.threads), [&](std::size_t replicate) {
    weights[replicate] = bootstrap_weights(rows, replicate, options.seed, stream);
  });
  return weights;
}

/// The mean over `items` errors of each replicate, errors being items × replicates.
inline Estimate mean_estimate(std::span<const double> errors, std::size_t items) {
  if (items == 0)
    return {};
  const std::size_t replicates = errors.size() / items;
  std::vector<double> means(replicates);
  for (std::size_t i = 0; i < errors.size(); ++i)
    means[i % replicates] += errors[i] / static_cast<double>(items);
  return bootstrap_estimate(means);
}

inline void check_fidelity(const char* what, const Table& real, const Table& synthetic,
                           const FidelityOptions& options) {
  options.check();
  for (const auto& [table, name] : {std::pair{&real, "real"}, std::pair{&synthetic, "synthetic"}}) {
    if (table->rows() == 0 || table->rows() > std::numeric_limits<std::uint32_t>::max())
      throw ShapeError(std::string(what)
                           .append(": the ")
                           .append(name)
                           .append(" table has ")
                           .append(std::to_string(table->rows()))
                           .append(" rows, expected 1 to 2^32 - 1"));
    for (const auto& column : table->columns())
      if (std::any_of(column.values.begin(), column.values.end(),
                      [](double value) { return std::isinf(value); }))
        throw SchemaError(std::string(what)
                              .append(": column '")
                              .append(column.name)
                              .append("' of the ")
                              .append(name)
                              .append(" table holds an infinite number"));
  }
}

} // namespace detail

/// The error of each column's distribution. \throws SchemaError if the tables' columns differ, ShapeError for
/// an empty table, OptionError
inline ShapeResult column_shapes(const Table& real, const Table& synthetic,
                                 const FidelityOptions& options = {}) {
  detail::check_fidelity("column_shapes", real, synthetic, options);
  const SharedCodes codes({&real, &synthetic});
  const auto real_weights = detail::all_weights(real.rows(), options, detail::bootstrap_real);
  const auto synthetic_weights = detail::all_weights(synthetic.rows(), options, detail::bootstrap_synthetic);
  const std::size_t replicates = real_weights.size();
  std::vector<double> errors(real.size() * replicates);
  parallel_for(real.size(), resolve_threads(options.threads), [&](std::size_t c) {
    const auto levels = detail::column_levels(real, synthetic, codes, c);
    std::vector<std::uint64_t> a(levels.levels);
    std::vector<std::uint64_t> b(levels.levels);
    for (std::size_t r = 0; r < replicates; ++r) {
      detail::count_levels(levels.real, real_weights[r], a);
      detail::count_levels(levels.synthetic, synthetic_weights[r], b);
      errors[c * replicates + r] =
          real[c].kind == ColumnKind::numerical ? ks_statistic(a, b) : total_variation(a, b);
    }
  });
  ShapeResult result;
  result.real_rows = real.rows();
  result.synthetic_rows = synthetic.rows();
  for (std::size_t c = 0; c < real.size(); ++c) {
    const auto own = std::span<const double>(errors).subspan(c * replicates, replicates);
    result.columns.push_back({real[c].name, real[c].kind, detail::bootstrap_estimate(own)});
    if (own[0] > result.columns[result.worst].error.value)
      result.worst = c;
  }
  result.mean = detail::mean_estimate(errors, real.size());
  return result;
}

/// The error of each pair of columns. \throws SchemaError if the tables' columns differ, ShapeError for an
/// empty table, OptionError
inline TrendResult pair_trends(const Table& real, const Table& synthetic,
                               const FidelityOptions& options = {}) {
  detail::check_fidelity("pair_trends", real, synthetic, options);
  const SharedCodes codes({&real, &synthetic});
  const int threads = resolve_threads(options.threads);
  const auto real_weights = detail::all_weights(real.rows(), options, detail::bootstrap_real);
  const auto synthetic_weights = detail::all_weights(synthetic.rows(), options, detail::bootstrap_synthetic);
  const std::size_t replicates = real_weights.size();
  std::vector<detail::ColumnLevels> levels(real.size());
  parallel_for(real.size(), threads, [&](std::size_t c) {
    levels[c] = real[c].kind == ColumnKind::categorical
                    ? detail::column_levels(real, synthetic, codes, c)
                    : detail::binned_levels(real[c], synthetic[c], options.bins);
  });
  TrendResult result;
  result.real_rows = real.rows();
  result.synthetic_rows = synthetic.rows();
  for (std::size_t a = 0; a < real.size(); ++a)
    for (std::size_t b = a + 1; b < real.size(); ++b)
      result.pairs.push_back({a, b, real[a].name, real[b].name, {}});
  std::vector<double> errors(result.pairs.size() * replicates);
  parallel_for(result.pairs.size(), threads, [&](std::size_t p) {
    auto& pair = result.pairs[p];
    const auto own = std::span<double>(errors).subspan(p * replicates, replicates);
    const Column& first = real[pair.first];
    const Column& second = real[pair.second];
    if (first.kind == ColumnKind::numerical && second.kind == ColumnKind::numerical) {
      for (std::size_t r = 0; r < replicates; ++r)
        own[r] = std::abs(detail::pearson(first.values, second.values, real_weights[r]) -
                          detail::pearson(synthetic[pair.first].values, synthetic[pair.second].values,
                                          synthetic_weights[r])) /
                 2;
    } else {
      const auto joint = detail::joint_levels(levels[pair.first], levels[pair.second]);
      std::vector<std::uint64_t> a(joint.levels);
      std::vector<std::uint64_t> b(joint.levels);
      for (std::size_t r = 0; r < replicates; ++r) {
        detail::count_levels(joint.real, real_weights[r], a);
        detail::count_levels(joint.synthetic, synthetic_weights[r], b);
        own[r] = total_variation(a, b);
      }
    }
    pair.error = detail::bootstrap_estimate(own);
  });
  result.mean = detail::mean_estimate(errors, result.pairs.size());
  std::stable_sort(result.pairs.begin(), result.pairs.end(),
                   [](const PairTrend& a, const PairTrend& b) { return a.error.value > b.error.value; });
  return result;
}

/// \throws ShapeError for an empty table, OptionError
inline AssociationMatrix associations(const Table& table, int threads = 0) {
  detail::check_fidelity("associations", table, table, {});
  const SharedCodes codes({&table});
  const std::size_t n = table.size();
  std::vector<std::vector<std::size_t>> categories(n);
  for (std::size_t c = 0; c < n; ++c)
    if (table[c].kind == ColumnKind::categorical)
      for (const auto code : codes.codes(table[c], c))
        categories[c].push_back(static_cast<std::size_t>(code + 1));
  const std::vector<std::uint32_t> ones(table.rows(), 1);

  const auto cramer = [&](std::size_t a, std::size_t b) {
    const std::size_t width = codes.texts(b).size() + 1;
    std::vector<double> of_a(codes.texts(a).size() + 1);
    std::vector<double> of_b(width);
    std::vector<std::uint64_t> cells;
    for (std::size_t i = 0; i < table.rows(); ++i) {
      ++of_a[categories[a][i]];
      ++of_b[categories[b][i]];
      cells.push_back(std::uint64_t{categories[a][i]} * width + categories[b][i]);
    }
    const auto used = [](const std::vector<double>& counts) {
      return std::count_if(counts.begin(), counts.end(), [](double count) { return count > 0; });
    };
    const auto least = std::min(used(of_a), used(of_b));
    if (least < 2)
      return 0.0;
    // χ² / n = Σ observed² / (row total · column total) − 1, over the cells that occur
    std::sort(cells.begin(), cells.end());
    double sum = 0;
    for (std::size_t begin = 0; begin < cells.size();) {
      std::size_t end = begin;
      while (end < cells.size() && cells[end] == cells[begin])
        ++end;
      const auto count = static_cast<double>(end - begin);
      sum += count * count / (of_a[cells[begin] / width] * of_b[cells[begin] % width]);
      begin = end;
    }
    return std::sqrt(std::clamp((sum - 1) / static_cast<double>(least - 1), 0.0, 1.0));
  };
  const auto correlation_ratio = [&](std::size_t number, std::size_t category) {
    const auto& values = table[number].values;
    std::vector<double> sums(codes.texts(category).size() + 1);
    std::vector<double> counts(sums.size());
    double sum = 0;
    double count = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isnan(values[i])) {
        sums[categories[category][i]] += values[i];
        ++counts[categories[category][i]];
        sum += values[i];
        ++count;
      }
    const double mean = count > 0 ? sum / count : 0;
    double total = 0;
    for (const double value : values)
      total += std::isnan(value) ? 0 : (value - mean) * (value - mean);
    double between = 0;
    for (std::size_t k = 0; k < sums.size(); ++k)
      if (counts[k] > 0)
        between += counts[k] * (sums[k] / counts[k] - mean) * (sums[k] / counts[k] - mean);
    return total > 0 ? std::sqrt(std::clamp(between / total, 0.0, 1.0)) : 0.0;
  };

  AssociationMatrix result;
  result.columns = n;
  result.values.assign(n * n, 1);
  parallel_for(n, resolve_threads(threads), [&](std::size_t a) {
    for (std::size_t b = a + 1; b < n; ++b) {
      const bool number_a = table[a].kind == ColumnKind::numerical;
      const bool number_b = table[b].kind == ColumnKind::numerical;
      const double value = number_a && number_b ? detail::pearson(table[a].values, table[b].values, ones)
                           : number_a           ? correlation_ratio(a, b)
                           : number_b           ? correlation_ratio(b, a)
                                                : cramer(a, b);
      result.values[a * n + b] = value;
      result.values[b * n + a] = value;
    }
  });
  return result;
}

inline std::string to_json(const ShapeResult& result) {
  detail::JsonObject columns;
  for (const auto& column : result.columns)
    columns.add(column.name, column.error);
  return detail::JsonObject()
      .add("mean", result.mean)
      .add("worst", result.columns.empty() ? "null" : json_escape(result.columns[result.worst].name))
      .add("columns", columns.text())
      .add("real_rows", result.real_rows)
      .add("synthetic_rows", result.synthetic_rows)
      .text();
}

inline std::string to_json(const TrendResult& result) {
  const auto pair_json = [](const PairTrend& pair) {
    return detail::JsonObject()
        .add_text("first", pair.first_name)
        .add_text("second", pair.second_name)
        .add("value", pair.error.value)
        .add("sd", pair.error.sd)
        .text();
  };
  return detail::JsonObject()
      .add("mean", result.mean)
      .add("pairs", detail::json_list(result.pairs, pair_json))
      .add("real_rows", result.real_rows)
      .add("synthetic_rows", result.synthetic_rows)
      .text();
}

inline std::ostream& operator<<(std::ostream& out, const ShapeResult& result) {
  out << "shape error " << result.mean.value << " +- " << result.mean.sd << " (0 is ideal)";
  if (!result.columns.empty())
    out << "; worst: " << result.columns[result.worst].name << ' '
        << result.columns[result.worst].error.value;
  return out << '\n';
}

inline std::ostream& operator<<(std::ostream& out, const TrendResult& result) {
  out << "trend error " << result.mean.value << " +- " << result.mean.sd << " (0 is ideal)";
  for (std::size_t p = 0; p < std::min<std::size_t>(3, result.pairs.size()); ++p)
    out << (p == 0 ? "; worst: " : ", ") << result.pairs[p].first_name << " x " << result.pairs[p].second_name
        << ' ' << result.pairs[p].error.value;
  return out << '\n';
}

ROWSMITH_END
