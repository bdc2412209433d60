// SPDX-License-Identifier: MIT
/// \file
/// Logistic and ridge regression on standardised numbers and one-hot categories, solved exactly.
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
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/linalg/cholesky.hpp>

ROWSMITH_BEGIN
namespace evaluate {

struct LinearOptions {
  double penalty = 1;              ///< factor of half the squared weights (1 / C of scikit-learn); > 0
  std::size_t max_categories = 64; ///< of a column: rarer ones share one weight; [2, 1024]
  int threads = 0;                 ///< 0: all; never changes the result

  /// \throws OptionError
  void check() const {
    if (!(penalty > 0) || !std::isfinite(penalty))
      throw OptionError("linear.penalty = " + std::to_string(penalty) + ": expected a number above 0");
    if (max_categories < 2 || max_categories > 1024)
      throw OptionError("linear.max_categories = " + std::to_string(max_categories) + ": expected 2 to 1024");
  }
};

/// Rows of a design matrix with one entry for each column of the table: all others are zero.
struct LinearRows {
  std::size_t rows = 0;
  std::size_t features = 0;             ///< columns of the table
  std::size_t width = 0;                ///< columns of the design matrix, without the intercept
  std::vector<std::uint32_t> position;  ///< rows × features: which column of the design matrix
  std::vector<double> value;            ///< rows × features
  std::vector<std::uint32_t> column_of; ///< column of the design matrix -> feature
};

/// Stacks tables into one design matrix. A number is standardised over all rows, a missing one gets a column
/// of its own; each category gets a column, the rarest ones share one, and so does a missing one.
inline LinearRows linear_rows(std::span<const Table* const> tables, const SharedCodes& codes,
                              std::size_t skip = SharedCodes::none, std::size_t max_categories = 64) {
  LinearRows result;
  const Table& first = *tables.front();
  for (const Table* table : tables)
    result.rows += table->rows();
  for (std::size_t c = 0; c < first.size(); ++c)
    result.features += c != skip ? 1 : 0;
  result.position.resize(result.rows * result.features);
  result.value.resize(result.rows * result.features, 1);
  std::size_t feature = 0;
  for (std::size_t c = 0; c < first.size(); ++c) {
    if (c == skip)
      continue;
    std::size_t row = 0;
    const auto put = [&](std::size_t position, double value) {
      result.position[row * result.features + feature] = static_cast<std::uint32_t>(position);
      result.value[row * result.features + feature] = value;
      ++row;
    };
    std::size_t added = 2;
    if (first[c].kind == ColumnKind::numerical) {
      double n = 0;
      double mean = 0;
      double squares = 0; // Welford 1962
      for (const Table* table : tables)
        for (const double value : (*table)[c].values)
          if (!std::isnan(value)) {
            ++n;
            const double delta = value - mean;
            mean += delta / n;
            squares += delta * (value - mean);
          }
      const double sd = squares > 0 ? std::sqrt(squares / n) : 1;
      for (const Table* table : tables)
        for (const double value : (*table)[c].values)
          std::isnan(value) ? put(result.width + 1, 1) : put(result.width, (value - mean) / sd);
    } else {
      std::vector<std::size_t> counts(codes.texts(c).size() + 1);
      std::vector<std::vector<std::int32_t>> recoded;
      for (const Table* table : tables) {
        recoded.push_back(codes.codes((*table)[c], c));
        for (const auto code : recoded.back())
          ++counts[static_cast<std::size_t>(code + 1)];
      }
      std::vector<std::size_t> order(counts.size());
      for (std::size_t k = 0; k < order.size(); ++k)
        order[k] = k;
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
      std::vector<std::size_t> place(counts.size());
      added = std::min(counts.size(), max_categories);
      for (std::size_t k = 0; k < order.size(); ++k)
        place[order[k]] = std::min(k, added - 1);
      for (const auto& column : recoded)
        for (const auto code : column)
          put(result.width + place[static_cast<std::size_t>(code + 1)], 1);
    }
    result.width += added;
    result.column_of.resize(result.width, static_cast<std::uint32_t>(feature));
    ++feature;
  }
  return result;
}

namespace detail {

/// Solves A x = b for a symmetric positive definite A (n × n, row-major, lower triangle) by Cholesky's
/// method. A is overwritten. \returns false if A is not positive definite
inline bool solve_cholesky(std::vector<double>& a, std::vector<double>& b) {
  const std::size_t n = b.size();
  if (!cholesky(a.data(), n))
    return false;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k)
      b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k)
      b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
  return true;
}

