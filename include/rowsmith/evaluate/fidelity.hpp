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
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/parallel.hpp>
#include <rowsmith/evaluate/association.hpp>
#include <rowsmith/evaluate/distribution_distance.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/result_text.hpp>

ROWSMITH_BEGIN
namespace evaluate {

struct FidelityOptions {
  std::size_t replicates = 20; ///< of the bootstrap behind each standard deviation; [0, 10000], 0: none
  std::size_t bins = 10;       ///< of equal width for a numerical column beside a categorical one; [1, 1000]
  std::uint64_t seed = 0;
  int threads = 0; ///< 0: all; never changes the result

  /// \throws OptionError
  void check() const {
    detail::check_count("fidelity.replicates", replicates, 0, 10'000);
    detail::check_count("fidelity.bins", bins, 1, 1000);
  }
};

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

} // namespace detail

/// The error of each column's distribution. \throws SchemaError if the tables' columns differ, ShapeError for
/// an empty table, OptionError
inline ShapeResult column_shapes(const Table& real, const Table& synthetic,
                                 const FidelityOptions& options = {}) {
  options.check();
  detail::check_finite("column_shapes", {{&real, "real"}, {&synthetic, "synthetic"}});
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
  options.check();
  detail::check_finite("pair_trends", {{&real, "real"}, {&synthetic, "synthetic"}});
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

inline std::string to_json(const ShapeResult& result) {
  std::vector<std::pair<std::string_view, Estimate>> columns;
  for (const auto& column : result.columns)
    columns.emplace_back(column.name, column.error);
  return detail::json_object<"mean worst columns real_rows synthetic_rows">(
      result.mean,
      result.columns.empty() ? detail::Json::raw("null") : detail::Json(result.columns[result.worst].name),
      detail::json_members(columns), result.real_rows, result.synthetic_rows);
}

inline std::string to_json(const PairTrend& pair) {
  return detail::json_object<"first second value sd">(pair.first_name, pair.second_name, pair.error.value,
                                                      pair.error.sd);
}

inline std::string to_json(const TrendResult& result) {
  return detail::json_object<"mean pairs real_rows synthetic_rows">(result.mean, result.pairs,
                                                                    result.real_rows, result.synthetic_rows);
}

inline std::ostream& operator<<(std::ostream& out, const ShapeResult& result) {
  out << "shape error " << result.mean << " (0 is ideal)";
  if (!result.columns.empty())
    out << "; worst: " << result.columns[result.worst].name << ' '
        << result.columns[result.worst].error.value;
  return out << '\n';
}

inline std::ostream& operator<<(std::ostream& out, const TrendResult& result) {
  out << "trend error " << result.mean << " (0 is ideal)";
  for (std::size_t p = 0; p < std::min<std::size_t>(3, result.pairs.size()); ++p)
    out << (p == 0 ? "; worst: " : ", ") << result.pairs[p].first_name << " x " << result.pairs[p].second_name
        << ' ' << result.pairs[p].error.value;
  return out << '\n';
}

} // namespace evaluate
ROWSMITH_END
