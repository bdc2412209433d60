// SPDX-License-Identifier: MIT
/// \file
/// What autoregressive heads know of columns that move together before the training begins.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/linalg/gemm.hpp>
#include <rowsmith/linalg/large_cholesky.hpp>
#include <rowsmith/linalg/principal_axes.hpp>
#include <rowsmith/models/heads.hpp>

ROWSMITH_BEGIN

/// A linear prediction of each column in order from those before it. A number, or a choice of two, has one
/// line: code k has a score s_k, and its logit has s_k · slope added. Any other column has a line for each
/// code, whose score is 1 for that code and 0 for others. A line's slope is Σ over lines of earlier columns
/// of weight · (their code's score). That is what a Gaussian copula adds, in closed form; the network learns
/// what differs from it. A value type.
struct LinearPath {
  std::vector<std::int32_t> columns; ///< code columns that take part, in the order of the heads; empty: none
  std::vector<float> scores;         ///< of the codes of those with one line, column after column
  std::vector<float> weights;        ///< lines × lines; [a][b] for a of an earlier column than b, else 0

  /// Of a code column that takes part.
  static Index lines(const TableEncoder& encoder, std::size_t column) {
    const auto& stretch = encoder.layout()[column];
    const auto& codec = encoder.codecs()[stretch.column];
    const bool ordered = codec.kind != ColumnCodec::Kind::categorical || codec.plain_codes() == 2;
    return ordered ? 1 : Index{stretch.width};
  }
};

namespace detail {

/// Finds the linear path of a table's rows: regressions of normal scores and of categories, all from one
/// Cholesky factor of their shrunken correlations. How much these shrink, towards none or towards what some
/// common factors explain, and how far each column follows its prediction, is what rows that were kept apart
/// tell: of structures that they cannot tell from the best, the simplest.
class LinearPathFit {
public:
  /// \param order  code columns as the heads draw them \param shares  of each one's codes, by code column
  LinearPathFit(const TableEncoder& encoder, const HeadRows& rows, const std::vector<std::int32_t>& order,
                const std::vector<std::vector<double>>& shares) {
    // Time and memory grow with lines: of too many, those of categories go first.
    for (const std::size_t of_a_column : {most_of_a_column, std::size_t{1}}) {
      columns_.clear();
      shares_.clear();
      lines_ = 0;
      for (const auto column : order)
        if (takes_part(encoder, column, shares[static_cast<std::size_t>(column)], rows.count(), of_a_column))
          add(encoder, column, shares[static_cast<std::size_t>(column)]);
      if (lines_ <= most_lines)
        break;
    }
    if (columns_.size() > 1 && lines_ <= most_lines) {
      for (const auto& column : columns_)
        for (const double score : column.scores)
          path.scores.push_back(static_cast<float>(score));
      read(rows);
    }
    if (rows_ < least_rows || !fit()) {
      path = {};
      bias.clear();
    }
  }

  LinearPath path;
  std::vector<float> bias; ///< added to the logits of all codes of the path's columns, beside the margins

private:
  static constexpr std::size_t least_rows = 100;
  static constexpr std::size_t most_scores = 20'000'000; ///< rows are left out beyond
  static constexpr std::size_t most_of_a_column = 32;    ///< lines
  static constexpr std::size_t most_lines = 4096;
  static constexpr double least_varied_rows = 5;     ///< that have not a column's commonest code
  static constexpr double most_without_value = 0.01; ///< share of rows of a column that follows others
  static constexpr std::size_t block = 512;
  static constexpr double least_gain = 0.05;  ///< nats a row; below it no path is worth its time
  static constexpr double least_left = 0.01;  ///< of a line's variance: no prediction is taken for better
  static constexpr double least_pivot = 0.01; ///< below it, weights may be anything
  static constexpr std::size_t fewest_factors = 4;
  static constexpr std::size_t most_factors = 32;
  static constexpr std::size_t least_lines_a_factor = 8; ///< fewer cannot tell factors from chance
  static constexpr std::array<double, 8> follows{0.25, 0.5, 0.75, 0.9, 1, 1.5, 2, 3};