/// Sums of a weighted least-squares problem over chosen rows: X'WX (lower triangle) and X'g, where the last
/// column of X is the intercept's ones.
struct NormalEquations {
  std::vector<double> matrix;
  std::vector<double> vector;

  /// \param weigh  gives the pair {w, g} of the i-th chosen row
  template <class Weigh>
  static NormalEquations sum(const LinearRows& x, std::span<const std::uint32_t> rows, int threads,
                             const Weigh& weigh) {
    const std::size_t n = x.width + 1;
    // A shard has a matrix of its own, so that wide problems get few shards; the size alone decides.
    const std::size_t shards = std::clamp<std::size_t>((std::size_t{1} << 21U) / (n * n), 1, 8);
    std::vector<NormalEquations> parts(shards);
    parallel_for(shards, resolve_threads(threads), [&](std::size_t shard) {
      auto& part = parts[shard];
      part.matrix.assign(n * n, 0);
      part.vector.assign(n, 0);
      for (std::size_t i = shard * rows.size() / shards; i < (shard + 1) * rows.size() / shards; ++i) {
        const auto [w, g] = weigh(i);
        const std::uint32_t* position = x.position.data() + rows[i] * x.features;
        const double* value = x.value.data() + rows[i] * x.features;
        // Positions rise with the feature, so that (a, b) with b ≤ a is in the lower triangle.
        for (std::size_t a = 0; a < x.features; ++a) {
          double* line = part.matrix.data() + position[a] * n;
          for (std::size_t b = 0; b <= a; ++b)
            line[position[b]] += w * value[a] * value[b];
          part.matrix[(n - 1) * n + position[a]] += w * value[a];
          part.vector[position[a]] += g * value[a];
        }
        part.matrix[n * n - 1] += w;
        part.vector[n - 1] += g;
      }
    });
    for (std::size_t shard = 1; shard < shards; ++shard) {
      for (std::size_t i = 0; i < n * n; ++i)
        parts[0].matrix[i] += parts[shard].matrix[i];
      for (std::size_t i = 0; i < n; ++i)
        parts[0].vector[i] += parts[shard].vector[i];
    }
    return std::move(parts[0]);
  }
};

inline double linear_score(const LinearRows& x, std::size_t row, std::span<const double> weights) {
  double sum = weights.back();
  for (std::size_t f = row * x.features; f < (row + 1) * x.features; ++f)
    sum += weights[x.position[f]] * x.value[f];
  return sum;
}

/// \throws ShapeError unless the design matrix is as large as it says and has all chosen rows
inline void check_linear_rows(const LinearRows& x, std::span<const std::uint32_t> rows) {
  const std::size_t cells = x.rows * x.features;
  if (x.position.size() != cells || x.value.size() != cells)
    throw ShapeError("linear model: a design matrix of " + std::to_string(x.position.size()) +
                     " positions and " + std::to_string(x.value.size()) + " values, expected " +
                     std::to_string(cells));
  for (const auto row : rows) {
    if (row >= x.rows)
      throw ShapeError("linear model: row " + std::to_string(row) + " of a design matrix of " +
                       std::to_string(x.rows) + " rows");
    for (std::size_t at = row * x.features; at < (row + 1) * x.features; ++at)
      if (x.position[at] >= x.width || !std::isfinite(x.value[at]))
        throw ShapeError("linear model: row " + std::to_string(row) + " has " + std::to_string(x.value[at]) +
                         " in column " + std::to_string(x.position[at]) +
                         ", expected a finite number in one of " + std::to_string(x.width) + " columns");
  }
}

