// SPDX-License-Identifier: MIT
/// \file
/// Random forest classifier (Breiman 2001) with scikit-learn's defaults.
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
#include <rowsmith/core/random.hpp>
#include <rowsmith/forest/binned_matrix.hpp>
#include <rowsmith/forest/decision_tree.hpp>

ROWSMITH_BEGIN

struct RandomForestOptions {
  std::size_t trees = 100;          ///< [1, 100000]
  std::size_t max_features = 0;     ///< features looked at for a split; 0: floor(sqrt(number of features))
  std::size_t min_samples_leaf = 1; ///< ≥ 1
  std::size_t max_depth = 0;        ///< 0: grow until leaves are pure
  bool bootstrap = true;            ///< each tree sees n rows drawn with replacement
  std::size_t max_bins = 256;       ///< of a feature; [2, 65534]
  std::uint64_t seed = 0;
  int threads = 0; ///< 0: all; never changes the result

  /// \throws OptionError
  void check() const {
    if (trees < 1 || trees > 100'000)
      throw OptionError("forest.trees = " + std::to_string(trees) + ": expected 1 to 100000");
    if (min_samples_leaf < 1)
      throw OptionError("forest.min_samples_leaf = 0: expected at least 1");
  }
};

/// A fitted forest. A value type; prediction may run in several threads at once.
class RandomForest {
public:
  /// Fits to features and labels in [0, classes). \throws ShapeError, OptionError
  static RandomForest fit(const FeatureMatrix& features, std::span<const std::uint16_t> labels,
                          std::size_t classes, const RandomForestOptions& options = {}) {
    RandomForest forest;
    forest.binning_ = Binning::fit(features, options.max_bins);
    const auto binned = forest.binning_.apply(features);
    std::vector<std::uint32_t> rows(binned.rows);
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i] = static_cast<std::uint32_t>(i);
    forest.grow(binned, rows, labels, classes, options);
    return forest;
  }
  /// The same on chosen rows of a matrix that is binned already: folds of a cross-validation share one.
  static RandomForest fit_binned(const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                                 std::span<const std::uint16_t> labels, std::size_t classes,
                                 const RandomForestOptions& options = {}) {
    RandomForest forest;
    forest.grow(binned, rows, labels, classes, options);
    return forest;
  }

  std::size_t classes() const noexcept { return classes_; }
  const std::vector<DecisionTree>& trees() const noexcept { return trees_; }
  /// Mean decrease of impurity by feature; adds up to 1 (or is all 0 if nothing was ever split).
  const std::vector<double>& importances() const noexcept { return importances_; }

  /// Class probabilities, rows × classes: the mean over the trees of their leaves' class shares.
  std::vector<double> predict_probability(const FeatureMatrix& features, int threads = 0) const {
    const auto binned = binning_.apply(features);
    std::vector<std::uint32_t> rows(binned.rows);
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i] = static_cast<std::uint32_t>(i);
    return predict_binned(binned, rows, threads);
  }
  /// The same for chosen rows of a matrix binned as the forest's own.
  std::vector<double> predict_binned(const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                                     int threads = 0) const {
    std::vector<double> result(rows.size() * classes_);
    constexpr std::size_t block = 1024;
    parallel_for((rows.size() + block - 1) / block, resolve_threads(threads), [&](std::size_t part) {
      const std::size_t begin = part * block;
      const std::size_t end = std::min(rows.size(), begin + block);
      // Tree by tree, so that one tree's nodes stay in the cache for a whole block of rows.
      for (const auto& tree : trees_)
        for (std::size_t i = begin; i < end; ++i) {
          const float* shares = tree.shares(binned, rows[i]);
          for (std::size_t k = 0; k < classes_; ++k)
            result[i * classes_ + k] += static_cast<double>(shares[k]);
        }
      for (std::size_t i = begin * classes_; i < end * classes_; ++i)
        result[i] /= static_cast<double>(trees_.size());
    });
    return result;
  }

private:
  void grow(const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
            std::span<const std::uint16_t> labels, std::size_t classes, const RandomForestOptions& options) {
    options.check();
    if (rows.empty() || binned.columns.empty())
      throw ShapeError("forest: no rows or no features to fit to");
    if (labels.size() != binned.rows)
      throw ShapeError("forest: " + std::to_string(labels.size()) + " labels for " +
                       std::to_string(binned.rows) + " rows");
    if (classes < 2 ||
        std::any_of(labels.begin(), labels.end(), [&](auto label) { return label >= classes; }))
      throw ShapeError("forest: labels must lie in [0, classes), and there must be two classes or more");
    classes_ = classes;
    trees_.resize(options.trees);
    const std::size_t features = binned.columns.size();
    const TreeOptions tree_options{
        .max_features = options.max_features != 0
                            ? std::min(options.max_features, features)
                            : std::max<std::size_t>(
                                  1, static_cast<std::size_t>(std::sqrt(static_cast<double>(features)))),
        .min_samples_leaf = options.min_samples_leaf,
        .max_depth = options.max_depth};
    std::vector<double> importance(options.trees * features);
    parallel_for(options.trees, resolve_threads(options.threads), [&](std::size_t t) {
      const auto number = static_cast<std::uint32_t>(t);
      std::vector<std::uint16_t> weight(rows.size(), options.bootstrap ? 0 : 1);
      if (options.bootstrap) {
        RandomSequence random(RandomStream(options.seed, Purpose::forest_bootstrap, number));
        for (std::size_t i = 0; i < rows.size(); ++i)
          ++weight[random.below(static_cast<std::uint32_t>(rows.size()))];
      }
      std::vector<TreeSample> samples;
      samples.reserve(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i)
        if (weight[i] > 0)
          samples.push_back({rows[i], weight[i], labels[rows[i]]});
      trees_[t].grow(binned, samples, classes, tree_options,
                     RandomStream(options.seed, Purpose::forest_features, number),
                     std::span<double>(importance).subspan(t * features, features));
    });
    importances_.assign(features, 0);
    double total = 0;
    for (std::size_t i = 0; i < importance.size(); ++i) {
      importances_[i % features] += importance[i];
      total += importance[i];
    }
    if (total > 0)
      for (auto& value : importances_)
        value /= total;
  }

  Binning binning_;
  std::vector<DecisionTree> trees_;
  std::vector<double> importances_;
  std::size_t classes_ = 0;
};

ROWSMITH_END
