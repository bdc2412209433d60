// SPDX-License-Identifier: MIT
/// \file
/// Does a synthetic table give away rows of its training table? What a hold-out table of the same source
/// shows is the yardstick throughout: rows that no model has seen cannot have leaked.
///
/// A good result here is no proof. Distances to the closest record are known to miss leaks (Ganev & De
/// Cristofaro 2023; Yao et al. 2025): read them together with `membership_inference` and
/// `attribute_inference`.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#if __has_include(<unistd.h>)
#include <math.h>
#endif

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/result_text.hpp>
#include <rowsmith/evaluate/row_distance.hpp>

ROWSMITH_BEGIN
namespace evaluate {

namespace detail {
/// log(n!). `std::lgamma` writes the sign to a variable that all threads share, where the system is POSIX.
inline double log_factorial(double n) {
#if __has_include(<unistd.h>)
  int sign = 0;
  return ::lgamma_r(n + 1, &sign);
#else
  return std::lgamma(n + 1);
#endif
}
} // namespace detail

/// The probability of `successes` or more heads among `trials` throws of a fair coin.
inline double fair_coin_tail(std::size_t successes, std::size_t trials) {
  const auto n = static_cast<double>(trials);
  double sum = 0;
  for (std::size_t k = successes; k <= trials; ++k) {
    const auto heads = static_cast<double>(k);
    const double term = std::exp(detail::log_factorial(n) - detail::log_factorial(heads) -
                                 detail::log_factorial(n - heads) - n * std::log(2.0));
    sum += term;
    if (heads > n / 2 && term < sum * 1e-17)
      break; // the terms only fall from here on
  }
  return std::min(sum, 1.0);
}

/// The probability that a standard normal number is above `z`.
inline double normal_tail(double z) { return std::erfc(z / std::sqrt(2.0)) / 2; }

/// Synthetic rows that equal a training row in every column.
struct CopyResult {
  std::size_t copies = 0;
  std::size_t synthetic_rows = 0;
  Estimate share;                 ///< copies / synthetic_rows
  std::size_t holdout_copies = 0; ///< hold-out rows that equal a training row: what chance alone makes
  std::size_t holdout_rows = 0;
  Estimate base_share; ///< holdout_copies / holdout_rows; the ideal value of `share` is at most this
  /// The share of fresh rows that would equal a training row by chance: what is left of 1 less the share of
  /// training rows that occur once (Good 1953; standard deviation: Esty 1983).
  Estimate twin_share;
  Estimate overlap;           ///< base_share − twin_share: above 0, hold-out rows are training rows
  double overlap_p_value = 1; ///< of an overlap this large or larger by chance
  /// Distinct rows among the synthetic ones that occur in a sample of training rows as large as the hold-out
  /// but not in the hold-out, and the other way round. Without a leak both are as likely.
  std::size_t only_in_training = 0;
  std::size_t only_in_holdout = 0;
  /// Of as many or more in `only_in_training` by chance: small says that copies come from the training rows.
  double p_value = 1;
};

/// Where distances of rows to their closest training rows lie.
struct DistanceQuantiles {
  static constexpr std::array<double, 5> at{0.01, 0.05, 0.25, 0.5, 0.75};
  std::array<double, 5> distance{}; ///< to the closest row
  std::array<double, 5> ratio{};    ///< closest / second closest (NNDR); 1 where both are 0
};

struct DistanceOptions {
  std::size_t max_rows = 50'000; ///< of each table; more are sampled, and the result says so; ≥ 2
  std::uint64_t seed = 0;
  int threads = 0; ///< 0: all; never changes the result