/// \param weights  of the model that is to look at the rows
inline void check_linear_model(const LinearRows& x, std::span<const std::uint32_t> rows,
                               std::size_t weights) {
  if (x.width + 1 != weights)
    throw ShapeError("linear model: a design matrix of " + std::to_string(x.width) + " columns, expected " +
                     std::to_string(weights - 1));
  check_linear_rows(x, rows);
}

inline void check_linear(const LinearRows& x, std::span<const std::uint32_t> rows, std::size_t targets,
                         const LinearOptions& options) {
  options.check();
  if (rows.empty() || x.features == 0)
    throw ShapeError("linear model: no rows or no features to fit to");
  check_linear_rows(x, rows);
  if (targets != x.rows)
    throw ShapeError("linear model: " + std::to_string(targets) + " targets for " + std::to_string(x.rows) +
                     " rows");
}

} // namespace detail

/// Logistic regression with a squared penalty on all weights but the intercept, by Newton's method. More than
/// two classes: one against the others, probabilities scaled to add up to 1.
class LogisticRegression {
public:
  /// \param labels  of all rows of `x`, in [0, classes) \throws ShapeError, OptionError
  static LogisticRegression fit(const LinearRows& x, std::span<const std::uint32_t> rows,
                                std::span<const std::uint16_t> labels, std::size_t classes,
                                const LinearOptions& options = {}) {
    detail::check_linear(x, rows, labels.size(), options);
    if (classes < 2)
      throw ShapeError("linear model: " + std::to_string(classes) + " classes, expected two or more");
    for (const auto row : rows)
      if (labels[row] >= classes)
        throw ShapeError("linear model: row " + std::to_string(row) + " is of class " +
                         std::to_string(labels[row]) + ", expected one below " + std::to_string(classes));
    LogisticRegression model;
    model.classes_ = classes;
    for (std::size_t k = classes == 2 ? 1 : 0; k < classes; ++k)
      model.weights_.push_back(fit_class(x, rows, labels, k, options));
    return model;
  }

  /// Class probabilities, rows × classes. \throws ShapeError
  std::vector<double> predict_probability(const LinearRows& x, std::span<const std::uint32_t> rows) const {
    detail::check_linear_model(x, rows, weights_[0].size());
    std::vector<double> result(rows.size() * classes_);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double* row = result.data() + i * classes_;
      if (classes_ == 2) {
        row[1] = sigmoid(detail::linear_score(x, rows[i], weights_[0]));
        row[0] = 1 - row[1];
        continue;
      }
      double sum = 0;
      for (std::size_t k = 0; k < classes_; ++k)
        sum += row[k] = sigmoid(detail::linear_score(x, rows[i], weights_[k]));
      for (std::size_t k = 0; k < classes_; ++k)
        row[k] = sum > 0 ? row[k] / sum : 1 / static_cast<double>(classes_);
    }
    return result;
  }
  /// By class (the second one only, if there are two): weights in the order of the design matrix's columns,
  /// then the intercept.
  const std::vector<std::vector<double>>& weights() const noexcept { return weights_; }

  /// How much each feature moves the score: the standard deviation of its part over the given rows, summed
  /// over the classes; adds up to 1 (or is all 0).
  std::vector<double> importances(const LinearRows& x, std::span<const std::uint32_t> rows) const {
    std::vector<double> result(x.features);
    double total = 0;
    for (std::size_t f = 0; f < x.features; ++f)
      for (const auto& weights : weights_) {
        double sum = 0;
        double squares = 0;
        for (const auto row : rows) {
          const std::size_t at = row * x.features + f;
          const double part = weights[x.position[at]] * x.value[at];
          sum += part;
          squares += part * part;
        }
        const auto n = static_cast<double>(rows.size());
        const double sd = std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
        result[f] += sd;
        total += sd;
      }
    if (total > 0)
      for (auto& value : result)
        value /= total;
    return result;
  }

