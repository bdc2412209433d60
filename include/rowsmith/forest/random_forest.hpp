// SPDX-License-Identifier: MIT
/// \file
/// Random forests (Breiman 2001) with scikit-learn's defaults, for classes and for numbers.
///
/// Categories are split by the order of their codes, as scikit-learn's trees do after an ordinal encoding,
/// or, where a feature is said to be categorical, by any subset. Missing values are ordered before all
/// others.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/forest/binned_matrix.hpp>
#include <rowsmith/forest/binned_model.hpp>
#include <rowsmith/forest/decision_tree.hpp>
#include <rowsmith/forest/pool.hpp>
#include <rowsmith/forest/tree_criteria.hpp>
#include <rowsmith/forest/tree_grower.hpp>

ROWSMITH_BEGIN
namespace forest {

struct RandomForestOptions {
  std::size_t trees = 100;      ///< [1, 100000]
  std::size_t max_features = 0; ///< features looked at for a split; 0: floor(sqrt(number of features)) for
                                ///< classes, all for numbers
  std::size_t min_samples_leaf = 1; ///< ≥ 1
  std::size_t max_depth = 0;        ///< 0: grow until leaves are pure
  bool bootstrap = true;            ///< each tree sees n rows drawn with replacement
  std::size_t max_bins = 256;       ///< of a feature; [2, 65534]
  std::uint64_t seed = 0;
  int threads = 0;         ///< 0: all; never changes the result
  bool out_of_bag = false; ///< also predict each training row by the trees that have not seen it

  /// \throws OptionError
  void check() const {
    if (trees < 1 || trees > 100'000)
      throw OptionError("forest.trees = " + std::to_string(trees) + ": expected 1 to 100000");
    if (min_samples_leaf < 1)
      throw OptionError("forest.min_samples_leaf = 0: expected at least 1");
    if (out_of_bag && !bootstrap)
      throw OptionError(
          "forest.out_of_bag = true: expected bootstrap = true with it, or no row is out of the bag");
  }
};

namespace detail {

/// The trees of a forest, whatever they predict.
class ForestTrees {
public:
  const std::vector<DecisionTree>& trees() const noexcept { return trees_; }
  const std::vector<double>& importances() const noexcept { return importances_; }
  const std::vector<double>& out_of_bag() const noexcept { return out_of_bag_; }

  /// \param criterion  `criterion(bins)` makes one \param sample  `sample(row, weight, local)` makes a
  /// training row: `row` of the matrix, known to the tree as `local` \param values  of a leaf
  template <class MakeCriterion, class MakeSample>
  void grow(const BinnedMatrix& binned, std::span<const std::uint32_t> rows, std::size_t max_features,
            const RandomForestOptions& options, std::size_t values, const MakeCriterion& criterion,
            const MakeSample& sample) {
    with_packed_bins(binned, rows, resolve_threads(options.threads), [&](const auto& packed) {
      grow_packed(packed, rows, max_features, options, criterion, sample);
    });
    if (options.out_of_bag)
      predict_out_of_bag(binned, rows, values, resolve_threads(options.threads));
  }

  /// The mean over the trees of their leaves' values, rows × values.
  std::vector<double> predict(const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                              std::size_t values, int threads) const {
    check_rows("forest", binned, rows, importances_.size());
    std::vector<double> result(rows.size() * values);
    for_row_blocks(binned, rows, block, resolve_threads(threads),
                   [&](std::size_t begin, std::span<const std::uint16_t* const> bins) {
                     double* sums = result.data() + begin * values;
                     for (const auto& tree : trees_)
                       tree.for_each_leaf(bins, [&](std::size_t i, std::uint32_t leaf) {
                         add_values(tree, leaf, values, sums + i * values);
                       });
                     for (std::size_t i = 0; i < bins.size() * values; ++i)
                       sums[i] /= static_cast<double>(trees_.size());
                   });
    return result;
  }

private:
  // Rows by which a tree is read together, so that it comes from memory once for all of them.
  static constexpr std::size_t block = 8192;

  static void add_values(const DecisionTree& tree, std::uint32_t leaf, std::size_t values,
                         double* sums) noexcept {
    const float* more = tree.leaf_values(leaf);
    for (std::size_t v = 0; v < values; ++v)
      sums[v] += static_cast<double>(more[v]);
  }

  template <class Grower>
  struct Workspace {
    Grower grower;
    std::vector<std::uint16_t> weight;
    std::vector<typename Grower::Sample> samples;
  };

