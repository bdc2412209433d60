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
#include <utility>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/linalg/gemm.hpp>
#include <rowsmith/linalg/large_cholesky.hpp>
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

/// Where the standard normal distribution has `share` below, for 0 < share < 1.
inline double normal_quantile(double share) noexcept {
  double low = -40;
  double high = 40;
  for (int i = 0; i < 64; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// Finds the linear path of a table's rows: ridge regressions of normal scores and of categories, all from
/// one factor of their shrunken correlations. How much these shrink, and how far each column follows its
/// prediction, is what makes rows that were kept apart likeliest.
class LinearPathFit {
public:
  /// \param order  code columns as the heads draw them \param shares  of each one's codes, by code column
  LinearPathFit(const TableEncoder& encoder, const HeadRows& rows, const std::vector<std::int32_t>& order,
                const std::vector<std::vector<double>>& shares) {
    for (const auto column : order)
      if (takes_part(encoder, column))
        add(encoder, column, shares[static_cast<std::size_t>(column)]);
    if (columns_.size() > 1)
      read(rows);
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
  static constexpr std::int32_t most_lines = 32;         ///< of a column
  static constexpr std::size_t block = 512;
  static constexpr double least_gain = 0.05; ///< nats a row; below it no path is worth its time
  static constexpr std::array<double, 4> shrinkages{0.003, 0.03, 0.1, 0.3};
  static constexpr std::array<double, 8> follows{0.25, 0.5, 0.75, 0.9, 1, 1.5, 2, 3};

  using Square = AlignedBuffer<double>;
  struct Column {
    std::size_t line = 0;
    std::size_t lines = 1;
    std::size_t codes = 0;
    std::size_t code = 0;       ///< the first of its codes among those of all columns
    std::vector<double> scores; ///< with one line
  };

  static bool takes_part(const TableEncoder& encoder, std::int32_t column) {
    const auto& stretch = encoder.layout()[static_cast<std::size_t>(column)];
    const auto& codec = encoder.codecs()[stretch.column];
    return !stretch.fine && codec.plain_codes() > 1 &&
           (codec.kind != ColumnCodec::Kind::categorical || stretch.width <= most_lines);
  }
  void add(const TableEncoder& encoder, std::int32_t column, const std::vector<double>& shares) {
    Column added;
    added.line = lines_;
    added.lines = static_cast<std::size_t>(LinearPath::lines(encoder, static_cast<std::size_t>(column)));
    added.codes = shares.size();
    added.code = shares_.size();
    if (added.lines == 1)
      added.scores =
          scores_of(encoder.codecs()[encoder.layout()[static_cast<std::size_t>(column)].column], shares);
    lines_ += added.lines;
    shares_.insert(shares_.end(), shares.begin(), shares.end());
    path.columns.push_back(column);
    for (const double score : added.scores)
      path.scores.push_back(static_cast<float>(score));
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
      for (const auto column : path.columns)
        to.push_back(static_cast<std::uint32_t>(rows.table->code(row, static_cast<std::size_t>(column))));
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
  /// Adds Σ over rows of scores · scoresᵀ.
  void add_products(const std::vector<std::uint32_t>& rows, Square& to) const {
    const auto lines = static_cast<Index>(lines_);
    GemmWorkspace<double> workspace;
    each_block(rows, [&](std::size_t, const double* scores, Index here) {
      gemm(lines, lines, here, transposed<double>(scores, lines), as_is<double>(scores, lines), to.data(),
           true, workspace);
    });
  }
  /// Weights of each line by those of earlier columns, lines × lines: column by column a regression.
  /// \returns empty if the correlations have no factor
  Square regressions(const Square& products, double rows, double shrinkage) const {
    Square factor(lines_ * lines_);
    std::vector<double> scale(lines_);
    for (std::size_t a = 0; a < lines_; ++a)
      scale[a] = 1 / std::sqrt(std::max(products.data()[a * lines_ + a] / rows, 1e-9));
    for (std::size_t a = 0; a < lines_; ++a)
      for (std::size_t b = 0; b <= a; ++b)
        factor.data()[a * lines_ + b] =
            a == b ? 1 : (1 - shrinkage) * products.data()[a * lines_ + b] / rows * scale[a] * scale[b];
    if (!large_cholesky(factor.data(), lines_, 1e-9))
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
            weights.data()[a * lines_ + b] -= own * inverse.data()[k * lines_ + a] * scale[a] / scale[b];
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
  /// Which share of its variance predictions leave of each line.
  std::vector<double> left_over(const Square& predicted) const {
    std::vector<double> result(lines_);
    std::vector<double> all(lines_);
    each_block(apart_, [&](std::size_t begin, const double* scores, Index here) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(here) * lines_; ++i) {
        const double left = scores[i] - predicted.data()[begin * lines_ + i];
        result[i % lines_] += left * left;
        all[i % lines_] += scores[i] * scores[i];
      }
    });
    for (std::size_t a = 0; a < lines_; ++a)
      result[a] = std::clamp(result[a] / std::max(all[a], 1e-9), 1e-4, 1.0);
    return result;
  }
  /// \returns false if no path is worth its time
  bool fit() {
    Square products(lines_ * lines_);
    add_products(kept_, products);
    double best = std::numeric_limits<double>::infinity();
    double shrinkage = 0;
    Square predicted;
    std::vector<double> left;
    for (const double candidate : shrinkages) {
      const Square weights = regressions(products, static_cast<double>(count(kept_)), candidate);
      if (weights.size() == 0)
        continue;
      Square here = predictions(weights);
      auto left_here = left_over(here);
      double sum = 0;
      for (const double share : left_here)
        sum += std::log(share);
      if (sum < best) {
        best = sum;
        shrinkage = candidate;
        predicted = std::move(here);
        left = std::move(left_here);
      }
    }
    double gain = 0;
    std::vector<std::vector<double>> factors; // of each column's lines
    bias.assign(shares_.size(), 0);
    for (std::size_t c = 0; c < columns_.size() && predicted.size() > 0; ++c)
      factors.push_back(follow(c, predicted, left, gain));
    if (gain < least_gain)
      return false;
    add_products(apart_, products);
    const Square weights = regressions(products, static_cast<double>(rows_), shrinkage);
    if (weights.size() == 0)
      return false;
    path.weights.resize(lines_ * lines_);
    for (std::size_t c = 0; c < columns_.size(); ++c)
      for (std::size_t line = 0; line < columns_[c].lines; ++line)
        set_weights(columns_[c].line + line, factors[c][line], weights);
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
  /// How far a column follows its prediction: by how likely that makes the rows that were kept apart. Writes
  /// what it needs to its biases. \param gain  out: nats a row are added \returns a factor for each line
  std::vector<double> follow(std::size_t c, const Square& predicted, const std::vector<double>& left,
                             double& gain) {
    const Column& column = columns_[c];
    const std::size_t rows = count(apart_);
    const double* shares = shares_.data() + column.code;
    // The logarithm of N(s; m, v) / N(s; 0, 1) is s · m / v + s² · (1 − 1 / v) / 2 and what no code changes.
    // A category's, to first order, is (p − share) / share.
    const auto factor = [&](std::size_t line) {
      return 1 / (column.lines == 1 ? left[column.line] : shares[line]);
    };
    std::vector<double> result(column.lines);
    double best = 0.002;
    for (const double follow : follows) {
      std::vector<double> own(column.codes);
      for (std::size_t k = 0; column.lines == 1 && k < column.codes; ++k)
        own[k] = follow * (1 - factor(0)) / 2 * column.scores[k] * column.scores[k];
      std::vector<double> p(column.codes);
      std::vector<double> mean(column.codes);
      double here = 0;
      // Biases so that the shares stay: each round brings them nearer.
      for (int round = 0; round < 4; ++round) {
        std::fill(mean.begin(), mean.end(), 0.0);
        here = 0;
        for (std::size_t r = 0; r < rows; ++r) {
          const double* slopes = predicted.data() + r * lines_ + column.line;
          double most = -std::numeric_limits<double>::infinity();
          for (std::size_t k = 0; k < column.codes; ++k) {
            const double slope = follow * (column.lines == 1 ? column.scores[k] * slopes[0] * factor(0)
                                                             : slopes[k] * factor(k));
            p[k] = std::log(shares[k]) + own[k] + slope;
            most = std::max(most, p[k]);
          }
          const std::size_t code = apart_[r * columns_.size() + c];
          here += p[code] - most - std::log(shares[code]);
          double sum = 0;
          for (std::size_t k = 0; k < column.codes; ++k)
            sum += p[k] = std::exp(p[k] - most);
          here -= std::log(sum);
          for (std::size_t k = 0; k < column.codes; ++k)
            mean[k] += p[k] / sum / static_cast<double>(rows);
        }
        here /= static_cast<double>(rows);
        if (column.lines == 1 || round == 3)
          break;
        for (std::size_t k = 0; k < column.codes; ++k)
          own[k] += std::log(shares[k] / std::max(mean[k], 1e-9));
      }
      if (here > best) {
        best = here;
        for (std::size_t line = 0; line < column.lines; ++line)
          result[line] = follow * factor(line);
        for (std::size_t k = 0; k < column.codes; ++k)
          bias[column.code + k] = static_cast<float>(own[k]);
      }
    }
    gain += result[0] > 0 ? best : 0;
    return result;
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