private:
  static double sigmoid(double x) {
    return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
  }

  static std::vector<double> fit_class(const LinearRows& x, std::span<const std::uint32_t> rows,
                                       std::span<const std::uint16_t> labels, std::size_t positive,
                                       const LinearOptions& options) {
    const std::size_t n = x.width + 1;
    std::vector<double> weights(n);
    std::vector<double> score(rows.size());
    const auto objective = [&](const std::vector<double>& candidate) {
      double sum = 0;
      for (std::size_t k = 0; k + 1 < n; ++k)
        sum += options.penalty / 2 * candidate[k] * candidate[k];
      for (std::size_t i = 0; i < rows.size(); ++i) {
        score[i] = detail::linear_score(x, rows[i], candidate);
        // log(1 + exp(−s)) for the positive, log(1 + exp(s)) for the others, without overflow
        const double margin = labels[rows[i]] == positive ? score[i] : -score[i];
        sum += std::max(-margin, 0.0) + std::log1p(std::exp(-std::abs(margin)));
      }
      return sum;
    };
    double value = objective(weights);
    for (int iteration = 0; iteration < 50; ++iteration) {
      auto equations = detail::NormalEquations::sum(x, rows, options.threads, [&](std::size_t i) {
        const double p = sigmoid(score[i]);
        return std::pair{p * (1 - p), (labels[rows[i]] == positive ? 1.0 : 0.0) - p};
      });
      for (std::size_t k = 0; k + 1 < n; ++k) {
        equations.matrix[k * n + k] += options.penalty;
        equations.vector[k] -= options.penalty * weights[k];
      }
      // With one class only the intercept runs away; a grain of penalty keeps its equation solvable.
      equations.matrix[n * n - 1] += 1e-9 * static_cast<double>(rows.size());
      auto step = equations.vector;
      if (!detail::solve_cholesky(equations.matrix, step))
        break;
      double decrease = 0; // twice what a full step would gain if the objective were its parabola
      for (std::size_t k = 0; k < n; ++k)
        decrease += step[k] * equations.vector[k];
      if (decrease < 1e-10 * (1 + value))
        break;
      std::vector<double> next(n);
      double next_value = value;
      for (double length = 1; length > 1e-6; length /= 2) {
        for (std::size_t k = 0; k < n; ++k)
          next[k] = weights[k] + length * step[k];
        next_value = objective(next);
        if (next_value <= value)
          break;
      }
      if (!(next_value < value)) {
        objective(weights); // puts the scores back
        break;
      }
      weights = next;
      value = next_value;
    }
    return weights;
  }

  std::vector<std::vector<double>> weights_;
  std::size_t classes_ = 2;
};

/// Least squares with a squared penalty on all weights but the intercept (Hoerl & Kennard 1970).
class RidgeRegression {
public:
  /// \param targets  of all rows of `x`, finite where chosen \throws ShapeError, OptionError
  static RidgeRegression fit(const LinearRows& x, std::span<const std::uint32_t> rows,
                             std::span<const double> targets, const LinearOptions& options = {}) {
    detail::check_linear(x, rows, targets.size(), options);
    for (const auto row : rows)
      if (!std::isfinite(targets[row]))
        throw ShapeError("linear model: the target of row " + std::to_string(row) + " is " +
                         std::to_string(targets[row]) + ", expected a finite number");
    auto equations = detail::NormalEquations::sum(x, rows, options.threads, [&](std::size_t i) {
      return std::pair{1.0, targets[rows[i]]};
    });
    const std::size_t n = x.width + 1;
    for (std::size_t k = 0; k + 1 < n; ++k)
      equations.matrix[k * n + k] += options.penalty;
    RidgeRegression model;
    model.weights_ = std::move(equations.vector);
    if (!detail::solve_cholesky(equations.matrix, model.weights_))
      throw ShapeError("linear model: the equations of the ridge regression have no unique solution");
    return model;
  }
  /// \throws ShapeError
  std::vector<double> predict(const LinearRows& x, std::span<const std::uint32_t> rows) const {
    detail::check_linear_model(x, rows, weights_.size());
    std::vector<double> result;
    result.reserve(rows.size());
    for (const auto row : rows)
      result.push_back(detail::linear_score(x, row, weights_));
    return result;
  }
  /// In the order of the design matrix's columns, then the intercept.
  const std::vector<double>& weights() const noexcept { return weights_; }

private:
  std::vector<double> weights_;
};

} // namespace evaluate
ROWSMITH_END