  /// \throws OptionError
  void check() const { detail::check_count("distances.max_rows", max_rows, 2); }
};

/// Distances to the closest record.
struct DistanceResult {
  /// Share of the synthetic rows that are nearer to the training rows than to as many hold-out rows, ties
  /// counting one half. 0.5 is ideal; above, rows huddle around training rows. The standard deviation takes
  /// rows with the same closest record as one.
  Estimate share;
  double p_value = 1;             ///< of a share this large or larger without a leak
  DistanceQuantiles synthetic;    ///< synthetic rows to training rows
  DistanceQuantiles holdout;      ///< hold-out rows to training rows: what unseen real rows show
  std::size_t synthetic_rows = 0; ///< that were looked at
  std::size_t train_rows = 0;
  std::size_t holdout_rows = 0;
  std::size_t compared_rows = 0;          ///< of training and hold-out rows each behind `share`
  std::string note;                       ///< what was sampled; else empty
  std::vector<float> synthetic_distances; ///< to the closest training row, one a synthetic row looked at
  std::vector<float> holdout_distances;
};

namespace detail {

/// Rows of several tables as exact values: two rows are equal if all columns are, missing values being equal
/// to each other.
class ExactRows {
public:
  ExactRows(const Table& table, const SharedCodes& codes) : rows_(table.rows()) {
    for (std::size_t c = 0; c < table.size(); ++c) {
      std::vector<std::uint64_t> column;
      column.reserve(rows_);
      if (table[c].kind == ColumnKind::numerical)
        for (const double value : table[c].values)
          column.push_back(std::isnan(value) ? ~std::uint64_t{0}
                                             : std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value));
      else
        for (const auto code : codes.codes(table[c], c))
          column.push_back(static_cast<std::uint64_t>(std::int64_t{code}));
      columns_.push_back(std::move(column));
    }
  }

  std::size_t rows() const noexcept { return rows_; }
  std::uint64_t hash(std::size_t row) const noexcept {
    std::uint64_t state = 0;
    for (const auto& column : columns_) { // the mixer of splitmix64 (Steele et al. 2014), column by column
      state = (state ^ column[row]) + 0x9E3779B97F4A7C15U;
      state = (state ^ (state >> 30U)) * 0xBF58476D1CE4E5B9U;
      state = (state ^ (state >> 27U)) * 0x94D049BB133111EBU;
      state ^= state >> 31U;
    }
    return state;
  }
  bool equal(std::size_t row, const ExactRows& other, std::size_t other_row) const noexcept {
    for (std::size_t c = 0; c < columns_.size(); ++c)
      if (columns_[c][row] != other.columns_[c][other_row])
        return false;
    return true;
  }

private:
  std::size_t rows_;
  std::vector<std::vector<std::uint64_t>> columns_;
};

/// Answers whether a row is among given ones.
class RowSet {
public:
  RowSet(const ExactRows& rows, std::span<const std::uint32_t> chosen) : rows_(rows) {
    for (const auto row : chosen)
      entries_.emplace_back(rows.hash(row), row);
    std::sort(entries_.begin(), entries_.end());
  }
  bool contains(const ExactRows& other, std::size_t row) const {
    const auto hash = other.hash(row);
    for (auto at = std::lower_bound(entries_.begin(), entries_.end(), std::pair{hash, std::uint32_t{0}});
         at != entries_.end() && at->first == hash; ++at)
      if (rows_.equal(at->second, other, row))
        return true;
    return false;
  }