  using Square = AlignedBuffer<double>;
  struct Column {
    std::size_t line = 0;
    std::size_t lines = 1;
    std::size_t codes = 0;
    std::size_t code = 0;       ///< the first of its codes among those of all columns
    std::vector<double> scores; ///< with one line
    std::int32_t of = 0;        ///< the encoder's code column
    bool follows = true;        ///< otherwise it tells others something, and no more
  };

  static bool takes_part(const TableEncoder& encoder, std::int32_t column, const std::vector<double>& shares,
                         std::size_t rows, std::size_t most) {
    const auto& stretch = encoder.layout()[static_cast<std::size_t>(column)];
    const double varied = (1 - *std::max_element(shares.begin(), shares.end())) * static_cast<double>(rows);
    return !stretch.fine && encoder.codecs()[stretch.column].plain_codes() > 1 &&
           varied >= least_varied_rows &&
           static_cast<std::size_t>(LinearPath::lines(encoder, static_cast<std::size_t>(column))) <= most;
  }
  void add(const TableEncoder& encoder, std::int32_t column, const std::vector<double>& shares) {
    Column added;
    added.of = column;
    added.line = lines_;
    added.lines = static_cast<std::size_t>(LinearPath::lines(encoder, static_cast<std::size_t>(column)));
    added.codes = shares.size();
    added.code = shares_.size();
    if (added.lines == 1) {
      const auto& codec = encoder.codecs()[encoder.layout()[static_cast<std::size_t>(column)].column];
      added.scores = scores_of(codec, shares);
      // How probable such a code is would depend on the prediction in another way than the path can say.
      double without = 0;
      for (std::size_t k = codec.plain_codes(); k < shares.size(); ++k)
        without += shares[k];
      added.follows = without <= most_without_value;
    }
    lines_ += added.lines;
    shares_.insert(shares_.end(), shares.begin(), shares.end());
    columns_.push_back(std::move(added));
  }
  /// Scores of a column's codes: the mean of a standard normal number between where its share begins and
  /// ends, then to mean 0 and variance 1. Codes without a value have 0.
  static std::vector<double> scores_of(const ColumnCodec& codec, const std::vector<double>& shares) {
    const std::size_t plain = codec.plain_codes();
    std::vector<std::size_t> rising(plain);
    std::iota(rising.begin(), rising.end(), std::size_t{0});
    const auto value = [&codec](std::size_t code) {
      const std::size_t points = codec.points.size();
      return code < points ? codec.points[code]
                           : codec.knots[code - points] / 2 + codec.knots[code - points + 1] / 2;
    };
    if (codec.kind == ColumnCodec::Kind::binned)
      std::sort(rising.begin(), rising.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(value(a), a) < std::pair(value(b), b);
      });
    double all = 0;
    for (std::size_t k = 0; k < plain; ++k)
      all += shares[k];
    const auto density = [](double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); };
    std::vector<double> scores(shares.size());
    double below = 0;
    double low = 0; // the density where a code's share begins
    for (std::size_t i = 0; i < plain; ++i) {
      const double share = shares[rising[i]] / all;
      below += share;
      const double high = i + 1 == plain || below >= 1 ? 0 : density(normal_quantile(below));
      scores[rising[i]] = (low - high) / share;
      low = high;
    }
    double mean = 0;
    double square = 0;
    for (std::size_t k = 0; k < plain; ++k) {
      mean += shares[k] / all * scores[k];
      square += shares[k] / all * scores[k] * scores[k];
    }
    const double deviation = std::sqrt(std::max(square - mean * mean, 1e-12));
    for (std::size_t k = 0; k < plain; ++k)
      scores[k] = (scores[k] - mean) / deviation;
    return scores;
  }

  /// Codes of the rows: every fifth is kept apart.
  void read(const HeadRows& rows) {
    const std::size_t step = 1 + rows.count() * lines_ / most_scores;
    std::size_t i = 0;
    rows.each([&](std::size_t row) {
      if (i++ % step != 0)
        return;
      auto& to = ++rows_ % 5 == 0 ? apart_ : kept_;
      for (const auto& column : columns_)
        to.push_back(static_cast<std::uint32_t>(rows.table->code(row, static_cast<std::size_t>(column.of))));
    });
  }
  std::size_t count(const std::vector<std::uint32_t>& rows) const { return rows.size() / columns_.size(); }
  /// A code's score in a line of its column, with mean 0.
  double score(const Column& column, std::size_t line, std::uint32_t code) const {
    return column.lines == 1 ? column.scores[code] : (code == line ? 1 : 0) - shares_[column.code + line];
  }
  /// Calls `visit(first row, scores, rows)` with up to `block` rows of scores, rows × lines.
  template <class Visit>
  void each_block(const std::vector<std::uint32_t>& rows, const Visit& visit) const {
    Square scores(block * lines_);
    for (std::size_t begin = 0; begin < count(rows); begin += block) {
      const std::size_t here = std::min(block, count(rows) - begin);
      double* to = scores.data();
      for (std::size_t r = begin; r < begin + here; ++r)
        for (std::size_t c = 0; c < columns_.size(); ++c)
          for (std::size_t line = 0; line < columns_[c].lines; ++line)
            *to++ = score(columns_[c], line, rows[r * columns_.size() + c]);
      visit(begin, scores.data(), static_cast<Index>(here));
    }
  }
  /// Sums over rows, of scores and of scores · scoresᵀ.
  struct Moments {
    double rows = 0;
    std::vector<double> sums;
    Square products;
  };
  void add_rows(const std::vector<std::uint32_t>& rows, Moments& to) const {
    const auto lines = static_cast<Index>(lines_);
    GemmWorkspace<double> workspace;
    to.sums.resize(lines_);
    to.products.resize(lines_ * lines_);
    to.rows += static_cast<double>(count(rows));
    each_block(rows, [&](std::size_t, const double* scores, Index here) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(here) * lines_; ++i)
        to.sums[i % lines_] += scores[i];
      gemm(lines, lines, here, transposed<double>(scores, lines), as_is<double>(scores, lines),
           to.products.data(), true, workspace);
    });
  }
  /// What sample correlations shrink towards: those of a number of common factors.
  struct Structure {
    std::size_t factors = 0; ///< 0: none, lines that do not depend on each other
    double share = 1;        ///< of the structure; the rest is as the rows have it
  };
  /// Correlations of the lines (lines × lines, diagonal 1), and where they come from.
  struct Correlations {
    Square values;
    std::vector<double> deviation; ///< of each line; 0: none of the rows differs from the others
  };
  Correlations correlations(const Moments& moments) const {
    Correlations result{Square(lines_ * lines_), std::vector<double>(lines_)};
    const auto covariance = [&](std::size_t a, std::size_t b) {
      return moments.products.data()[a * lines_ + b] / moments.rows -
             moments.sums[a] / moments.rows * (moments.sums[b] / moments.rows);
    };
    for (std::size_t a = 0; a < lines_; ++a)
      if (const double variance = covariance(a, a); variance > 1e-8)
        result.deviation[a] = std::sqrt(variance);
    for (std::size_t a = 0; a < lines_; ++a)
      for (std::size_t b = 0; b < lines_; ++b) {
        const double deviations = result.deviation[a] * result.deviation[b];
        result.values.data()[a * lines_ + b] = a == b            ? 1
                                               : deviations == 0 ? 0
                                                                 : covariance(a, b) / deviations;
      }
    return result;
  }
  /// Weights of each line by those of earlier columns, lines × lines: column by column a regression.
  /// \param towards  what correlations shrink to by `share`; empty: none
  /// \returns empty if the correlations have no factor
  Square regressions(const Correlations& from, const Square& towards, double share) const {
    const auto& scale = from.deviation;
    Square factor(lines_ * lines_);
    for (std::size_t i = 0; i < lines_ * lines_; ++i)
      factor.data()[i] = i % (lines_ + 1) == 0 ? 1
                                               : (1 - share) * from.values.data()[i] +
                                                     (towards.size() > 0 ? share * towards.data()[i] : 0);
    if (!large_cholesky(factor.data(), lines_))
      return {};
    for (std::size_t a = 0; a < lines_; ++a)
      if (factor.data()[a * (lines_ + 1)] < least_pivot)
        return {};
    // With L the factor, its lines B of a column and X its inverse, lines B of the inverse are −1 times the
    // inverse of L's own block times the weights.
    Square inverse(lines_ * lines_);
    invert_lower(factor.data(), lines_, inverse.data());
    Square weights(lines_ * lines_);
    for (const auto& column : columns_)
      for (std::size_t b = column.line; b < column.line + column.lines; ++b)
        for (std::size_t k = column.line; k <= b; ++k) {
          const double own = factor.data()[b * lines_ + k];
          for (std::size_t a = 0; a < column.line; ++a)
            if (scale[a] > 0)
              weights.data()[a * lines_ + b] -= own * inverse.data()[k * lines_ + a] * scale[b] / scale[a];
        }
    return weights;
  }
  /// Predictions of the rows that were kept apart, rows × lines.
  Square predictions(const Square& weights) const {
    const auto lines = static_cast<Index>(lines_);
    Square result(count(apart_) * lines_);
    GemmWorkspace<double> workspace;
    each_block(apart_, [&](std::size_t begin, const double* scores, Index here) {
      gemm(here, lines, lines, as_is<double>(scores, lines), as_is<double>(weights.data(), lines),
           result.data() + begin * lines_, false, workspace);
    });
    return result;
  }
  /// How well predictions do on the rows that were kept apart, as if all lines were normal numbers.
  struct Trial {
    Structure structure;
    std::vector<double> left; ///< share of its variance that is left of each line; above 1 where they mislead
    double loss = 0;          ///< nats a row: that of normal distributions of what is left
  };
  Trial trial(const Structure& structure, const Square& predicted) const {
    Trial result{structure, std::vector<double>(lines_)};
    std::vector<double> all(lines_);
    each_block(apart_, [&](std::size_t begin, const double* scores, Index here) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(here) * lines_; ++i) {
        const double rest = scores[i] - predicted.data()[begin * lines_ + i];
        result.left[i % lines_] += rest * rest;
        all[i % lines_] += scores[i] * scores[i];
      }
    });
    for (std::size_t a = 0; a < lines_; ++a) {
      result.left[a] = all[a] > 0 ? std::max(result.left[a] / all[a], least_left) : 1;
      result.loss += std::log(result.left[a]) / 2;
    }
    return result;
  }
  /// As many common factors as are tried of so many lines: 4, 8, 16, 32, or none.
  static std::size_t most_factors_of(std::size_t lines) {
    std::size_t most = 0;
    for (std::size_t factors = fewest_factors;
         factors <= most_factors && lines >= least_lines_a_factor * factors; factors *= 2)
      most = factors;
    return most;
  }
  /// \returns false if no path is worth its time
  bool fit() {
    Moments moments;
    add_rows(kept_, moments);
    const auto kept = correlations(moments);
    const std::size_t most = most_factors_of(lines_);
    const Square axes = most > 0 ? principal_axes(kept.values.data(), lines_, most) : Square();
    const auto towards = [&](const Square& values, const Square& axes_of_them, std::size_t factors) {
      return factors == 0 ? Square()
                          : by_common_factors(values.data(), lines_, axes_of_them.data(), most, factors);
    };
    // As normal numbers all structures are compared; only the best one of each kind as what its columns
    // follow, which takes longer: of a category's lines, all but one tell the same once more.
    std::array<std::optional<Trial>, 3> best_of_kind;
    const auto attempt = [&](const Square& target, const Structure& structure) {
      const auto weights = regressions(kept, target, structure.share);
      if (weights.size() == 0)
        return;
      auto& best = best_of_kind[structure.factors == 0 ? 2 : structure.share < 1 ? 1 : 0];
      if (Trial made = trial(structure, predictions(weights)); !best || made.loss < best->loss)
        best = std::move(made);
    };
    for (std::size_t factors = fewest_factors; factors <= most; factors *= 2) {
      const Square target = towards(kept.values, axes, factors);
      for (const double share : {1.0, 0.7})
        attempt(target, {factors, share});
    }
    for (const double share : {0.3, 0.1, 0.03, 0.003})
      attempt({}, {0, share});
    std::vector<Followed> candidates;
    std::vector<std::vector<double>> losses;
    for (const auto& best : best_of_kind)
      if (best) {
        const auto& structure = best->structure;
        const auto weights =
            regressions(kept, towards(kept.values, axes, structure.factors), structure.share);
        candidates.push_back(follow_all(*best, weights));
        losses.push_back(candidates.back().losses);
      }
    if (candidates.empty())
      return false;
    auto& best = candidates[simplest_within_error(losses)];
    if (best.gain.mean < least_gain || best.gain.mean < 2 * std::sqrt(best.gain.variance))
      return false;
    const Structure structure = best.structure;
    bias = std::move(best.bias);
    add_rows(apart_, moments);
    // Once more, with all rows.
    const auto all = correlations(moments);
    const Square all_axes =
        structure.factors > 0 ? principal_axes(all.values.data(), lines_, most) : Square();
    auto chosen = regressions(all, towards(all.values, all_axes, structure.factors), structure.share);
    if (chosen.size() == 0)
      chosen = regressions(kept, towards(kept.values, axes, structure.factors), structure.share);
    for (const auto& column : columns_)
      path.columns.push_back(column.of);
    path.weights.resize(lines_ * lines_);
    for (std::size_t c = 0; c < columns_.size(); ++c)
      for (std::size_t line = 0; line < columns_[c].lines; ++line)
        set_weights(columns_[c].line + line, best.factors[c][line], chosen);
    return true;
  }
  /// The weights of line b. Scores of a column with a line a code have mean 0 in the regression, and are 1
  /// and 0 in the path.
  void set_weights(std::size_t b, double factor, const Square& weights) {
    for (const auto& from : columns_) {
      if (from.line + from.lines > b)
        return;
      double mean = 0;
      for (std::size_t k = 0; from.lines > 1 && k < from.lines; ++k)
        mean += shares_[from.code + k] * weights.data()[(from.line + k) * lines_ + b];
      for (std::size_t k = 0; k < from.lines; ++k)
        path.weights[(from.line + k) * lines_ + b] =
            static_cast<float>(factor * (weights.data()[(from.line + k) * lines_ + b] - mean));
    }
  }
  /// Nats a row that the path adds, by rows that nothing was chosen by, and how exactly that is known.
  struct Gain {
    double mean = 0;
    double variance = 0;
  };
  /// Mean of what a column gains in some of the rows that were kept apart, and the square of its error.
  static Gain gain_of(const std::vector<double>& by_row, std::size_t first) {
    Gain gain;
    double square = 0;
    for (std::size_t r = first; r < by_row.size(); r += 2) {
      gain.mean += by_row[r];
      square += by_row[r] * by_row[r];
    }
    const std::size_t rows = (by_row.size() - first + 1) / 2;
    const auto count = static_cast<double>(rows);
    gain.mean /= count;
    gain.variance = std::max(square / count - gain.mean * gain.mean, 0.0) / count;
    return gain;
  }
  /// A path of a structure.
  struct Followed {
    Structure structure;
    std::vector<std::vector<double>> factors{}; ///< of each column's lines
    std::vector<float> bias;                    ///< of all columns' codes
    Gain gain{};
    std::vector<double> losses; ///< nats of each row that was kept apart, against margins alone
  };
  Followed follow_all(const Trial& trial, const Square& weights) const {
    Followed result{.structure = trial.structure,
                    .bias = std::vector<float>(shares_.size()),
                    .losses = std::vector<double>(count(apart_))};
    const Square predicted = predictions(weights);
    for (std::size_t c = 0; c < columns_.size(); ++c)
      result.factors.push_back(follow(c, predicted, trial.left, result));
    return result;
  }
  /// How far a column follows its prediction: by how likely that makes half of the rows that were kept apart;
  /// the other half tells what that is worth. \param all  gets its biases, what the other half gains and what
  /// all do \returns a factor for each line; 0: it does not follow
  std::vector<double> follow(std::size_t c, const Square& predicted, const std::vector<double>& left,
                             Followed& all) const {
    const Column& column = columns_[c];
    std::vector<double> result(column.lines);
    std::vector<double> best_bias;
    std::vector<double> best_by_row;
    std::vector<double> by_row(count(apart_));
    Gain worth;
    double best = 0;
    for (const double follow : follows) {
      if (!column.follows)
        break;
      const auto own = gains(c, predicted, left, follow, by_row);
      const Gain here = gain_of(by_row, 0);
      if (here.mean > best && here.mean > 2 * std::sqrt(here.variance)) {
        best = here.mean;
        best_bias = own;
        best_by_row = by_row;
        worth = gain_of(by_row, 1);
        for (std::size_t line = 0; line < column.lines; ++line)
          result[line] = follow * factor(column, line, left);
      }
    }
    all.gain.mean += worth.mean;
    all.gain.variance += worth.variance;
    if (worth.mean <= 0)
      return std::vector<double>(column.lines);
    for (std::size_t k = 0; k < column.codes; ++k)
      all.bias[column.code + k] = static_cast<float>(best_bias[k]);
    for (std::size_t r = 0; r < by_row.size(); ++r)
      all.losses[r] -= best_by_row[r];
    return result;
  }
  /// The logarithm of N(s; m, v) / N(s; 0, 1) is s · m / v + s² · (1 − 1 / v) / 2 and what no code changes;
  /// that of a category's (share + m) / share is m / share to first order.
  double factor(const Column& column, std::size_t line, const std::vector<double>& left) const {
    return 1 / (column.lines == 1 ? std::min(left[column.line], 1.0) : shares_[column.code + line]);
  }
  /// What each row that was kept apart gains if a column follows its prediction so far. \returns its biases
  std::vector<double> gains(std::size_t c, const Square& predicted, const std::vector<double>& left,
                            double follow, std::vector<double>& by_row) const {
    const Column& column = columns_[c];
    const double* shares = shares_.data() + column.code;
    std::vector<double> own(column.codes);
    for (std::size_t k = 0; column.lines == 1 && k < column.codes; ++k)
      own[k] = follow * (1 - factor(column, 0, left)) / 2 * column.scores[k] * column.scores[k];
    std::vector<double> p(column.codes);
    std::vector<double> mean(column.codes);
    // Biases of categories so that their shares stay: each round brings them nearer.
    for (int round = 0;; ++round) {
      std::fill(mean.begin(), mean.end(), 0.0);
      for (std::size_t r = 0; r < by_row.size(); ++r) {
        const double* slopes = predicted.data() + r * lines_ + column.line;
        double most = -std::numeric_limits<double>::infinity();
        for (std::size_t k = 0; k < column.codes; ++k) {
          const std::size_t line = column.lines == 1 ? 0 : k;
          const double score = column.lines == 1 ? column.scores[k] : 1;
          p[k] = std::log(shares[k]) + own[k] + follow * factor(column, line, left) * score * slopes[line];
          most = std::max(most, p[k]);
        }
        const std::size_t code = apart_[r * columns_.size() + c];
        by_row[r] = p[code] - most - std::log(shares[code]);
        double sum = 0;
        for (std::size_t k = 0; k < column.codes; ++k)
          sum += p[k] = std::exp(p[k] - most);
        by_row[r] -= std::log(sum);
        for (std::size_t k = 0; k < column.codes; ++k)
          mean[k] += p[k] / sum / static_cast<double>(by_row.size());
      }
      if (column.lines == 1 || round == 3)
        return own;
      for (std::size_t k = 0; k < column.codes; ++k)
        own[k] += std::log(shares[k] / std::max(mean[k], 1e-9));
    }
  }

  std::vector<Column> columns_;
  std::size_t lines_ = 0;
  std::vector<double> shares_;       ///< of all columns' codes
  std::vector<std::uint32_t> kept_;  ///< codes of rows × columns
  std::vector<std::uint32_t> apart_; ///< the same of rows that decide
  std::size_t rows_ = 0;
};

} // namespace detail
ROWSMITH_END