  template <class Bin, class MakeCriterion, class MakeSample>
  void grow_packed(const PackedBins<Bin>& packed, std::span<const std::uint32_t> rows,
                   std::size_t max_features, const RandomForestOptions& options,
                   const MakeCriterion& criterion, const MakeSample& sample) {
    using Grower = TreeGrower<Bin, decltype(criterion(packed.max_bins()))>;
    const std::size_t features = packed.features();
    if (features > std::size_t{std::numeric_limits<std::int16_t>::max()})
      throw ShapeError("forest: " + std::to_string(features) + " features, expected at most 32767");
    const TreeOptions tree_options{.max_features = std::min(max_features, features),
                                   .min_samples_leaf = options.min_samples_leaf,
                                   .max_depth = options.max_depth};
    trees_.resize(options.trees);
    if (options.out_of_bag)
      bags_.assign(options.trees, std::vector<bool>(rows.size()));
    std::vector<double> importance(options.trees * features);
    Pool<Workspace<Grower>> pool;
    parallel_for(options.trees, resolve_threads(options.threads), [&](std::size_t t) {
      auto work = pool.take([&] {
        return Workspace<Grower>{Grower(packed, criterion(packed.max_bins()), tree_options), {}, {}};
      });
      const auto number = static_cast<std::uint32_t>(t);
      work.weight.assign(rows.size(), options.bootstrap ? 0 : 1);
      if (options.bootstrap) {
        RandomSequence random(RandomStream(options.seed, Purpose::forest_bootstrap, number));
        for (std::size_t i = 0; i < rows.size(); ++i)
          ++work.weight[random.below(static_cast<std::uint32_t>(rows.size()))];
      }
      work.samples.clear();
      for (std::size_t i = 0; i < rows.size(); ++i)
        if (work.weight[i] > 0)
          work.samples.push_back(sample(rows[i], work.weight[i], static_cast<std::uint32_t>(i)));
      if (options.out_of_bag)
        for (std::size_t i = 0; i < rows.size(); ++i)
          bags_[t][i] = work.weight[i] > 0;
      trees_[t] = work.grower.grow(work.samples, RandomStream(options.seed, Purpose::forest_features, number),
                                   std::span<double>(importance).subspan(t * features, features));
      pool.give(std::move(work));
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

  void predict_out_of_bag(const BinnedMatrix& binned, std::span<const std::uint32_t> rows, std::size_t values,
                          int threads) {
    out_of_bag_.assign(rows.size() * values, 0);
    for_row_blocks(
        binned, rows, block, threads, [&](std::size_t begin, std::span<const std::uint16_t* const> bins) {
          std::vector<std::size_t> count(bins.size());
          std::vector<std::size_t> outside;
          std::vector<const std::uint16_t*> chosen;
          for (std::size_t t = 0; t < trees_.size(); ++t) {
            outside.clear();
            chosen.clear();
            for (std::size_t i = 0; i < bins.size(); ++i)
              if (!bags_[t][begin + i]) {
                outside.push_back(i);
                chosen.push_back(bins[i]);
                ++count[i];
              }
            trees_[t].for_each_leaf(chosen, [&](std::size_t i, std::uint32_t leaf) {
              add_values(trees_[t], leaf, values, out_of_bag_.data() + (begin + outside[i]) * values);
            });
          }
          for (std::size_t i = 0; i < bins.size(); ++i)
            for (std::size_t v = 0; v < values; ++v)
              out_of_bag_[(begin + i) * values + v] =
                  count[i] == 0 ? std::numeric_limits<double>::quiet_NaN()
                                : out_of_bag_[(begin + i) * values + v] / static_cast<double>(count[i]);
        });
    bags_.clear();
  }

  std::vector<DecisionTree> trees_;
  std::vector<double> importances_;
  std::vector<double> out_of_bag_;
  std::vector<std::vector<bool>> bags_; // which rows each tree has seen, until out_of_bag_ is made
};

} // namespace detail

/// A fitted classifier. A value type; prediction may run in several threads at once.
class RandomForest : public detail::BinnedClassifier<RandomForest, RandomForestOptions> {
public:
  std::size_t classes() const noexcept { return classes_; }
  const std::vector<DecisionTree>& trees() const noexcept { return forest_.trees(); }
  /// Mean decrease of impurity by feature; adds up to 1 (or is all 0 if nothing was ever split).
  const std::vector<double>& importances() const noexcept { return forest_.importances(); }

  /// Class probabilities of the training rows, rows × classes, each by the trees that have not seen the row;
  /// NaN for a row that every tree has seen. Empty unless asked for.
  const std::vector<double>& out_of_bag_probability() const noexcept { return forest_.out_of_bag(); }
  /// Share of the training rows whose likeliest class, by the trees that have not seen the row, is theirs.
  /// NaN unless asked for.
  double out_of_bag_score() const noexcept { return out_of_bag_score_; }

  /// Class probabilities, rows × classes: the mean over the trees of their leaves' class shares.
  std::vector<double> predict_probability(const FeatureMatrix& features, int threads = 0) const {
    return this->predict_features(features, threads);
  }
  /// The same for chosen rows of a matrix binned as the forest's own. \throws ShapeError
  std::vector<double> predict_binned(const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                                     int threads = 0) const {
    return forest_.predict(binned, rows, classes_, threads);
  }

private:
  friend detail::BinnedClassifier<RandomForest, RandomForestOptions>;

  void train(const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
             std::span<const std::uint16_t> labels, std::size_t classes, const RandomForestOptions& options) {
    options.check();
    detail::check_training("forest", binned, rows, labels, classes);
    classes_ = classes;
    const auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(binned.columns.size())));
    const std::size_t max_features = options.max_features != 0 ? options.max_features : root;
    const auto sample = [&](std::uint32_t row, std::uint16_t weight, std::uint32_t local) {
      return detail::BinaryGini::Sample{local, weight, labels[row]};
    };
    if (classes == 2)
      forest_.grow(
          binned, rows, max_features, options, classes,
          [](std::size_t bins) { return detail::BinaryGini(bins); }, sample);
    else
      forest_.grow(
          binned, rows, max_features, options, classes,
          [classes](std::size_t bins) { return detail::Gini(bins, classes); }, sample);
    if (!options.out_of_bag)
      return;
    std::size_t right = 0;
    std::size_t judged = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double* probability = forest_.out_of_bag().data() + i * classes;
      if (std::isnan(probability[0]))
        continue;
      ++judged;
      right += std::max_element(probability, probability + classes) - probability == labels[rows[i]] ? 1 : 0;
    }
    if (judged > 0)
      out_of_bag_score_ = static_cast<double>(right) / static_cast<double>(judged);
  }