  /// How many rows occur once, and how many different ones twice; rows of one 64-bit hash count as equal.
  std::pair<std::size_t, std::size_t> rare() const {
    std::pair<std::size_t, std::size_t> result;
    for (std::size_t begin = 0, end = 0; begin < entries_.size(); begin = end) {
      while (end < entries_.size() && entries_[end].first == entries_[begin].first)
        ++end;
      result.first += end - begin == 1 ? 1 : 0;
      result.second += end - begin == 2 ? 1 : 0;
    }
    return result;
  }

private:
  const ExactRows& rows_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> entries_;
};

/// Do two tables hold the same rows, in whatever order? Tables of few different rows, which chance can make
/// equal, do not count.
inline bool same_rows(const Table& a, const Table& b) {
  const SharedCodes codes({&a, &b});
  const auto hashes = [&codes](const Table& table) {
    const ExactRows rows(table, codes);
    std::vector<std::uint64_t> result;
    for (std::size_t row = 0; row < rows.rows(); ++row)
      result.push_back(rows.hash(row));
    std::sort(result.begin(), result.end());
    return result;
  };
  auto of_a = hashes(a);
  if (of_a != hashes(b))
    return false;
  constexpr std::ptrdiff_t few = 10;
  return std::unique(of_a.begin(), of_a.end()) - of_a.begin() > few;
}

inline Estimate share_estimate(std::size_t count, std::size_t rows) {
  const auto n = static_cast<double>(rows);
  const double share = static_cast<double>(count) / n;
  return {share, std::sqrt(share * (1 - share) / n)};
}

inline DistanceQuantiles distance_quantiles(std::span<const Nearest> nearest) {
  std::vector<double> distances;
  std::vector<double> ratios;
  for (const auto& row : nearest) {
    distances.push_back(row.first);
    ratios.push_back(row.second > 0 ? static_cast<double>(row.first) / static_cast<double>(row.second) : 1);
  }
  std::sort(distances.begin(), distances.end());
  std::sort(ratios.begin(), ratios.end());
  DistanceQuantiles result;
  for (std::size_t k = 0; k < result.at.size(); ++k) {
    const double position = result.at[k] * static_cast<double>(distances.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, distances.size() - 1);
    const double part = position - static_cast<double>(below);
    result.distance[k] = distances[below] + part * (distances[above] - distances[below]);
    result.ratio[k] = ratios[below] + part * (ratios[above] - ratios[below]);
  }
  return result;
}

} // namespace detail

/// Marks the rows of one table that stand in another one, equal in every column; of an `among` that comes in
/// parts, part after part. \param found  one a row; those that are marked are not looked for again \throws
/// SchemaError if the tables' columns differ, ShapeError for an empty one, or a `found` of another size
inline void mark_found(const Table& rows, const Table& among, std::vector<bool>& found) {
  detail::check_rows("mark_found", {{&rows, "first"}, {&among, "second"}});
  if (found.size() != rows.rows())
    throw ShapeError("mark_found: expected a mark for each row");
  const SharedCodes codes({&rows, &among});
  const detail::ExactRows own(rows, codes);
  const detail::ExactRows known(among, codes);
  const detail::RowSet set(known, detail::sample_rows(among.rows(), among.rows(), 0, 0));
  for (std::size_t row = 0; row < rows.rows(); ++row)
    if (!found[row])
      found[row] = set.contains(own, row);
}
/// The share of rows that are marked.
inline Estimate share_of(const std::vector<bool>& found) {
  return detail::share_estimate(static_cast<std::size_t>(std::count(found.begin(), found.end(), true)),
                                found.size());
}
/// The share of the rows of one table that stand in another one. \throws as `mark_found`
inline Estimate share_found(const Table& rows, const Table& among) {
  std::vector<bool> found(rows.rows());
  mark_found(rows, among, found);
  return share_of(found);
}

