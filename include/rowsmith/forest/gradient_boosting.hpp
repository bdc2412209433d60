// SPDX-License-Identifier: MIT
/// \file
/// Gradient-boosted trees (Friedman 2001) with the second-order gains of XGBoost (Chen & Guestrin 2016).
///
/// Where forests average, boosted trees correct each other: the sharper judge of small differences. A missing
/// value goes to the side where it gains most; in a node whose training rows had none, to the side of the
/// larger weight. Categories are split by the order of their codes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/forest/binned_matrix.hpp>
#include <rowsmith/forest/binned_model.hpp>
#include <rowsmith/forest/boosted_tree_grower.hpp>
#include <rowsmith/forest/boosted_trees.hpp>

ROWSMITH_BEGIN
namespace forest {

namespace detail {

/// Calls `body(begin, end)` for blocks of the rows.
template <class Body>
void for_row_blocks(std::size_t rows, int threads, const Body& body) {
  constexpr std::size_t block = 4096;
  parallel_for((rows + block - 1) / block, threads,
               [&](std::size_t part) { body(part * block, std::min(rows, (part + 1) * block)); });
}

inline std::int32_t to_fixed(double value) noexcept {
  return static_cast<std::int32_t>(std::lrint(value * 0x1p30));
}
static_assert(gradient_bits == 30);

/// Logistic loss: g = p − y, h = p (1 − p).
struct LogisticLoss {
  std::span<const std::uint32_t> rows;
  std::span<const std::uint16_t> labels;

  void gradients(std::span<const double> scores, std::span<FixedGradient> out, std::span<double> units,
                 int threads) const {
    units[0] = 1;
    for_row_blocks(rows.size(), threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const double p = 1 / (1 + std::exp(-scores[i]));
        out[i] = {to_fixed(p - static_cast<double>(labels[rows[i]])), to_fixed(p * (1 - p))};
      }
    });
  }
};

/// Cross-entropy of a softmax over the classes: g = p − y, h = 2 p (1 − p), as in XGBoost.
struct SoftmaxLoss {
  std::span<const std::uint32_t> rows;
  std::span<const std::uint16_t> labels;
  std::size_t classes;

  void gradients(std::span<const double> scores, std::span<FixedGradient> out, std::span<double> units,
                 int threads) const {
    std::fill(units.begin(), units.end(), 1.0);
    for_row_blocks(rows.size(), threads, [&](std::size_t begin, std::size_t end) {
      std::vector<double> p(classes);
      for (std::size_t i = begin; i < end; ++i) {
        std::copy_n(scores.begin() + static_cast<std::ptrdiff_t>(i * classes), classes, p.begin());
        softmax(p);
        for (std::size_t k = 0; k < classes; ++k)
          out[k * rows.size() + i] = {to_fixed(p[k] - (labels[rows[i]] == k ? 1.0 : 0.0)),
                                      to_fixed(2 * p[k] * (1 - p[k]))};
      }
    });
  }

  static void softmax(std::span<double> values) noexcept {
    const double largest = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (auto& value : values)
      sum += value = std::exp(value - largest);
    for (auto& value : values)
      value /= sum;
  }
};

/// Half the squared error: g = score − target, h = 1.
struct SquaredLoss {
  std::span<const double> targets; // one a training row

  void gradients(std::span<const double> scores, std::span<FixedGradient> out, std::span<double> units,
                 int threads) const {
    double largest = 0;
    for (std::size_t i = 0; i < targets.size(); ++i)
      largest = std::max(largest, std::abs(scores[i] - targets[i]));
    // A power of two, so that scaling rounds nothing.
    units[0] = largest > 0 ? std::exp2(std::ceil(std::log2(largest))) : 1;
    for_row_blocks(targets.size(), threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i)
        out[i] = {to_fixed((scores[i] - targets[i]) / units[0]), to_fixed(1)};
    });
  }
};