  detail::ForestTrees forest_;
  std::size_t classes_ = 0;
  double out_of_bag_score_ = std::numeric_limits<double>::quiet_NaN();
};

/// A fitted regressor: squared error, all features looked at for a split unless told otherwise.
class RandomForestRegressor : public detail::BinnedRegressor<RandomForestRegressor, RandomForestOptions> {
public:
  const std::vector<DecisionTree>& trees() const noexcept { return forest_.trees(); }
  /// Mean decrease of squared error by feature; adds up to 1 (or is all 0 if nothing was ever split).
  const std::vector<double>& importances() const noexcept { return forest_.importances(); }

  /// Predictions of the training rows, each by the trees that have not seen the row; NaN for a row that every
  /// tree has seen. Empty unless asked for.
  const std::vector<double>& out_of_bag_prediction() const noexcept { return out_of_bag_prediction_; }
  /// R² of these predictions; NaN unless asked for.
  double out_of_bag_score() const noexcept { return out_of_bag_score_; }

  std::vector<double> predict(const FeatureMatrix& features, int threads = 0) const {
    return this->predict_features(features, threads);
  }
  /// The same for chosen rows of a matrix binned as the forest's own. \throws ShapeError
  std::vector<double> predict_binned(const BinnedMatrix& binned, std::span<const std::uint32_t> rows,
                                     int threads = 0) const {
    auto result = forest_.predict(binned, rows, 1, threads);
    scale(result);
    return result;
  }

private:
  friend detail::BinnedRegressor<RandomForestRegressor, RandomForestOptions>;

  void train(const BinnedMatrix& binned, std::span<const std::uint32_t> rows, std::span<const double> targets,
             const RandomForestOptions& options) {
    options.check();
    detail::check_training("forest", binned, rows, targets);
    const detail::TargetScale scale_of(rows, targets);
    scale_ = scale_of;
    const std::size_t max_features = options.max_features != 0 ? options.max_features : binned.columns.size();
    forest_.grow(
        binned, rows, max_features, options, 1, [](std::size_t bins) { return detail::SquaredError(bins); },
        [&](std::uint32_t row, std::uint16_t weight, std::uint32_t local) {
          return detail::SquaredError::Sample{static_cast<float>(scale_.to_units(targets[row])), local,
                                              weight};
        });
    if (!options.out_of_bag)
      return;
    out_of_bag_prediction_ = forest_.out_of_bag();
    scale(out_of_bag_prediction_);
    double mean = 0;
    double judged = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!std::isnan(out_of_bag_prediction_[i])) {
        mean += scale_.to_units(targets[rows[i]]);
        ++judged;
      }
    mean /= judged;
    double errors = 0;
    double squares = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!std::isnan(out_of_bag_prediction_[i])) {
        const double target = scale_.to_units(targets[rows[i]]);
        const double error = target - forest_.out_of_bag()[i];
        errors += error * error;
        squares += (target - mean) * (target - mean);
      }
    out_of_bag_score_ = 1 - errors / squares;
  }

  void scale(std::vector<double>& values) const {
    for (auto& value : values)
      value = scale_.from_units(value);
  }

  detail::ForestTrees forest_;
  detail::TargetScale scale_;
  std::vector<double> out_of_bag_prediction_;
  double out_of_bag_score_ = std::numeric_limits<double>::quiet_NaN();
};

} // namespace forest
using forest::RandomForest;
using forest::RandomForestOptions;
using forest::RandomForestRegressor;
ROWSMITH_END
