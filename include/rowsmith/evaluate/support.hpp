// SPDX-License-Identifier: MIT
/// \file
/// Does a synthetic table lie where real rows lie, and does it reach all of them? (Alaa et al., "How faithful
/// is your synthetic data?", ICML 2022.)
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/result_text.hpp>
#include <rowsmith/evaluate/row_distance.hpp>

ROWSMITH_BEGIN
namespace evaluate {

struct SupportOptions {
  std::size_t max_rows = 50'000; ///< of each table; ≥ 2
  std::size_t replicates = 20;   ///< of the bootstrap behind each standard deviation; [0, 10000]
  std::uint64_t seed = 0;
  int threads = 0; ///< 0: all; never changes the result

  /// \throws OptionError
  void check() const {
    detail::check_count("support.max_rows", max_rows, 2);
    detail::check_count("support.replicates", replicates, 0, 10'000);
  }
};

/// All in [0, 1]. What real rows show against other real rows is the ideal: precision near 1, recall near
/// 0.5, authenticity between 1/3 and 1/2.
struct SupportResult {
  /// Are synthetic rows as typical as real ones? P(α) is the share of synthetic rows within the sphere around
  /// the real rows' centre that holds the share α of the real ones; this is 1 − Σ |P(α) − α| / Σ α.
  Estimate alpha_precision;
  /// Is every real row reached? R(β) is the share of real rows nearer to a synthetic row (one of the typical
  /// share β) than to another real row; this is 1 − Σ |R(β) − β| / Σ β.
  Estimate beta_recall;
  /// Share of the synthetic rows whose closest real row has another real row even closer. Low: synthetic rows
  /// sit on real ones.
  Estimate authenticity;
  std::size_t rows = 0; ///< sampled from each table: as many as the smaller one has, or `max_rows`
};

namespace detail {

/// Squared Euclidean distances of rows (scaled numbers, one-hot categories) to the mean of `centre`'s rows.
inline std::vector<double> distances_to_centre(const DistanceRows& rows, const DistanceRows& centre) {
  std::vector<double> result(rows.rows);
  for (std::size_t c = 0; c < centre.numbers.size(); ++c) {
    double mean = 0;
    for (const float value : centre.numbers[c])
      mean += static_cast<double>(value) / static_cast<double>(centre.rows);
    for (std::size_t i = 0; i < rows.rows; ++i)
      result[i] += (rows.numbers[c][i] - mean) * (rows.numbers[c][i] - mean);
  }
  const auto code = [](const DistanceRows& of, std::size_t plane, std::size_t planes, std::size_t row) {
    std::size_t value = 0;
    for (std::size_t p = planes; p-- > 0;)
      value = value << 8U | of.bytes[plane + p][row];
    return value;
  };
  std::size_t plane = 0;
  for (const std::size_t planes : centre.planes) {
    std::vector<double> share;
    const auto at = [&](std::size_t k) -> double& {
      if (k >= share.size())
        share.resize(k + 1);
      return share[k];
    };
    for (std::size_t i = 0; i < centre.rows; ++i)
      at(code(centre, plane, planes, i)) += 1 / static_cast<double>(centre.rows);
    for (std::size_t i = 0; i < rows.rows; ++i)
      at(code(rows, plane, planes, i)); // categories that the centre lacks
    double squares = 0;
    for (const double value : share)
      squares += value * value;
    // |e_k − p|² = 1 − 2 p_k + |p|²
    for (std::size_t i = 0; i < rows.rows; ++i)
      result[i] += 1 - 2 * share[code(rows, plane, planes, i)] + squares;
    plane += planes;
  }
  return result;
}

/// Numbers with their missing values at the mean, since a centre needs a place for every row; whether a value
/// is missing is a category of its own.
inline void settle_missing(DistanceRows& rows, const DistanceRows& reference) {
  constexpr float limit = 1e8F; // of `DistanceSpace`'s missing values
  for (std::size_t c = 0; c < rows.numbers.size(); ++c) {
    double sum = 0;
    double count = 0;
    for (const float value : reference.numbers[c])
      if (value < limit) {
        sum += value;
        ++count;
      }
    const auto mean = static_cast<float>(count > 0 ? sum / count : 0);
    std::vector<std::uint8_t> missing;
    for (auto& value : rows.numbers[c]) {
      missing.push_back(value < limit ? 0 : 1);
      value = value < limit ? value : mean;
    }
    rows.bytes.push_back(std::move(missing));
    rows.planes.push_back(1);
  }
}

} // namespace detail

/// α-precision, β-recall and authenticity on rows with numbers scaled to the real range and one-hot
/// categories, in Euclidean distance ("naive", without the one-class embedding of the paper), summed over 30
/// values of α and β as the paper's program does. Differences of numbers count at most one range.
/// \throws SchemaError if the tables' columns differ, ShapeError for a table of fewer than 2 rows,
/// OptionError
inline SupportResult support(const Table& real, const Table& synthetic, const SupportOptions& options = {}) {
  options.check();
  if (real.rows() < 2 || synthetic.rows() < 2)
    throw ShapeError("support: " + std::to_string(real.rows()) + " real and " +
                     std::to_string(synthetic.rows()) + " synthetic rows, expected 2 or more");
  const DistanceSpace space(real, {&synthetic});
  // As many of each: how near the closest row is depends on how many there are.
  const std::size_t n = std::min({options.max_rows, real.rows(), synthetic.rows()});
  const auto real_chosen = detail::sample_rows(real.rows(), n, options.seed, detail::support_real);
  const auto made_chosen = detail::sample_rows(synthetic.rows(), n, options.seed, detail::support_synthetic);
  auto truth = space.rows(real, real_chosen);
  auto made = space.rows(synthetic, made_chosen);
  const auto reference = truth;
  detail::settle_missing(truth, reference);
  detail::settle_missing(made, reference);

  SupportResult result;
  result.rows = n;

  const auto real_radius = detail::distances_to_centre(truth, truth);
  const auto made_radius = detail::distances_to_centre(made, truth);
  const auto made_own_radius = detail::distances_to_centre(made, made);
  constexpr auto metric = RowMetric::euclidean_squared;
  const auto real_to_real = nearest_rows<metric>(truth, truth, options.threads); // itself, then another one
  const auto real_to_made = nearest_rows<metric>(truth, made, options.threads);
  const auto made_to_real = nearest_rows<metric>(made, truth, options.threads);

  constexpr std::size_t levels = 30;
  const auto quantiles = [](std::vector<double> values) {
    std::sort(values.begin(), values.end());
    std::vector<double> result_at;
    for (std::size_t k = 0; k < levels; ++k) {
      const double position = static_cast<double>(k) / (levels - 1) * static_cast<double>(values.size() - 1);
      const auto below = static_cast<std::size_t>(position);
      const std::size_t above = std::min(below + 1, values.size() - 1);
      result_at.push_back(values[below] +
                          (position - static_cast<double>(below)) * (values[above] - values[below]));
    }
    return result_at;
  };
  // Square roots, so that the quantiles are interpolated between distances, not their squares.
  const auto roots = [](const std::vector<double>& squares) {
    std::vector<double> values;
    for (const double square : squares)
      values.push_back(std::sqrt(std::max(square, 0.0)));
    return values;
  };
  const auto real_edges = quantiles(roots(real_radius));
  const auto made_distance = roots(made_radius);
  const auto made_own = roots(made_own_radius);
  std::vector<double> closest_own;
  for (const auto& nearest : real_to_made)
    closest_own.push_back(made_own[nearest.index]);
  const auto made_edges = quantiles(closest_own);

  // The lowest level whose sphere holds a row; `levels` for none.
  const auto level_of = [](double value, const std::vector<double>& edges) {
    return static_cast<std::size_t>(std::lower_bound(edges.begin(), edges.end(), value) - edges.begin());
  };
  std::vector<std::size_t> precise;
  for (const double value : made_distance)
    precise.push_back(level_of(value, real_edges));
  std::vector<std::size_t> reached;
  for (std::size_t i = 0; i < truth.rows; ++i) {
    const bool near = real_to_made[i].first <= real_to_real[i].second;
    reached.push_back(near ? level_of(closest_own[i], made_edges) : levels);
  }
  std::vector<std::uint32_t> authentic;
  for (const auto& nearest : made_to_real)
    authentic.push_back(real_to_real[nearest.index].second < nearest.first ? 1 : 0);

  const auto score = [](const std::vector<std::size_t>& level, const std::vector<std::uint32_t>& weights) {
    std::vector<double> at(levels + 1);
    for (std::size_t i = 0; i < level.size(); ++i)
      at[level[i]] += weights[i];
    double inside = 0;
    double off = 0;
    double total = 0;
    for (std::size_t k = 0; k < levels; ++k) {
      const double alpha = static_cast<double>(k) / (levels - 1);
      inside += at[k] / static_cast<double>(level.size());
      off += std::abs(inside - alpha);
      total += alpha;
    }
    return 1 - off / total;
  };
  std::vector<double> precision;
  std::vector<double> recall;
  std::vector<double> authenticity;
  for (std::size_t replicate = 0; replicate <= options.replicates; ++replicate) {
    const auto real_weights =
        detail::bootstrap_weights(truth.rows, replicate, options.seed, detail::bootstrap_real);
    const auto made_weights =
        detail::bootstrap_weights(made.rows, replicate, options.seed, detail::bootstrap_synthetic);
    precision.push_back(score(precise, made_weights));
    recall.push_back(score(reached, real_weights));
    double sum = 0;
    for (std::size_t i = 0; i < made.rows; ++i)
      sum += static_cast<double>(authentic[i]) * static_cast<double>(made_weights[i]);
    authenticity.push_back(sum / static_cast<double>(made.rows));
  }
  result.alpha_precision = detail::bootstrap_estimate(precision);
  result.beta_recall = detail::bootstrap_estimate(recall);
  result.authenticity = detail::bootstrap_estimate(authenticity);
  return result;
}

inline std::string to_json(const SupportResult& result) {
  return detail::json_object<"alpha_precision beta_recall authenticity rows">(
      result.alpha_precision, result.beta_recall, result.authenticity, result.rows);
}

inline std::ostream& operator<<(std::ostream& out, const SupportResult& result) {
  return out << "alpha-precision " << result.alpha_precision << ", beta-recall " << result.beta_recall
             << ", authenticity " << result.authenticity << " (" << result.rows << " rows of each)\n";
}

} // namespace evaluate
ROWSMITH_END