/// Adds trees round by round. \param scores  rows × outputs: where boosting starts from \returns the gain by
/// feature, divided by its sum
template <class Bin, class Loss>
std::vector<double> boost_packed(BoostedTrees& trees, const PackedBins<Bin>& packed,
                                 const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                                 const Loss& loss, std::size_t outputs, double gamma,
                                 const GradientBoostingOptions& options, std::vector<double>& scores) {
  const int threads = resolve_threads(options.threads);
  BoostedTreeGrower<Bin> grower(packed, options, threads);
  std::vector<FixedGradient> gradients(rows.size() * outputs);
  std::vector<double> units(outputs);
  std::vector<std::uint32_t> sample(rows.size());
  std::iota(sample.begin(), sample.end(), 0U);
  const std::size_t wanted = std::max<std::size_t>(
      1, static_cast<std::size_t>(std::llround(options.subsample * static_cast<double>(rows.size()))));
  const bool all = wanted >= rows.size();
  for (std::size_t round = 0; round < options.rounds; ++round) {
    loss.gradients(scores, gradients, units, threads);
    if (!all) {
      // Selection sampling (Knuth, vol. 2, algorithm S): any `wanted` rows are equally likely.
      sample.clear();
      RandomSequence random(
          RandomStream(options.seed, Purpose::forest_bootstrap, static_cast<std::uint32_t>(round)));
      for (std::size_t i = 0; sample.size() < wanted; ++i)
        if (random.below(static_cast<std::uint32_t>(rows.size() - i)) < wanted - sample.size())
          sample.push_back(static_cast<std::uint32_t>(i));
    }
    for (std::size_t k = 0; k < outputs; ++k) {
      grower.grow(trees, std::span<const FixedGradient>(gradients).subspan(k * rows.size(), rows.size()),
                  units[k], gamma, sample);
      if (all)
        grower.add_leaf_values(scores.data() + k, outputs);
    }
    if (!all)
      trees.add_values(binned, rows, outputs, threads, scores, trees.trees().size() - outputs);
  }
  std::vector<double> gain = grower.gain();
  const double total = std::accumulate(gain.begin(), gain.end(), 0.0);
  if (total > 0)
    for (auto& value : gain)
      value /= total;
  return gain;
}

/// The same, with bins packed as small as they go.
template <class Loss>
std::vector<double> boost(BoostedTrees& trees, const BinnedMatrix& binned,
                          std::span<const std::uint32_t> rows, const Loss& loss, std::size_t outputs,
                          double gamma, const GradientBoostingOptions& options, std::vector<double>& scores) {
  return with_packed_bins(binned, rows, resolve_threads(options.threads), [&](const auto& packed) {
    return boost_packed(trees, packed, binned, rows, loss, outputs, gamma, options, scores);
  });
}

} // namespace detail

/// A fitted classifier: logistic loss for two classes, softmax for more. Boosting starts from the log-odds of
/// the classes' shares, (rows of the class + 1) / (rows + classes). A value type; prediction may run in
/// several threads at once.
class GradientBoosting : public detail::BinnedClassifier<GradientBoosting, GradientBoostingOptions> {
public:
  std::size_t classes() const noexcept { return classes_; }
  /// With more than two classes, tree t is one of class t mod classes.
  const BoostedTrees& trees() const noexcept { return trees_; }
  /// Total gain by feature; adds up to 1 (or is all 0 if nothing was ever split).
  const std::vector<double>& importances() const noexcept { return importances_; }