/// \param train rows the model was fitted to \param holdout rows of the same source that it never saw
/// \throws SchemaError if the tables' columns differ, ShapeError for an empty one
inline CopyResult exact_copies(const Table& train, const Table& holdout, const Table& synthetic,
                               std::uint64_t seed = 0) {
  detail::check_rows("exact_copies", train, holdout, synthetic);
  const SharedCodes codes({&train, &holdout, &synthetic});
  const detail::ExactRows train_rows(train, codes);
  const detail::ExactRows holdout_rows(holdout, codes);
  const detail::ExactRows synthetic_rows(synthetic, codes);
  const std::size_t n = std::min(train.rows(), holdout.rows());
  const auto all = [](std::size_t rows) { return detail::sample_rows(rows, rows, 0, 0); };
  const detail::RowSet in_train(train_rows, all(train.rows()));
  const detail::RowSet in_train_sample(train_rows,
                                       detail::sample_rows(train.rows(), n, seed, detail::privacy_train));
  const detail::RowSet in_holdout(holdout_rows,
                                  detail::sample_rows(holdout.rows(), n, seed, detail::privacy_holdout));
  CopyResult result;
  result.synthetic_rows = synthetic.rows();
  result.holdout_rows = holdout.rows();
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
  for (std::size_t row = 0; row < synthetic.rows(); ++row)
    order.emplace_back(synthetic_rows.hash(row), static_cast<std::uint32_t>(row));
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto row = order[i].second;
    result.copies += in_train.contains(synthetic_rows, row) ? 1 : 0;
    bool seen = false;
    for (std::size_t j = i; j > 0 && order[j - 1].first == order[i].first && !seen; --j)
      seen = synthetic_rows.equal(row, synthetic_rows, order[j - 1].second);
    if (seen)
      continue;
    const bool train_has = in_train_sample.contains(synthetic_rows, row);
    const bool holdout_has = in_holdout.contains(synthetic_rows, row);
    result.only_in_training += train_has && !holdout_has ? 1 : 0;
    result.only_in_holdout += holdout_has && !train_has ? 1 : 0;
  }
  for (std::size_t row = 0; row < holdout.rows(); ++row)
    result.holdout_copies += in_train.contains(holdout_rows, row) ? 1 : 0;
  result.share = detail::share_estimate(result.copies, result.synthetic_rows);
  result.base_share = detail::share_estimate(result.holdout_copies, result.holdout_rows);
  const auto [once, twice] = in_train.rare();
  const auto rows = static_cast<double>(train.rows());
  const auto single = static_cast<double>(once);
  result.twin_share = {
      1 - single / rows,
      std::sqrt(std::max(0.0, single * (1 - single / rows) + 2 * static_cast<double>(twice))) / rows};
  result.overlap = {result.base_share.value - result.twin_share.value,
                    std::hypot(result.base_share.sd, result.twin_share.sd)};
  result.overlap_p_value = result.overlap.sd > 0 ? normal_tail(result.overlap.value / result.overlap.sd)
                                                 : (result.overlap.value > 0 ? 0 : 1);
  result.p_value = fair_coin_tail(result.only_in_training, result.only_in_training + result.only_in_holdout);
  return result;
}

/// Distances to the closest record (Gower's, by the training table's ranges): the share of synthetic rows
/// nearer to training than to hold-out rows, and the quantiles of the distances. All rows are compared with
/// all: 32,561 rows of each take about a second. \throws SchemaError if the tables' columns differ,
/// ShapeError for an empty one, OptionError
inline DistanceResult closest_records(const Table& train, const Table& holdout, const Table& synthetic,
                                      const DistanceOptions& options = {}) {
  options.check();
  detail::check_rows("closest_records", train, holdout, synthetic);
  const DistanceSpace space(train, {&holdout, &synthetic});
  DistanceResult result;
  const auto sample = [&](const Table& table, std::uint32_t stream, const char* name, std::size_t& used) {
    auto rows = detail::sample_rows(table.rows(), options.max_rows, options.seed, stream);
    used = rows.size();
    if (used < table.rows())
      result.note += detail::concat(result.note.empty() ? "" : "; ", std::to_string(used), " of ",
                                    std::to_string(table.rows()), " ", name, " rows were sampled");
    return rows;
  };
  auto train_rows = sample(train, detail::privacy_train, "training", result.train_rows);
  const auto holdout_rows = sample(holdout, detail::privacy_holdout, "hold-out", result.holdout_rows);
  const auto synthetic_rows =
      sample(synthetic, detail::privacy_synthetic, "synthetic", result.synthetic_rows);

  // Random training rows come first, as many as there are hold-out rows to set against them.
  const std::size_t n = std::min(train_rows.size(), holdout_rows.size());
  result.compared_rows = n;
  const auto shuffled = [&](std::vector<std::uint32_t> rows, std::uint32_t stream) {
    RandomSequence random(RandomStream(options.seed, Purpose::evaluate, stream), std::uint64_t{1} << 40U);
    shuffle(std::span<std::uint32_t>(rows), random);
    return rows;
  };
  train_rows = shuffled(std::move(train_rows), detail::privacy_train);
  const auto holdout_order = shuffled(holdout_rows, detail::privacy_holdout);
  const auto train_span = std::span<const std::uint32_t>(train_rows);
  const auto train_sample = space.rows(train, train_span.first(n));
  const auto train_rest = space.rows(train, train_span.subspan(n));
  const auto made = space.rows(synthetic, synthetic_rows);
  const auto to_all = [&](const DistanceRows& queries, std::vector<Nearest> nearest) {
    if (train_rest.rows > 0) {
      const auto more = nearest_rows(queries, train_rest, options.threads);
      for (std::size_t i = 0; i < nearest.size(); ++i)
        nearest[i] = nearer(nearest[i], more[i], static_cast<std::uint32_t>(n));
    }
    return nearest;
  };

  const auto to_train = nearest_rows(made, train_sample, options.threads);
  const auto to_holdout = nearest_rows(
      made, space.rows(holdout, std::span<const std::uint32_t>(holdout_order).first(n)), options.threads);
  double sum = 0;
  const auto score = [&](std::size_t i) {
    return to_train[i].first < to_holdout[i].first ? 1.0
                                                   : (to_train[i].first > to_holdout[i].first ? 0 : 0.5);
  };
  for (std::size_t i = 0; i < made.rows; ++i)
    sum += score(i);
  const auto rows = static_cast<double>(made.rows);
  result.share.value = sum / rows;
  // Synthetic rows next to one and the same record are not independent: their deviations add up first.
  std::vector<double> deviation(2 * n);
  for (std::size_t i = 0; i < made.rows; ++i)
    deviation[to_train[i].first <= to_holdout[i].first ? to_train[i].index : n + to_holdout[i].index] +=
        score(i) - result.share.value;
  double squares = 0;
  for (const double value : deviation)
    squares += value * value;
  result.share.sd = std::sqrt(squares) / rows;
  result.p_value = result.share.sd > 0 ? normal_tail((result.share.value - 0.5) / result.share.sd)
                                       : (result.share.value > 0.5 ? 0 : 1);

  const auto synthetic_nearest = to_all(made, to_train);
  const auto unseen = space.rows(holdout, holdout_rows);
  const auto holdout_nearest = to_all(unseen, nearest_rows(unseen, train_sample, options.threads));
  result.synthetic = detail::distance_quantiles(synthetic_nearest);
  result.holdout = detail::distance_quantiles(holdout_nearest);
  for (const auto& nearest : synthetic_nearest)
    result.synthetic_distances.push_back(nearest.first);
  for (const auto& nearest : holdout_nearest)
    result.holdout_distances.push_back(nearest.first);
  return result;
}

inline std::string to_json(const CopyResult& result) {
  return detail::json_object<"copies synthetic_rows share holdout_copies holdout_rows base_share twin_share "
                             "overlap overlap_p_value only_in_training only_in_holdout p_value">(
      result.copies, result.synthetic_rows, result.share, result.holdout_copies, result.holdout_rows,
      result.base_share, result.twin_share, result.overlap, result.overlap_p_value, result.only_in_training,
      result.only_in_holdout, result.p_value);
}

inline std::string to_json(const DistanceQuantiles& quantiles) {
  return detail::json_object<"at distance ratio">(quantiles.at, quantiles.distance, quantiles.ratio);
}

inline std::string to_json(const DistanceResult& result) {
  return detail::json_object<
      "share p_value synthetic holdout synthetic_rows train_rows holdout_rows compared_rows note">(
      result.share, result.p_value, result.synthetic, result.holdout, result.synthetic_rows,
      result.train_rows, result.holdout_rows, result.compared_rows, result.note);
}

inline std::ostream& operator<<(std::ostream& out, const CopyResult& result) {
  return out << "exact copies of training rows: " << result.copies << " of " << result.synthetic_rows << " ("
             << 100 * result.share.value << " %; hold-out rows: " << 100 * result.base_share.value
             << " %); p = " << result.p_value << '\n';
}

inline std::ostream& operator<<(std::ostream& out, const DistanceResult& result) {
  out << "nearer to training than to hold-out rows: " << 100 * result.share.value << " +- "
      << 100 * result.share.sd << " % of synthetic rows (50 is ideal); p = " << result.p_value
      << "\n  median distance to the closest training row " << result.synthetic.distance[3] << " (hold-out "
      << result.holdout.distance[3] << ")\n";
  return detail::print_note(out, result.note);
}

} // namespace evaluate
ROWSMITH_END