  /// Class probabilities, rows × classes.
  std::vector<double> predict_probability(const FeatureMatrix& features, int threads = 0) const {
    return this->predict_features(features, threads);
  }
  /// The same for chosen rows of a matrix binned as the model's own. \throws ShapeError
  std::vector<double> predict_binned(const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                                     int threads = 0) const {
    detail::check_rows("boosting", binned, rows, importances_.size());
    const std::size_t outputs = start_.size();
    std::vector<double> sums = starting_scores(rows.size());
    trees_.add_values(binned, rows, outputs, resolve_threads(threads), sums);
    if (outputs > 1) {
      for (std::size_t i = 0; i < rows.size(); ++i)
        detail::SoftmaxLoss::softmax(std::span<double>(sums).subspan(i * outputs, outputs));
      return sums;
    }
    std::vector<double> result(2 * rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      result[2 * i] = 1 / (1 + std::exp(sums[i]));
      result[2 * i + 1] = 1 / (1 + std::exp(-sums[i]));
    }
    return result;
  }

private:
  friend detail::BinnedClassifier<GradientBoosting, GradientBoostingOptions>;

  void train(const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
             std::span<const std::uint16_t> labels, std::size_t classes,
             const GradientBoostingOptions& options) {
    options.check();
    detail::check_training("boosting", binned, rows, labels, classes);
    classes_ = classes;
    std::vector<double> counts(classes, 1);
    for (const auto row : rows)
      ++counts[labels[row]];
    if (classes == 2)
      start_ = {std::log(counts[1] / counts[0])};
    else
      for (const auto count : counts)
        start_.push_back(std::log(count / (static_cast<double>(rows.size()) + static_cast<double>(classes))));
    std::vector<double> scores = starting_scores(rows.size());
    importances_ = classes == 2
                       ? detail::boost(trees_, binned, rows, detail::LogisticLoss{rows, labels}, 1,
                                       options.gamma, options, scores)
                       : detail::boost(trees_, binned, rows, detail::SoftmaxLoss{rows, labels, classes},
                                       classes, options.gamma, options, scores);
  }

  std::vector<double> starting_scores(std::size_t rows) const {
    std::vector<double> scores(rows * start_.size());
    for (std::size_t i = 0; i < scores.size(); ++i)
      scores[i] = start_[i % start_.size()];
    return scores;
  }

  BoostedTrees trees_;
  std::vector<double> importances_;
  std::vector<double> start_; // of each output
  std::size_t classes_ = 0;
};

/// A fitted regressor: squared error. Boosting starts from the mean of the targets.
class GradientBoostingRegressor
    : public detail::BinnedRegressor<GradientBoostingRegressor, GradientBoostingOptions> {
public:
  const BoostedTrees& trees() const noexcept { return trees_; }
  /// Total gain by feature; adds up to 1 (or is all 0 if nothing was ever split).
  const std::vector<double>& importances() const noexcept { return importances_; }

  std::vector<double> predict(const FeatureMatrix& features, int threads = 0) const {
    return this->predict_features(features, threads);
  }
  /// The same for chosen rows of a matrix binned as the model's own. \throws ShapeError
  std::vector<double> predict_binned(const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                                     int threads = 0) const {
    detail::check_rows("boosting", binned, rows, importances_.size());
    std::vector<double> result(rows.size());
    trees_.add_values(binned, rows, 1, resolve_threads(threads), result);
    for (auto& value : result)
      value = scale_.from_units(value);
    return result;
  }

private:
  friend detail::BinnedRegressor<GradientBoostingRegressor, GradientBoostingOptions>;

  void train(const BinnedMatrix& binned, std::span<const std::uint32_t> rows, std::span<const double> targets,
             const GradientBoostingOptions& options) {
    options.check();
    detail::check_training("boosting", binned, rows, targets);
    scale_ = detail::TargetScale(rows, targets);
    std::vector<double> scaled;
    scaled.reserve(rows.size());
    for (const auto row : rows)
      scaled.push_back(scale_.to_units(targets[row]));
    std::vector<double> scores(rows.size());
    importances_ = detail::boost(trees_, binned, rows, detail::SquaredLoss{scaled}, 1,
                                 options.gamma / scale_.unit() / scale_.unit(), options, scores);
  }

  BoostedTrees trees_;
  std::vector<double> importances_;
  detail::TargetScale scale_;
};

} // namespace forest
using forest::GradientBoosting;
using forest::GradientBoostingRegressor;
ROWSMITH_END
